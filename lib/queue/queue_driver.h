#ifndef QUEUE_QUEUE_DRIVER_H
#define QUEUE_QUEUE_DRIVER_H

#include "queue/queue.h"

struct clk;
struct url;

/* One message of a batch. Who calls owns the texts; only `receive` allocates body and receipt for the wrapper. */
struct queue_item {
	char *reference; /* send: JOB or JOB/CHUNK, what a unique hint is told by; else NULL */
	char *body;      /* send, receive */
	char *receipt;   /* receive, extend, hand_back, acknowledge */
	unsigned received;
	bool done; /* the call has done its work for this one, false before */
	bool lost; /* extend: the receipt is not known any more; false before */
};

/*
 * What a driver of a message queue provides; all but `check` is required (checked
 * when a queue is opened). The wrapper in queue.c has checked the arguments,
 * makes and takes apart bodies, cuts batches and waits, tries again, and puts
 * the URL and the queue's name before each message; a driver does none of
 * that. It connects anew in the next call if one has lost its connection.
 *
 * Errors: 75 for what another attempt may cure, 77, 78, 130/143 on a signal,
 * else 70. `queue` is the whole name, "csvp-load".
 */
struct queue_driver {
	const char *scheme; /* of its URLs, in lower case; what follows a + is for open to judge */
	unsigned capabilities;
	size_t batch;         /* most items of a call; receive is asked for QUEUE_BATCH at most */
	int64_t longest_wait; /* most milliseconds of one receive */

	/* 78 if it is no URL for this driver, as far as that can be told without its server; NULL: all are. Before `open`. */
	int (*check)(const struct queue_options *options, const struct url *url, struct err *e);
	void *(*open)(const struct queue_options *options, const struct url *url, struct err *e);
	void (*close)(void *self);

	/*
	 * Each sets `done` of the items that it has dealt with, and returns 0 if
	 * that is all of them; after a failure it is called again with the others.
	 * To deal twice with one must do no harm, but for send: say done where it
	 * is. A receipt that is not known, whatever its form, is done (and lost).
	 * All four must work after a signal, and end within 10 s then.
	 */
	int (*send)(void *self, const char *queue, struct queue_item *items, size_t count, struct err *e);
	int (*extend)(void *self, const char *queue, struct queue_item *items, size_t count, struct err *e);
	int (*hand_back)(void *self, const char *queue, struct queue_item *items, size_t count, struct err *e);
	int (*acknowledge)(void *self, const char *queue, struct queue_item *items, size_t count, struct err *e);

	/* As queue_receive: fills body, receipt, received of items that are all zeros. Waits all of `wait` if none comes. */
	int (*receive)(
	    void *self, const char *queue, size_t most, int64_t wait, struct queue_item *items, struct err *e);

	/* `oldest` is -1 before. */
	int (*depth)(void *self, const char *queue, struct queue_depth *depth, struct err *e);

	/* As queue_visit. After the first call of `each` a failure is final: the wrapper does not repeat it. */
	int (*visit)(void *self, const char *queue, int (*each)(void *ctx, const char *body, struct err *e), void *ctx,
	    struct err *e);

	int (*purge)(void *self, const char *queue, struct err *e);
};

/* queue_open with a driver and a clock of one's own: what queue_open itself calls, and tests. */
struct queue *queue_open_driver(
    const struct queue_driver *driver, const struct queue_options *options, const struct clk *clk, struct err *e);

/* The drivers. */
const struct queue_driver *pgqueue_driver(void); /* pg: */
const struct queue_driver *sqs_driver(void);     /* sqs: sqs+http: sqs+https: */

#endif
