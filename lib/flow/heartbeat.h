#ifndef FLOW_HEARTBEAT_H
#define FLOW_HEARTBEAT_H

#include "queue/queue.h"

struct err;
struct heartbeat;
struct site;

/*
 * A thread that keeps messages hidden while they are worked on, by extending
 * them three times in each visibility. NULL if it cannot be started.
 */
struct heartbeat *heartbeat_start(const struct site *site, enum queue_name from, struct err *e);
void heartbeat_stop(struct heartbeat *h);

/* From now on this one, until it is dropped; the delivery must stay where it is. */
void heartbeat_add(struct heartbeat *h, struct delivery *delivery);
void heartbeat_drop(struct heartbeat *h, struct delivery *delivery);

#endif
