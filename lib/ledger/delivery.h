#ifndef LEDGER_DELIVERY_H
#define LEDGER_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/*
 * How often work was handed to workers, counted under the lock of the job or
 * chunk, each count a transaction of its own: a worker that dies has been
 * counted. Work that was delivered DELIVERY_MOST times and is not done fails.
 * chunk -1: the job's split.
 */
#define DELIVERY_MOST 5

/*
 * One more: how many there are now, or 0 if the work is done already (the
 * chunk is no more in `state`, "pending" or "loaded"; the job is split,
 * failed or cancelled). -1.
 */
int delivery_count(struct pg *pg, int64_t job, int64_t chunk, const char *state, struct err *e)
    __attribute__((warn_unused_result));

/* Is it done: the chunk loaded, the job split? What follows from that may still have to be told. 1, 0, -1. */
int delivery_done(struct pg *pg, int64_t job, int64_t chunk, struct err *e) __attribute__((warn_unused_result));

/* Take the last one back: an outage or a signal is not the work's fault. */
int delivery_return(struct pg *pg, int64_t job, int64_t chunk, struct err *e) __attribute__((warn_unused_result));

/* Keep why it did not work, for the dead letter. */
int delivery_note(struct pg *pg, int64_t job, int64_t chunk, const char *reason, struct err *e)
    __attribute__((warn_unused_result));

/* The last one kept, freed by the caller; NULL: none. */
int delivery_reason(struct pg *pg, int64_t job, int64_t chunk, char **reason, struct err *e)
    __attribute__((warn_unused_result));

/* It fails for good. Work that is done meanwhile is left alone. */
int delivery_fail(struct pg *pg, int64_t job, int64_t chunk, const char *reason, struct err *e)
    __attribute__((warn_unused_result));

/* Failed work of a job that is not cancelled is to be done again, from where it was, with no delivery counted: 1; 0 there is none, -1. */
int delivery_retry(struct pg *pg, int64_t job, int64_t chunk, struct err *e) __attribute__((warn_unused_result));

#endif
