#ifndef FLOW_DATASETS_H
#define FLOW_DATASETS_H

#include <stddef.h>

#include "schema/type.h"

struct dataset;
struct err;
struct pg;
struct shape;
struct site;

/* The shape of columns with these headers and types, with names as of a file, and this key (headers or names). 65. */
int datasets_shape(const char *const *headers, const enum type_id *types, size_t count, const char *const *key,
    size_t key_count, struct shape *shape, struct err *e) __attribute__((warn_unused_result));

/* Define a dataset with an empty table, ready to be loaded and edited. 65 if there is one of this name. */
int datasets_create(const struct site *site, const char *name, const struct shape *shape, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Change a column's type, values and all; 65 if a value does not fit, or if the
 * column is part of the key. The dataset's chunks are to be indexed again.
 */
int datasets_set_type(const struct site *site, const char *name, const char *column, enum type_id type, struct err *e)
    __attribute__((warn_unused_result));

/*
 * A dataset whose table was dropped by a person is new again, as its next upload needs it: without index, columns and
 * key. *d is read again; any other is left as it is.
 */
int datasets_renew(const struct site *site, struct pg *pg, struct dataset *d, struct err *e)
    __attribute__((warn_unused_result));

/* Remove the dataset: table, index, jobs and their objects. 66 if there is none. */
int datasets_drop(const struct site *site, const char *name, struct err *e) __attribute__((warn_unused_result));

#endif
