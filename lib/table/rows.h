#ifndef TABLE_ROWS_H
#define TABLE_ROWS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct target;

/*
 * Called for a row: which of the keys it has, its values as PostgreSQL prints
 * them (one per column of the shape, NULL for SQL NULL) and its version; valid
 * during the call. -1 ends the reading.
 */
typedef int rows_each(void *ctx, size_t key, const char *const *values, int64_t version, struct err *e);

/*
 * Rows out: the rows of these keys as they are now, each key by a probe of the
 * table's index. `keys` are canonical texts, `count` times the key's columns
 * (or `_id`). Inside a transaction of the caller's.
 */
int rows_by_key(struct pg *pg, const struct target *t, const char *const *keys, size_t count, rows_each *each,
    void *ctx, struct err *e) __attribute__((warn_unused_result));

#endif
