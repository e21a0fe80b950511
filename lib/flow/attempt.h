#ifndef FLOW_ATTEMPT_H
#define FLOW_ATTEMPT_H

#include <pthread.h>

#include "base/err.h"
#include "queue/queue.h"

struct message;
struct stage_plan;

/* What a worker makes attempts with, one message after the other. Its owner opens, fills and closes it. */
struct attempt {
	const struct stage_plan *plan;
	enum queue_name from;
	pthread_rwlock_t *together; /* of all that work in this process; for writing: alone */
	void *worker;               /* the plan's */
	struct queue *queue;
	enum err_code code; /* what the work of the last message failed with, said already; ERR_NONE */
	struct err err;
};

/*
 * What is to become of the message: it has no more meaning; it is to be tried
 * again, by whoever is first; the same, but something that all work needs is
 * not there (`err` says what).
 */
enum attempt_outcome { ATTEMPT_ACKNOWLEDGE, ATTEMPT_HAND_BACK, ATTEMPT_OUTAGE };

/*
 * From the message to the end of its work: wait for the throttle, take the
 * lock (somebody has it: no meaning), count the delivery, work, tell the next
 * stage. What fails by an outage or a signal is not counted; nor what was
 * cancelled, paused or given up meanwhile, which has no more meaning. What
 * fails otherwise DELIVERY_MOST times becomes a dead letter, and before that
 * is worked on alone.
 */
enum attempt_outcome attempt_take(struct attempt *a, const struct message *m) __attribute__((warn_unused_result));

#endif
