#ifndef FLOW_METRICS_H
#define FLOW_METRICS_H

#include "base/err.h"

struct buf;
struct pg;
struct queue;

/*
 * Append what the ledger and the queue tell, in Prometheus' text format,
 * version 0.0.4. All of it is read anew, so it is the same on every host; what
 * is dropped with a dataset goes from the sums, so none of them is a counter.
 */
int metrics_print(struct pg *pg, struct queue *queue, struct buf *out, struct err *e) MUST_CHECK;

#endif
