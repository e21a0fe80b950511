#ifndef FLOW_DEADLETTERS_H
#define FLOW_DEADLETTERS_H

#include <stdint.h>

struct err;
struct message;
struct pg;
struct queue;

/*
 * Dead letters: one for each work that failed for good in the workers' hands
 * (flow/worker.h), with its stage and error. The ledger has the truth here,
 * too: a letter whose work has been done since, or whose job was cancelled or
 * is gone, is not shown; the next retry or purge removes it.
 *
 * All take the letters of all jobs (job 0), of a job and its chunks (chunk -1),
 * or of one chunk. `each` returns 0 to go on, -1 with *e set to end.
 */
typedef int deadletters_each(void *ctx, const struct message *letter, struct err *e);

/* Visit them, oldest first if the broker knows. */
int deadletters_list(struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, deadletters_each *each, void *ctx,
    struct err *e) __attribute__((warn_unused_result));

/*
 * What has failed is to be tried again: it is undone in the ledger, with its
 * error and deliveries forgotten; then its queue is told; then its letter goes.
 * Ended between two of these steps, the same call finishes it. With a job
 * given, failed work whose letter was lost, too (`each` sees it without stage).
 * `each` is called for what was retried; may be NULL. 66 no such job or chunk,
 * 65 the job is cancelled.
 */
int deadletters_retry(struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, deadletters_each *each, void *ctx,
    struct err *e) __attribute__((warn_unused_result));

/* The same of all that has failed of a job, whose letters stay: they are not shown any more. 66 no such job. */
int deadletters_revive(struct pg *pg, struct queue *queue, int64_t job, struct err *e)
    __attribute__((warn_unused_result));

/* Remove them and leave the ledger as it is: how many, or -1. */
int64_t deadletters_purge(struct queue *queue, int64_t job, int64_t chunk, struct err *e)
    __attribute__((warn_unused_result));

#endif
