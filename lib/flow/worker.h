#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "queue/queue.h"

struct err;
struct site;
struct stage_plan;

/*
 * A stage that gets its references from its queue, for ever: each of the
 * plan's threads receives a message, takes the lock of its work (or drops the
 * message: somebody is at it), counts the delivery, works, hands on and
 * acknowledges. A heartbeat keeps the messages hidden meanwhile. What fails by
 * an outage or a signal is handed back uncounted; what fails otherwise, kills
 * its worker or its session, DELIVERY_MOST times becomes a dead letter, and
 * before that is worked on alone. One more thread does what the plan has for
 * it beside messages. Idle workers sweep up what was forgotten. An outage is
 * sat out. Returns after a signal with 130/143, or with `once` after one
 * message: 75 if none came for a second, else the code that its work failed
 * with. 0 or -1.
 */
int worker_run(const struct stage_plan *plan, const struct site *site, enum queue_name from, bool once, struct err *e)
    __attribute__((warn_unused_result));

/* How a stage's program gets its references, by option. */
struct worker_options {
	bool worker, once, enqueue;
};

#define WORKER_OPTIONS(how)                                                                                            \
	{"worker", 0, NULL, OPTION_FLAG, &(how).worker, "take work from the queue, for ever"},                         \
	{                                                                                                              \
		"once", 0, NULL, OPTION_FLAG, &(how).once, "with --worker: one message, then exit"                     \
	}
#define WORKER_ENQUEUE(how)                                                                                            \
	{                                                                                                              \
		"enqueue", 0, NULL, OPTION_FLAG, &(how).enqueue, "hand on by queue, too"                               \
	}

/* Run as they say: worker_run, or stage_run over the operands. 64 if they do not go together. */
int worker_program(struct stage_plan *plan, const struct site *site, enum queue_name from,
    const struct worker_options *how, char *const *operands, size_t count, struct err *e)
    __attribute__((warn_unused_result));

#endif
