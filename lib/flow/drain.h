#ifndef FLOW_DRAIN_H
#define FLOW_DRAIN_H

#include <stdint.h>

struct desk;
struct err;
struct search;

/*
 * Bring the edits made outside jobs to the search index: all that are in the
 * outbox of a dataset, or of every dataset. Several may do so at once. Returns
 * how many keys were brought, or -1; what was not brought stays in the outbox.
 */
int64_t drain_dataset(struct desk *desk, struct search *search, int64_t dataset, struct err *e)
    __attribute__((warn_unused_result));
int64_t drain_all(struct desk *desk, struct search *search, struct err *e) __attribute__((warn_unused_result));

#endif
