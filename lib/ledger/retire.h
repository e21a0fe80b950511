#ifndef LEDGER_RETIRE_H
#define LEDGER_RETIRE_H

#include <stddef.h>
#include <stdint.h>

struct dataset;
struct err;
struct pg;

/*
 * Jobs that are removed with what they have stored. Their rows in the table
 * stay. Of the job itself there stays what later jobs and proofs need: its row
 * (seq, SHA-256, options, verdict; removed_at is set), one chunk that holds the
 * sums of its books, and how many rows it had. Nothing can write a record of
 * it any more.
 */
struct retired {
	int64_t chunks, records, rejects; /* that were removed */
};

/*
 * Datasets, and a dataset's jobs in the order of their seq, that came to their
 * end before `before` (what PostgreSQL reads as a timestamptz) and can be
 * removed: done, cancelled or failed, with no chunk to be loaded, indexed or
 * tried again. *ids is freed by the caller.
 */
int retire_datasets(struct pg *pg, const char *before, int64_t **ids, size_t *count, struct err *e)
    __attribute__((warn_unused_result));
int retire_jobs(struct pg *pg, int64_t dataset, const char *before, int64_t **ids, size_t *count, struct err *e)
    __attribute__((warn_unused_result));

/* Remove one that still is as retire_jobs says, inside a transaction: 1, 0 it is not, -1. `rows`: it has in the table. */
int retire_job(struct pg *pg, int64_t job, const char *before, int64_t rows, struct retired *r, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Remove the tombstones of a dataset that nothing asks for any more, inside a
 * transaction: how many, or -1. A tombstone beats the records of jobs up to
 * its own seq. As long as one of these is not removed, a chunk or a replayed
 * reject of it may still be to come, or verify reads its records again and
 * must know why a row is missing. Waits for a job that is just getting its seq.
 */
int64_t retire_tombstones(struct pg *pg, struct dataset *d, struct err *e) __attribute__((warn_unused_result));

/* The datasets that have any; *ids is freed by the caller. */
int retire_buried(struct pg *pg, int64_t **ids, size_t *count, struct err *e) __attribute__((warn_unused_result));

/*
 * Which of these numbers were given to jobs that are gone or removed, so that
 * nothing refers to their objects? *gone, in order, is freed by the caller.
 * Numbers that no job of this database has had yet are not among them.
 */
int retire_unreferenced(struct pg *pg, const int64_t *ids, size_t count, int64_t **gone, size_t *found, struct err *e)
    __attribute__((warn_unused_result));

#endif
