#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "queue/message.h"

struct aws;
struct queue;

/* Drivers read no environment. */
struct queue_options {
	const char *url;       /* pg:, sqs+http://HOST:PORT/, sqs+https://HOST/, sqs: */
	const char *conninfo;  /* of the database, for pg: */
	const struct aws *aws; /* for sqs; NULL: nothing is signed */
	int64_t visibility;    /* CSVP_VISIBILITY in milliseconds: 1 s to 12 h; SQS counts whole seconds */
	const char *prefix;    /* of the queues' names: [A-Za-z0-9_-], at most 60 bytes; NULL: "csvp-" */
};

/* The queues csvp-split, csvp-load, csvp-index, csvp-dead. */
enum queue_name { QUEUE_SPLIT, QUEUE_LOAD, QUEUE_INDEX, QUEUE_DEAD };
#define QUEUE_COUNT 4
#define QUEUE_BATCH 10 /* most messages of one queue_receive */

/* "split", "load", "index", "dead"; and back, or false. */
const char *queue_stage(enum queue_name name);
bool queue_find(const char *stage, enum queue_name *name);

/*
 * Message queues (the model of SQS): messages are hints to the ledger's work. At least once: a message may come twice,
 * late, and in any order. One that is received is in flight, hidden from other receivers, until it is acknowledged
 * (gone), handed back, or its visibility has run out. A queue that is missing is made when it is first used. A handle
 * belongs to one thread; receipts work on any handle. A passing trouble is tried again, a few times. Errors: 75 it
 * stayed, 77 not permitted, 78 configuration, 130/143 a signal.
 */
struct queue *queue_open(const struct queue_options *options, struct err *e);
void queue_close(struct queue *queue);

/* Are these options such as a queue can be opened with? 78 if not. Nothing is connected to. */
int queue_check(const struct queue_options *options, struct err *e) MUST_CHECK;

/* What the driver of this URL does beyond that, as bits. */
enum queue_capability {
	QUEUE_UNIQUE = 1 << 0, /* one message per queue and reference; sent again in flight, it comes again after */
	QUEUE_EXACT = 1 << 1   /* depth counts exactly; a receipt from before a later delivery has no effect */
};
unsigned queue_capabilities(const struct queue *queue);

/* Put messages into a queue; on failure some may have been sent. Works after a signal, too. */
int queue_send(
    struct queue *queue, enum queue_name to, const struct message *messages, size_t count, struct err *e) MUST_CHECK;

/* A message in flight. */
struct delivery {
	struct message message;
	char *receipt;
	unsigned received; /* how often it has been given out, this time included; a broker's count, so a hint, too */
	bool lost;         /* queue_extend: nobody holds it with this receipt any more */
};

/*
 * Receive up to `most` (at most QUEUE_BATCH) messages: how many, as soon as there is one; 0 when the wait (milliseconds) is
 * over; -1. What is no message of csvp's is removed, with a notice.
 */
int queue_receive(struct queue *queue, enum queue_name from, size_t most, int64_t wait, struct delivery *out,
    struct err *e) MUST_CHECK;
void queue_delivery_fini(struct delivery *delivery);

/*
 * For deliveries of one queue: extend hides them for another full visibility from now, hand_back makes them visible at
 * once, acknowledge removes them. A receipt that is not known (any more) is no error and touches no message that somebody
 * else holds. All three work after a signal, and are then answered or given up within 10 s.
 */
int queue_extend(
    struct queue *queue, enum queue_name from, struct delivery *deliveries, size_t count, struct err *e) MUST_CHECK;
int queue_hand_back(
    struct queue *queue, enum queue_name from, struct delivery *deliveries, size_t count, struct err *e) MUST_CHECK;
int queue_acknowledge(
    struct queue *queue, enum queue_name from, struct delivery *deliveries, size_t count, struct err *e) MUST_CHECK;

struct queue_depth {
	uint64_t visible, in_flight;
	int64_t oldest; /* milliseconds that a visible one has waited; -1: there is none, or it is not known */
};
int queue_depth(struct queue *queue, enum queue_name name, struct queue_depth *depth, struct err *e) MUST_CHECK;

/*
 * Look at the visible messages, oldest first if the broker knows: `each` says for every one whether it stays (0) or is
 * removed (1); -1 ends the visit. It may send on the same handle. Meanwhile SQS hides from others what it visits.
 */
typedef int queue_each(void *ctx, const struct message *message, struct err *e);
int queue_visit(struct queue *queue, enum queue_name name, queue_each *each, void *ctx, struct err *e) MUST_CHECK;

/* Remove all messages, those in flight, too. */
int queue_purge(struct queue *queue, enum queue_name name, struct err *e) MUST_CHECK;

#endif
