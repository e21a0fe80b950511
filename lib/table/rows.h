#ifndef TABLE_ROWS_H
#define TABLE_ROWS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct target;

/*
 * Called for a row: `place` is told below; its values as PostgreSQL prints
 * them (one per column of the shape, NULL for SQL NULL) and its version; valid
 * during the call. -1 ends the reading.
 */
typedef int rows_each(void *ctx, int64_t place, const char *const *values, int64_t version, struct err *e);

/*
 * Rows out: the rows of these keys as they are now, each key by a probe of the
 * table's index. `keys` are canonical texts, `count` times the key's columns
 * (or `_id`). `place` is the number of the row's key, from 0. Inside a
 * transaction of the caller's.
 */
int rows_by_key(struct pg *pg, const struct target *t, const char *const *keys, size_t count, rows_each *each,
    void *ctx, struct err *e) __attribute__((warn_unused_result));

/* A part of a table: rows with these versions in these blocks; the ends do not belong to it. */
struct rows_part {
	int64_t first_version, end_version;
	int64_t first_block, end_block;
};

/*
 * The rows of a part, in no order that matters: a third of the work of probing
 * for their keys. Others with these versions may be elsewhere. `place` is the
 * row's `_id`, or 0 if the table has none.
 */
int rows_of_part(struct pg *pg, const struct target *t, const struct rows_part *part, rows_each *each, void *ctx,
    struct err *e) __attribute__((warn_unused_result));

#endif
