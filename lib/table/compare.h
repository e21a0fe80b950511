#ifndef TABLE_COMPARE_H
#define TABLE_COMPARE_H

#include <stdint.h>

struct batch;
struct err;
struct pg;
struct pg_rows;
struct target;

/* What comparing a batch with its table found. */
struct compare_result {
	uint64_t present;   /* rows with exactly a record's version: each row is some record's, once */
	uint64_t missing;   /* records that neither a row nor a tombstone accounts for */
	uint64_t different; /* rows with a record's version and other values */
	int64_t example;    /* version of one of the missing or different, 0 none */
};

/* Before the first batch: make the temporary table; inside a transaction, at whose end it is gone. */
int compare_prepare(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/*
 * Does the table hold what these records say? A record is accounted for by its
 * row, by a row of a higher version, by a tombstone of a higher version, or by
 * an equal row that was left alone.
 */
int compare_batch(struct pg *pg, const struct target *t, const struct batch *batch, struct compare_result *result,
    struct err *e) __attribute__((warn_unused_result));

/* Rows in the table, and how many of them are edits made outside jobs. */
int compare_count(struct pg *pg, const struct target *t, uint64_t *rows, uint64_t *edited, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Rows of records in the table, by the seq of their jobs: columns seq and
 * count, in order; freed by the caller. Inside a transaction. Then those of one.
 */
int compare_count_by_job(struct pg *pg, const struct target *t, struct pg_rows **rows, struct err *e)
    __attribute__((warn_unused_result));
uint64_t compare_rows_of_job(const struct pg_rows *rows, int64_t seq);

#endif
