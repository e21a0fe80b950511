#ifndef LEDGER_CHANGE_H
#define LEDGER_CHANGE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct pg_rows;

/*
 * The outbox of edits made outside jobs (csvp.change). Entries are taken by
 * deleting them in the transaction that brings them to the index, never by a
 * watermark: a transaction that commits late is not missed.
 */

/*
 * Take up to `limit` entries of a dataset, inside the caller's transaction,
 * those that nobody else is taking. One row a key: the `parts` texts of the
 * key, then the highest version and whether a deletion is among them.
 */
int change_take(struct pg *pg, int64_t dataset, size_t parts, size_t limit, struct pg_rows **rows, struct err *e)
    __attribute__((warn_unused_result));

/* Datasets with entries and a table, at most 100; *ids is freed by the caller. */
int change_datasets(struct pg *pg, int64_t **ids, size_t *count, struct err *e) __attribute__((warn_unused_result));

#endif
