#ifndef FLOW_HANDOFF_H
#define FLOW_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/queue.h"

struct err;
struct pg;

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

/* This chunk (-1: the split of this job) again, if it is undone, to the queue whose workers do it next. */
int handoff_again(struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, struct err *e)
    __attribute__((warn_unused_result));

/* What is left to do of a job that was paused: all the hints that workers have dropped meanwhile. */
int handoff_resumed(struct pg *pg, struct queue *queue, int64_t job, struct err *e) __attribute__((warn_unused_result));

/*
 * To each queue all that the ledger says is undone and nobody holds; how many hints were sent, by queue. With
 * `idle_only` only to queues that are empty, and 10,000 at most.
 */
int handoff_sweep(struct pg *pg, struct queue *queue, bool idle_only, int64_t sent[QUEUE_COUNT], struct err *e)
    __attribute__((warn_unused_result));

/* How much of the same work there is, by queue. */
int handoff_undone(struct pg *pg, int64_t undone[QUEUE_COUNT], struct err *e) __attribute__((warn_unused_result));

#endif
