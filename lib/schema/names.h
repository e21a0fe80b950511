#ifndef SCHEMA_NAMES_H
#define SCHEMA_NAMES_H

#include <stddef.h>

struct err;

/*
 * PostgreSQL names from headers. snake_case: ASCII letters lowered, a capital
 * after a small letter or digit begins a word, every other run of bytes is one
 * `_`, none at either end; letters beyond ASCII are kept (lower-cased where
 * Unicode has a simple mapping in Latin-1, Latin Extended-A, Greek, Cyrillic).
 * Empty: `column_N`. Longer than 63 bytes: cut at a character, with a hash of
 * the whole at the end. A leading digit gets `_`... see names.c for the table.
 */
char *names_column(const char *header, size_t position);

/* The same for a dataset's table; never NULL. */
char *names_table(const char *dataset);

/*
 * Names for all headers of a file, in order: reserved words, the extra columns
 * (`_version`, `_id`) and collisions get `_2`, `_3`... Identical headers are
 * an error (65) that names both positions. names[] gets malloced strings.
 */
int names_columns(const char *const *headers, size_t count, char **names, struct err *e)
    __attribute__((warn_unused_result));

/* The default dataset name for a file: its base name without .csv, .tsv, .txt, .gz, .zst. */
char *names_dataset(const char *path);

#endif
