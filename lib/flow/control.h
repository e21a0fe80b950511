#ifndef FLOW_CONTROL_H
#define FLOW_CONTROL_H

#include <stdint.h>

struct err;
struct pg;
struct queue;

/*
 * Stop a job for good, stop it for a while, let it go on. Cancel and pause
 * return when nobody works on the job any more: what was under way has been
 * rolled back, or had been committed before. What is loaded stays. Resume
 * tells the workers what is left to do. 66 no such job; 65 a job that is at
 * its end, or cancelled (resume).
 */
int control_cancel(struct pg *pg, int64_t job, struct err *e) __attribute__((warn_unused_result));
int control_pause(struct pg *pg, int64_t job, struct err *e) __attribute__((warn_unused_result));
int control_resume(struct pg *pg, struct queue *queue, int64_t job, struct err *e) __attribute__((warn_unused_result));

#endif
