#ifndef TABLE_TARGET_H
#define TABLE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct pg;
struct shape;

/*
 * A dataset's table, as the SQL of this folder needs it. Besides the shape's
 * columns it has `_version`, and `_id` as its key if the shape has no key.
 */
struct target {
	int64_t dataset;
	int64_t generation;
	const char *schema;
	const char *name;
	const struct shape *shape;
};

/* Append "schema"."table". */
void target_table(struct buf *sql, const struct target *t);

/*
 * LOCK TABLE in a mode ("ROW EXCLUSIVE", ...), however long that takes; 65 if
 * the table was dropped. Who also locks the dataset's row locks the table first.
 */
int target_lock(struct pg *pg, const struct target *t, const char *mode, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Is the key still what records can be merged by? 65 naming what a person has
 * taken away or put there. While the table is locked, so that it stays so.
 */
int target_check_key(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/* How many blocks the table has now. */
int target_blocks(struct pg *pg, const struct target *t, int64_t *blocks, struct err *e)
    __attribute__((warn_unused_result));

/* Append the column list, each name behind `prefix` ("t." or ""): the shape's columns, `_id` if there is one, `_version`. */
void target_columns(struct buf *sql, const struct target *t, const char *prefix);

/* The same without `_version`. */
void target_values(struct buf *sql, const struct target *t, const char *prefix);

/* Append the key's columns, comma-separated. */
void target_key(struct buf *sql, const struct target *t, const char *prefix);

/* Append "a.k1 = b.k1 AND ...". */
void target_key_join(struct buf *sql, const struct target *t, const char *a, const char *b);

/* Append ARRAY[...] of the key's canonical texts, as csvp.tombstone and csvp.change keep keys. */
void target_key_text(struct buf *sql, const struct target *t, const char *prefix);

#endif
