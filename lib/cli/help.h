#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct option;
struct program;

/*
 * The text of --help: usage, purpose, the program's options and the common
 * ones, the environment it reads, exit codes, its manual page. Wrapped to
 * `width` terminal cells; titles in bold if asked for.
 */
void help_text(const struct program *program, const struct option *common, size_t width, bool bold, struct buf *out);

/* Append `text`, broken between words so that no line passes `width`; further lines begin with `indent` blanks. */
void help_wrap(struct buf *out, const char *text, size_t indent, size_t width);

/* May output on this descriptor be bold? A terminal, and NO_COLOR unset or empty (no-color.org). */
bool help_bold(int fd);

#endif
