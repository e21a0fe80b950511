#ifndef FLOW_HANDOFF_H
#define FLOW_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;
struct queue;

/*
 * Telling the next stage's queue what there is to do, after the commit that
 * made it true. Only hints: what is lost is found again by handoff_sweep.
 */

/* To split: this job is stored. */
int handoff_job(struct queue *queue, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* To load: the pending chunks of a split job, or the job itself if it has none. */
int handoff_split(struct pg *pg, struct queue *queue, int64_t job, struct err *e) __attribute__((warn_unused_result));

/*
 * To index: this chunk is loaded (-1: a job without chunks). While its dataset
 * is building nothing is sent; once it is ready, `was_building` says that all
 * loaded chunks of the job that built it are to be told.
 */
int handoff_loaded(struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, bool was_building, struct err *e)
    __attribute__((warn_unused_result));

/*
 * To each queue all that the ledger says is undone and nobody holds; with
 * `idle_only` only to queues that are empty. How many hints were sent, or -1.
 */
int64_t handoff_sweep(struct pg *pg, struct queue *queue, bool idle_only, struct err *e)
    __attribute__((warn_unused_result));

#endif
