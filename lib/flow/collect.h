#ifndef FLOW_COLLECT_H
#define FLOW_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;
struct store;

/* Called for each upload that was collected, with the key and what is known of its bytes in the store. */
typedef int collect_each(void *ctx, const char *object, uint64_t bytes, struct err *e);

/*
 * Forget the uploads of a dataset (0: of all) that nobody is working on, and
 * remove what they have stored, unless they can go on and are younger than a
 * day. The session holds each one's lock meanwhile. Only for the owner of the
 * objects (ledger/owner.h). `each` may be NULL. `dry_run`: the store is left
 * alone; the ledger is the caller's to roll back.
 */
int collect_uploads(struct pg *pg, struct store *store, int64_t dataset, bool dry_run, collect_each *each, void *ctx,
    struct err *e) __attribute__((warn_unused_result));

#endif
