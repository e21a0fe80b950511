#ifndef FLOW_CONTROL_H
#define FLOW_CONTROL_H

#include <stdint.h>

struct err;
struct pg;
struct queue;

/*
 * Stop a job for good, stop it for a while, let it go on. Cancel and pause
 * return when nobody works on the job any more: what was under way has been
 * rolled back, or had been committed before. What is loaded stays; after a
 * cancel its table gets its key, if it has none yet. A worker that does not
 * run (stopped, or its host is away) is waited for `patience` milliseconds
 * (-1: without end): 1 then, and the job is stopped all the same, since who
 * wakes up rolls back; a cancel can be asked for again, which sees to the rest.
 * Resume tells the workers what is left to do. 66 no such job; 65 a job that
 * is at its end, or cancelled (pause, resume).
 */
int control_cancel(struct pg *pg, int64_t job, int64_t patience, struct err *e) __attribute__((warn_unused_result));
int control_pause(struct pg *pg, int64_t job, int64_t patience, struct err *e) __attribute__((warn_unused_result));
int control_resume(struct pg *pg, struct queue *queue, int64_t job, struct err *e) __attribute__((warn_unused_result));

#endif
