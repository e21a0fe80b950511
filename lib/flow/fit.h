#ifndef FLOW_FIT_H
#define FLOW_FIT_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct reading;
struct shape;
struct survey;

/*
 * How the fields of a file and the columns of a dataset fit together. Columns
 * are found by header (or else by name), in any order.
 */

/*
 * An existing dataset: for each field the column it fills (-1: a new one, with
 * --add-columns). 65 naming the first unknown or missing column, two fields of
 * one column, or a --type that is not the column's. Marks the fields whose
 * types are to be inferred (new and undecided columns) and the key.
 */
int fit_existing(struct survey *s, const struct shape *shape, int *columns, struct err *e)
    __attribute__((warn_unused_result));

/* A new dataset: mark all fields for inference, except those whose type the user gave, and the key. */
int fit_new(struct survey *s, const char *const *key, size_t key_count, struct err *e)
    __attribute__((warn_unused_result));

/*
 * After the survey of a new dataset: its columns and key, and for each field its column. Before it, columns without a
 * --type are undecided.
 */
int fit_shape(const struct survey *s, struct shape *shape, int *columns, struct err *e)
    __attribute__((warn_unused_result));

/* Append a column for a field that fills none yet, with --add-columns, and set columns[field]. */
int fit_add(const struct survey *s, size_t field, struct shape *shape, int *columns, struct err *e)
    __attribute__((warn_unused_result));

/*
 * After the survey: are the keys proven unique? A key column whose type was
 * not known before was proven by its bytes, which are enough for some types.
 */
bool fit_unique_keys(const struct survey *s);

/* The type of a field after the survey, the user's word first; *undecided: no value was seen. */
int fit_type(const struct survey *s, size_t field, bool *undecided, struct err *e) __attribute__((warn_unused_result));

#endif
