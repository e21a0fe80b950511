#include "queue/queue.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/sig.h"
#include "net/retry.h"
#include "net/url.h"
#include "queue/queue_driver.h"

enum { SHORTEST_VISIBILITY = 1000, LONGEST_VISIBILITY = 12 * 3600 * 1000, LONGEST_PREFIX = 60 };

/* As for the search index: a killed connection is over at once, a server that comes up again takes seconds. */
static const struct retry_policy policy = {.tries = 6, .time = 15000, .base = 50, .cap = 5000};

static const char *const stages[QUEUE_COUNT] = {"split", "load", "index", "dead"};

struct queue {
	const struct queue_driver *driver;
	const struct clk *clk;
	void *self;
	char *url;                /* for messages */
	char *names[QUEUE_COUNT]; /* as the broker knows them */
};

const char *
queue_stage(enum queue_name name)
{
	return stages[name];
}

bool
queue_find(const char *stage, enum queue_name *name)
{
	for (size_t i = 0; i < QUEUE_COUNT; i++) {
		if (strcmp(stages[i], stage) != 0)
			continue;
		*name = (enum queue_name)i;
		return true;
	}
	return false;
}

static int
failed(const struct queue *queue, const char *name, struct err *e)
{
	return name != NULL ? err_prefix(e, "queue %s: %s", queue->url, name) : err_prefix(e, "queue %s", queue->url);
}

static const struct queue_driver *
find_driver(const char *scheme, struct err *e)
{
	const struct queue_driver *drivers[] = {pgqueue_driver(), sqs_driver()};
	size_t length = strcspn(scheme, "+");
	struct buf known = {0};

	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
		if (strncmp(drivers[i]->scheme, scheme, length) == 0 && drivers[i]->scheme[length] == '\0')
			return drivers[i];
	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
		buf_printf(&known, "%s%s:", i > 0 ? ", " : "", drivers[i]->scheme);
	err_set(e, ERR_CONFIG, "no message queue speaks '%s:'; hint: there is %s", scheme, known.bytes);
	buf_fini(&known);
	return NULL;
}

static int
check_options(const struct queue_options *options, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *prefix = options->prefix;

	if (options->visibility < SHORTEST_VISIBILITY || options->visibility > LONGEST_VISIBILITY)
		return err_set(
		    e, ERR_CONFIG, "a visibility of %" PRId64 " ms; hint: from 1s to 12h", options->visibility);
	if (prefix != NULL && (prefix[strspn(prefix, allowed)] != '\0' || strlen(prefix) > LONGEST_PREFIX))
		return err_set(e, ERR_BUG, "queue prefix '%s': not up to %d of [A-Za-z0-9_-]", prefix, LONGEST_PREFIX);
	return 0;
}

static struct queue *
open_parsed(const struct queue_driver *driver, const struct queue_options *options, const struct url *url,
    const struct clk *clk, struct err *e)
{
	struct queue *queue = buf_calloc(1, sizeof *queue);
	struct retry retry;

	assert(driver->scheme != NULL && driver->batch > 0 && driver->longest_wait > 0);
	assert(driver->open != NULL && driver->close != NULL && driver->send != NULL && driver->receive != NULL);
	assert(driver->extend != NULL && driver->hand_back != NULL && driver->acknowledge != NULL);
	assert(driver->depth != NULL && driver->visit != NULL && driver->purge != NULL);
	queue->driver = driver;
	queue->clk = clk;
	queue->url = url_redact(options->url);
	for (size_t i = 0; i < QUEUE_COUNT; i++)
		queue->names[i] = buf_format("%s%s", options->prefix != NULL ? options->prefix : "csvp-", stages[i]);
	retry_start(&retry, &policy, clk);
	do
		queue->self = driver->open(options, url, e);
	while (queue->self == NULL && retry_again(&retry, e));
	if (queue->self == NULL) {
		failed(queue, NULL, e);
		queue_close(queue);
		return NULL;
	}
	return queue;
}

/* The parts of the URL, and the driver that speaks it unless there is one already; 78 if that does not take it. */
static int
find_url(const struct queue_options *options, const struct queue_driver **driver, struct url *url, struct err *e)
{
	char *name;

	if (check_options(options, e) != 0 || url_parse(options->url, url, e) != 0)
		return -1;
	if (*driver == NULL)
		*driver = find_driver(url->scheme, e);
	if (*driver != NULL && ((*driver)->check == NULL || (*driver)->check(options, url, e) == 0))
		return 0;
	if (*driver != NULL) {
		name = url_redact(options->url);
		err_prefix(e, "queue %s", name);
		free(name);
	}
	url_fini(url);
	return -1;
}

struct queue *
queue_open_driver(
    const struct queue_driver *driver, const struct queue_options *options, const struct clk *clk, struct err *e)
{
	struct queue *queue;
	struct url url;

	if (find_url(options, &driver, &url, e) != 0)
		return NULL;
	queue = open_parsed(driver, options, &url, clk, e);
	url_fini(&url);
	return queue;
}

int
queue_check(const struct queue_options *options, struct err *e)
{
	const struct queue_driver *driver = NULL;
	struct url url;

	if (find_url(options, &driver, &url, e) != 0)
		return -1;
	url_fini(&url);
	return 0;
}

struct queue *
queue_open(const struct queue_options *options, struct err *e)
{
	return queue_open_driver(NULL, options, clk_system(), e);
}

void
queue_close(struct queue *queue)
{
	if (queue == NULL)
		return;
	if (queue->self != NULL)
		queue->driver->close(queue->self);
	for (size_t i = 0; i < QUEUE_COUNT; i++)
		free(queue->names[i]);
	free(queue->url);
	free(queue);
}

unsigned
queue_capabilities(const struct queue *queue)
{
	return queue->driver->capabilities;
}

typedef int operation(void *self, const char *queue, struct queue_item *items, size_t count, struct err *e);

/* Items that are done go to the front, in their order; how many there are. */
static size_t
set_apart(struct queue_item *items, size_t count)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		struct queue_item item = items[i];

		if (!item.done)
			continue;
		memmove(&items[done + 1], &items[done], (i - done) * sizeof *items);
		items[done++] = item;
	}
	return done;
}

/* Batch by batch; what of a batch has failed is tried again alone. */
static int
run(struct queue *queue, enum queue_name name, operation *call, struct queue_item *items, size_t count, struct err *e)
{
	struct retry retry;
	int status = 0;

	while (status == 0 && count > 0) {
		size_t batch = count < queue->driver->batch ? count : queue->driver->batch;

		count -= batch;
		retry_start(&retry, &policy, queue->clk);
		do {
			size_t done = set_apart(items, batch);

			items += done;
			batch -= done;
			status = call(queue->self, queue->names[name], items, batch, e);
		} while (status != 0 && retry_again(&retry, e));
		items += batch;
	}
	return status == 0 ? 0 : failed(queue, queue->names[name], e);
}

int
queue_send(struct queue *queue, enum queue_name to, const struct message *messages, size_t count, struct err *e)
{
	struct queue_item *items = buf_calloc(count > 0 ? count : 1, sizeof *items);
	int status;

	for (size_t i = 0; i < count; i++) {
		const struct message *m = &messages[i];
		struct buf body = {0};

		assert(m->job > 0 && m->chunk >= -1);
		message_print(m, &body);
		items[i].body = buf_detach(&body);
		items[i].reference = m->chunk < 0 ? buf_format("%" PRId64, m->job)
						  : buf_format("%" PRId64 "/%" PRId64, m->job, m->chunk);
	}
	status = run(queue, to, queue->driver->send, items, count, e);
	for (size_t i = 0; i < count; i++) {
		free(items[i].reference);
		free(items[i].body);
	}
	free(items);
	return status;
}

/* The same operation on deliveries, which are told by their receipts. */
static int
run_receipts(struct queue *queue, enum queue_name name, operation *call, struct delivery *deliveries, size_t count,
    struct err *e)
{
	struct queue_item *items = buf_calloc(count > 0 ? count : 1, sizeof *items);
	int status;

	for (size_t i = 0; i < count; i++)
		items[i].receipt = deliveries[i].receipt;
	status = run(queue, name, call, items, count, e);
	/* They may stand in another order now. */
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; items[i].lost && k < count; k++)
			deliveries[k].lost = deliveries[k].lost || deliveries[k].receipt == items[i].receipt;
	free(items);
	return status;
}

int
queue_extend(struct queue *queue, enum queue_name from, struct delivery *deliveries, size_t count, struct err *e)
{
	return run_receipts(queue, from, queue->driver->extend, deliveries, count, e);
}

int
queue_hand_back(struct queue *queue, enum queue_name from, struct delivery *deliveries, size_t count, struct err *e)
{
	return run_receipts(queue, from, queue->driver->hand_back, deliveries, count, e);
}

int
queue_acknowledge(struct queue *queue, enum queue_name from, struct delivery *deliveries, size_t count, struct err *e)
{
	return run_receipts(queue, from, queue->driver->acknowledge, deliveries, count, e);
}

/* Take a received body apart; one that is none of ours would come again for ever. */
static bool
take_delivery(struct queue *queue, enum queue_name from, struct queue_item *item, struct delivery *out)
{
	struct err e;

	*out = (struct delivery){.receipt = item->receipt, .received = item->received};
	if (message_parse(item->body, &out->message, &e) == 0)
		return true;
	log_notice("queue %s: %s: removed a message: %s", queue->url, queue->names[from], e.message);
	if (queue_acknowledge(queue, from, out, 1, &e) != 0)
		log_notice("%s", e.message);
	free(out->receipt);
	return false;
}

static int
receive_once(struct queue *queue, enum queue_name from, size_t most, int64_t wait, struct delivery *out, struct err *e)
{
	struct queue_item items[QUEUE_BATCH] = {0};
	struct retry retry;
	int received, taken = 0;

	if (wait > queue->driver->longest_wait)
		wait = queue->driver->longest_wait;
	retry_start(&retry, &policy, queue->clk);
	do
		received = queue->driver->receive(queue->self, queue->names[from], most, wait, items, e);
	while (received < 0 && retry_again(&retry, e));
	if (received < 0)
		return failed(queue, queue->names[from], e);
	for (int i = 0; i < received; i++) {
		taken += take_delivery(queue, from, &items[i], &out[taken]);
		free(items[i].body);
	}
	return taken;
}

int
queue_receive(struct queue *queue, enum queue_name from, size_t most, int64_t wait, struct delivery *out, struct err *e)
{
	int64_t end = clk_now(queue->clk) + wait;
	int count = 0;

	assert(most >= 1 && most <= QUEUE_BATCH && wait >= 0);
	do {
		if (sig_check(e) != 0)
			return -1;
		count = receive_once(queue, from, most, wait, out, e);
		wait = end - clk_now(queue->clk);
	} while (count == 0 && wait > 0);
	return count;
}

void
queue_delivery_fini(struct delivery *delivery)
{
	message_fini(&delivery->message);
	free(delivery->receipt);
	*delivery = (struct delivery){.receipt = NULL};
}

int
queue_depth(struct queue *queue, enum queue_name name, struct queue_depth *depth, struct err *e)
{
	struct retry retry;
	int status;

	*depth = (struct queue_depth){.oldest = -1};
	retry_start(&retry, &policy, queue->clk);
	do
		status = queue->driver->depth(queue->self, queue->names[name], depth, e);
	while (status != 0 && retry_again(&retry, e));
	return status == 0 ? 0 : failed(queue, queue->names[name], e);
}

/* Between the driver and the caller of queue_visit: whose error it is, and whether there is a way back. */
struct visit {
	queue_each *each;
	void *ctx;
	bool begun;
	bool stopped;
};

static int
visit_body(void *ctx, const char *body, struct err *e)
{
	struct visit *visit = ctx;
	struct message message;
	struct err ignored;
	int verdict;

	visit->begun = true;
	/* Nothing to look at; a receiver would remove it. */
	if (message_parse(body, &message, &ignored) != 0)
		return 0;
	verdict = visit->each(visit->ctx, &message, e);
	visit->stopped = verdict < 0;
	message_fini(&message);
	return verdict;
}

int
queue_visit(struct queue *queue, enum queue_name name, queue_each *each, void *ctx, struct err *e)
{
	struct visit visit = {.each = each, .ctx = ctx};
	struct retry retry;
	int status;

	retry_start(&retry, &policy, queue->clk);
	do
		status = queue->driver->visit(queue->self, queue->names[name], visit_body, &visit, e);
	while (status != 0 && !visit.begun && retry_again(&retry, e));
	if (status != 0 && !visit.stopped)
		return failed(queue, queue->names[name], e);
	return status;
}

int
queue_purge(struct queue *queue, enum queue_name name, struct err *e)
{
	struct retry retry;
	int status;

	retry_start(&retry, &policy, queue->clk);
	do
		status = queue->driver->purge(queue->self, queue->names[name], e);
	while (status != 0 && retry_again(&retry, e));
	return status == 0 ? 0 : failed(queue, queue->names[name], e);
}
