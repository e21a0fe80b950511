#ifndef TABLE_ROW_H
#define TABLE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct target;

/*
 * A single row, as a person reads and edits it: in a session that is no
 * worker's, so that the triggers (edit.h) give it a version, leave a tombstone
 * and tell the index. Keys are texts valid for the key's columns, in its
 * order, or `_id`. Errors: 66 the table is gone; 65 the server refuses a value
 * (a type, a constraint, a trigger of a person's own).
 */
struct row {
	char **values; /* one per column of the shape as PostgreSQL prints it, NULL: no value */
	char *id;      /* `_id` without a key, else NULL */
	int64_t version;
	size_t columns;
};
void row_fini(struct row *row);

/*
 * The row of a key: 1 found, 0 not there, -1. `lock`: until the transaction ends nobody changes it. `building`: the
 * table has no key yet; the newest row counts, if it was not deleted meanwhile.
 */
int row_read(struct pg *pg, const struct target *t, const char *const *key, bool lock, bool building, struct row *row,
    struct err *e) __attribute__((warn_unused_result));

/* Insert these values, one per column; *row gets what is stored. 1 done, 0 there is a row of this key, -1. */
int row_insert(struct pg *pg, const struct target *t, const char *const *values, struct row *row, struct err *e)
    __attribute__((warn_unused_result));

/* Set the columns for which `given` is true. 1 done, 0 there is no such row, -1. */
int row_update(struct pg *pg, const struct target *t, const char *const *key, const char *const *values,
    const bool *given, struct row *row, struct err *e) __attribute__((warn_unused_result));

/* 1 done, 0 there is no such row, -1. */
int row_delete(struct pg *pg, const struct target *t, const char *const *key, struct err *e)
    __attribute__((warn_unused_result));

#endif
