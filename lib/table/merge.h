#ifndef TABLE_MERGE_H
#define TABLE_MERGE_H

#include <stddef.h>
#include <stdint.h>

struct batch;
struct err;
struct pg;
struct target;

/* How a batch gets into the table. */
enum merge_mode {
	MERGE_APPEND, /* COPY: no key yet, or keys that cannot be there */
	MERGE_UPSERT, /* by key; equal rows take the new version, too */
	MERGE_LEAVE   /* by key; rows that are equal already are left alone, and write no WAL */
};

/* What to expect of a batch, from the one before. A wrong guess costs time and nothing else. */
enum merge_guess { MERGE_MIXED, MERGE_ALL_NEW, MERGE_ALL_CHANGED };

/* What became of the batch's records that the server did not refuse. */
struct merge_result {
	uint64_t inserted, updated, unchanged, superseded;
};

/*
 * Make the temporary table that MERGE_UPSERT and MERGE_LEAVE stage in, if this
 * session has none for this generation; before the transaction.
 */
int merge_prepare(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/*
 * Write a grouped batch inside the caller's transaction: the newest record of
 * each group, in the batch's order, if its version is higher than the row's
 * and no visible tombstone beats it. A record that the server refuses (a
 * constraint, a trigger, which may also leave it out by returning NULL) is found by halving the batch; its entry gets a
 * fault, and an earlier record of its key takes its place. Other errors are
 * returned; the transaction is then to be rolled back.
 */
int merge_batch(struct pg *pg, const struct target *t, enum merge_mode mode, enum merge_guess guess,
    struct batch *batch, struct merge_result *result, struct err *e) __attribute__((warn_unused_result));

/* The guess for the batch after the one that ended like this. */
enum merge_guess merge_guess(const struct merge_result *result);

#endif
