#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "net/aws.h"
#include "net/http.h"
#include "net/url.h"
#include "queue/queue_driver.h"
#include "queue/sqs_call.h"

/*
 * Amazon SQS and what speaks as it does, as ElasticMQ. Queues are made with
 * nothing but a long memory: how long a message is hidden goes with each
 * receive, and dead letters are csvp's own.
 */

/*
 * The longest single wait for messages. SQS counts whole seconds, and a
 * message that it gives out to who has just left is hidden from everybody for
 * its visibility: so a receive is never broken off, and a signal waits for it.
 */
#define WAIT_MS 1000
/* The most that SQS keeps: two weeks. The ledger knows what is undone, but a sweep costs more than a message. */
#define RETENTION "1209600"
/* How long what a visit looks at is hidden; it is given back as soon as the visit ends. */
#define VISIT_SECONDS 120

struct sqs {
	struct http *http;
	char *endpoint;
	int visibility; /* in seconds */
	struct {
		char *name, *url;
	} queues[QUEUE_COUNT]; /* those that are known to be there */
};

static struct sqs_endpoint
endpoint_of(const struct sqs *self)
{
	return (struct sqs_endpoint){self->http, self->endpoint};
}

/* sqs+http://HOST and sqs+https://HOST say where it is; sqs: is where AWS_* says, or AWS itself. NULL: neither. */
static char *
find_endpoint(const struct url *url, const struct aws *aws)
{
	const char *scheme = strchr(url->scheme, '+');

	if (scheme == NULL && url->host == NULL && aws != NULL && aws->endpoint != NULL)
		return buf_strdup(aws->endpoint);
	if (scheme == NULL && url->host == NULL)
		return buf_format(
		    "https://sqs.%s.amazonaws.com/", aws != NULL && aws->region != NULL ? aws->region : "us-east-1");
	if (scheme == NULL || url->host == NULL || url->user != NULL || url->query != NULL ||
	    (strcmp(scheme, "+http") != 0 && strcmp(scheme, "+https") != 0))
		return NULL;
	return buf_format(strchr(url->host, ':') != NULL ? "%s://[%s]:%d%s" : "%s://%s:%d%s", scheme + 1, url->host,
	    url->port != 0                 ? url->port
	    : strcmp(scheme, "+http") == 0 ? 80
					   : 443,
	    url->path[0] != '\0' ? url->path : "/");
}

static void
sqs_close(void *ctx)
{
	struct sqs *self = ctx;

	for (size_t i = 0; i < QUEUE_COUNT; i++) {
		free(self->queues[i].name);
		free(self->queues[i].url);
	}
	http_close(self->http);
	free(self->endpoint);
	free(self);
}

static int
sqs_check(const struct queue_options *options, const struct url *url, struct err *e)
{
	char *endpoint = find_endpoint(url, options->aws);
	bool found = endpoint != NULL;

	free(endpoint);
	if (found)
		return 0;
	return err_set(
	    e, ERR_CONFIG, "not an endpoint; hint: sqs+http://HOST:PORT/ or sqs+https://HOST/, keys by AWS_*");
}

static void *
sqs_open(const struct queue_options *options, const struct url *url, struct err *e)
{
	struct sqs *self = buf_calloc(1, sizeof *self);

	self->endpoint = find_endpoint(url, options->aws);
	self->visibility = (int)((options->visibility + 999) / 1000);
	self->http = http_open(
	    &(struct http_options){
		.ca_file = options->aws != NULL ? options->aws->ca_file : NULL, .service = "sqs", .aws = options->aws},
	    e);
	if (self->http != NULL)
		return self;
	sqs_close(self);
	return NULL;
}

static cJSON *
call(struct sqs *self, const char *action, cJSON *request, int64_t wait, struct err *e)
{
	struct sqs_endpoint endpoint = endpoint_of(self);

	return sqs_call(&endpoint, action, request, wait, e);
}

/* The place of a queue's name: its own, or a free one. */
static size_t
place_of(const struct sqs *self, const char *name)
{
	size_t i = 0;

	while (i + 1 < QUEUE_COUNT && self->queues[i].name != NULL && strcmp(self->queues[i].name, name) != 0)
		i++;
	return i;
}

static cJSON *
ask_url(struct sqs *self, const char *name, struct err *e)
{
	cJSON *request = cJSON_CreateObject(), *answer;

	cJSON_AddStringToObject(request, "QueueName", name);
	answer = call(self, "GetQueueUrl", request, 0, e);
	if (answer != NULL || e->code != ERR_NOINPUT)
		return answer;
	*e = (struct err){0};
	/* Two who make it at once make the same one. */
	request = cJSON_CreateObject();
	cJSON_AddStringToObject(request, "QueueName", name);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(request, "Attributes"), "MessageRetentionPeriod", RETENTION);
	return call(self, "CreateQueue", request, 0, e);
}

/* The URL of a queue that is there, made if it is missing. */
static const char *
url_of(struct sqs *self, const char *name, struct err *e)
{
	size_t place = place_of(self, name);
	const char *url;
	cJSON *answer;

	if (self->queues[place].url != NULL && strcmp(self->queues[place].name, name) == 0)
		return self->queues[place].url;
	answer = ask_url(self, name, e);
	if (answer == NULL)
		return NULL;
	url = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "QueueUrl"));
	if (url == NULL)
		err_set(e, ERR_CONFIG, "the answer names no queue; hint: is it an endpoint of SQS");
	free(self->queues[place].name);
	free(self->queues[place].url);
	self->queues[place].name = url != NULL ? buf_strdup(name) : NULL;
	self->queues[place].url = url != NULL ? buf_strdup(url) : NULL;
	cJSON_Delete(answer);
	return self->queues[place].url;
}

/* An action on a queue; takes the request over. */
static cJSON *
on_queue(struct sqs *self, const char *action, const char *queue, cJSON *request, int64_t wait, struct err *e)
{
	const char *url = url_of(self, queue, e);
	cJSON *answer;

	if (url == NULL) {
		cJSON_Delete(request);
		return NULL;
	}
	cJSON_AddStringToObject(request, "QueueUrl", url);
	answer = call(self, action, request, wait, e);
	if (answer == NULL && e->code == ERR_NOINPUT) {
		size_t place = place_of(self, queue);

		/* Somebody has removed it, or a broker has lost its data: the next attempt makes it anew. */
		free(self->queues[place].url);
		self->queues[place].url = NULL;
		e->code = ERR_AGAIN;
	}
	return answer;
}

/* The entries of a batch, told apart by their place. */
static cJSON *
entries_of(const struct queue_item *items, size_t count, const char *visibility)
{
	cJSON *request = cJSON_CreateObject(), *entries = cJSON_AddArrayToObject(request, "Entries");
	char id[24];

	for (size_t i = 0; i < count; i++) {
		cJSON *entry = cJSON_CreateObject();

		snprintf(id, sizeof id, "%zu", i);
		cJSON_AddStringToObject(entry, "Id", id);
		if (items[i].receipt != NULL)
			cJSON_AddStringToObject(entry, "ReceiptHandle", items[i].receipt);
		else
			cJSON_AddStringToObject(entry, "MessageBody", items[i].body);
		if (visibility != NULL)
			cJSON_AddRawToObject(entry, "VisibilityTimeout", visibility);
		cJSON_AddItemToArray(entries, entry);
	}
	return request;
}

/* The item that an entry of an answer speaks of; NULL: none. */
static struct queue_item *
item_of(const cJSON *entry, struct queue_item *items, size_t count)
{
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "Id"));
	size_t i = id != NULL ? strtoul(id, NULL, 10) : count;

	return i < count ? &items[i] : NULL;
}

/* What became of each item; the worst of what failed is the error. */
static int
results(const cJSON *answer, struct queue_item *items, size_t count, struct err *e)
{
	const cJSON *entry;
	int status = 0;

	cJSON_ArrayForEach(entry, cJSON_GetObjectItem(answer, "Successful"))
	{
		struct queue_item *item = item_of(entry, items, count);

		if (item != NULL)
			item->done = true;
	}
	cJSON_ArrayForEach(entry, cJSON_GetObjectItem(answer, "Failed"))
	{
		struct queue_item *item = item_of(entry, items, count);
		const char *code = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "Code"));
		const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(entry, "Message"));
		bool ours = cJSON_IsTrue(cJSON_GetObjectItem(entry, "SenderFault"));

		if (item == NULL)
			continue;
		if (item->receipt != NULL && code != NULL && sqs_call_receipt_unknown(code))
			item->done = item->lost = true;
		else
			status = err_set(e, ours ? ERR_BUG : ERR_AGAIN, "%s: %s", code != NULL ? code : "failed",
			    message != NULL ? message : "no reason given");
	}
	for (size_t i = 0; status == 0 && i < count; i++)
		if (!items[i].done)
			status = err_set(e, ERR_AGAIN, "no answer about a message");
	return status;
}

static int
batch(struct sqs *self, const char *action, const char *queue, const char *visibility, struct queue_item *items,
    size_t count, struct err *e)
{
	cJSON *answer;
	int status;

	if (count == 0)
		return 0;
	answer = on_queue(self, action, queue, entries_of(items, count, visibility), 0, e);
	if (answer == NULL)
		return -1;
	status = results(answer, items, count, e);
	cJSON_Delete(answer);
	return status;
}

static int
sqs_send(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	return batch(ctx, "SendMessageBatch", queue, NULL, items, count, e);
}

static int
sqs_extend(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	struct sqs *self = ctx;
	char seconds[12];

	snprintf(seconds, sizeof seconds, "%d", self->visibility);
	return batch(self, "ChangeMessageVisibilityBatch", queue, seconds, items, count, e);
}

static int
sqs_hand_back(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	return batch(ctx, "ChangeMessageVisibilityBatch", queue, "0", items, count, e);
}

static int
sqs_acknowledge(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	return batch(ctx, "DeleteMessageBatch", queue, NULL, items, count, e);
}

/* How many messages an answer has put into the items. */
static int
take_messages(const cJSON *answer, size_t most, struct queue_item *items)
{
	const cJSON *message;
	size_t count = 0;

	cJSON_ArrayForEach(message, cJSON_GetObjectItem(answer, "Messages"))
	{
		const char *body = cJSON_GetStringValue(cJSON_GetObjectItem(message, "Body"));
		const char *receipt = cJSON_GetStringValue(cJSON_GetObjectItem(message, "ReceiptHandle"));
		const char *received = cJSON_GetStringValue(
		    cJSON_GetObjectItem(cJSON_GetObjectItem(message, "Attributes"), "ApproximateReceiveCount"));

		if (count == most || body == NULL || receipt == NULL)
			continue;
		items[count++] = (struct queue_item){.body = buf_strdup(body),
		    .receipt = buf_strdup(receipt),
		    .received = received != NULL ? (unsigned)strtoul(received, NULL, 10) : 1};
	}
	return (int)count;
}

static int
receive_hidden(struct sqs *self, const char *queue, size_t most, int64_t wait, int visibility, struct queue_item *items,
    struct err *e)
{
	cJSON *request = cJSON_CreateObject(), *answer;
	int count;

	cJSON_AddNumberToObject(request, "MaxNumberOfMessages", (double)most);
	cJSON_AddNumberToObject(request, "WaitTimeSeconds", (double)((wait + 999) / 1000));
	cJSON_AddNumberToObject(request, "VisibilityTimeout", visibility);
	cJSON_AddItemToObject(
	    request, "AttributeNames", cJSON_CreateStringArray((const char *const[]){"ApproximateReceiveCount"}, 1));
	answer = on_queue(self, "ReceiveMessage", queue, request, wait, e);
	if (answer == NULL)
		return -1;
	count = take_messages(answer, most, items);
	cJSON_Delete(answer);
	return count;
}

static int
sqs_receive(void *ctx, const char *queue, size_t most, int64_t wait, struct queue_item *items, struct err *e)
{
	struct sqs *self = ctx;

	return receive_hidden(self, queue, most, wait, self->visibility, items, e);
}

static uint64_t
attribute(const cJSON *answer, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "Attributes"), name));

	return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static int
sqs_depth(void *ctx, const char *queue, struct queue_depth *depth, struct err *e)
{
	static const char *const names[] = {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"};
	cJSON *request = cJSON_CreateObject(), *answer;

	cJSON_AddItemToObject(request, "AttributeNames", cJSON_CreateStringArray(names, 2));
	answer = on_queue(ctx, "GetQueueAttributes", queue, request, 0, e);
	if (answer == NULL)
		return -1;
	depth->visible = attribute(answer, names[0]);
	depth->in_flight = attribute(answer, names[1]);
	cJSON_Delete(answer);
	return 0;
}

/* Messages that a visit has seen and that stay, to be given back at its end. */
struct kept {
	struct queue_item *items;
	size_t count, capacity;
};

static void
keep(struct kept *kept, char *receipt)
{
	if (kept->count == kept->capacity) {
		kept->capacity = kept->capacity > 0 ? 2 * kept->capacity : 64;
		kept->items = buf_realloc(kept->items, kept->capacity, sizeof *kept->items);
	}
	kept->items[kept->count++] = (struct queue_item){.receipt = receipt};
}

/* One batch, waited for, because without a wait SQS asks only some of its hosts: how many it had, -1. What was not removed is kept, also when it fails. */
static int
visit_batch(struct sqs *self, const char *queue, int (*each)(void *ctx, const char *body, struct err *e), void *ctx,
    struct kept *kept, struct err *e)
{
	struct queue_item items[QUEUE_BATCH];
	int count = receive_hidden(self, queue, QUEUE_BATCH, WAIT_MS, VISIT_SECONDS, items, e), result = count;

	for (int i = 0; i < count; i++) {
		int verdict = result >= 0 ? each(ctx, items[i].body, e) : 0;

		if (verdict > 0 && batch(self, "DeleteMessageBatch", queue, NULL, &items[i], 1, e) == 0)
			free(items[i].receipt);
		else
			keep(kept, items[i].receipt);
		if (verdict < 0 || (verdict > 0 && !items[i].done))
			result = -1;
		free(items[i].body);
	}
	return result;
}

static int
sqs_visit(void *ctx, const char *queue, int (*each)(void *ctx, const char *body, struct err *e), void *each_ctx,
    struct err *e)
{
	struct kept kept = {.items = NULL};
	struct err later;
	int count;

	do
		count = visit_batch(ctx, queue, each, each_ctx, &kept, e);
	while (count > 0);
	/* The first error is the one to tell. */
	if (count < 0)
		e = &later;
	for (size_t i = 0; i < kept.count; i += QUEUE_BATCH) {
		size_t some = kept.count - i < QUEUE_BATCH ? kept.count - i : QUEUE_BATCH;

		if (sqs_hand_back(ctx, queue, &kept.items[i], some, e) != 0)
			count = -1;
	}
	for (size_t i = 0; i < kept.count; i++)
		free(kept.items[i].receipt);
	free(kept.items);
	return count < 0 ? -1 : 0;
}

static int
sqs_purge(void *ctx, const char *queue, struct err *e)
{
	cJSON *answer = on_queue(ctx, "PurgeQueue", queue, cJSON_CreateObject(), 0, e);

	cJSON_Delete(answer);
	return answer != NULL ? 0 : -1;
}

const struct queue_driver *
sqs_driver(void)
{
	static const struct queue_driver driver = {
	    .scheme = "sqs",
	    .batch = QUEUE_BATCH,
	    .longest_wait = WAIT_MS,
	    .check = sqs_check,
	    .open = sqs_open,
	    .close = sqs_close,
	    .send = sqs_send,
	    .extend = sqs_extend,
	    .hand_back = sqs_hand_back,
	    .acknowledge = sqs_acknowledge,
	    .receive = sqs_receive,
	    .depth = sqs_depth,
	    .visit = sqs_visit,
	    .purge = sqs_purge,
	};

	return &driver;
}
