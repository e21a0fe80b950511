#ifndef QUEUE_SQS_CALL_H
#define QUEUE_SQS_CALL_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;
struct err;
struct http;

/* Where actions of the Amazon SQS API are asked for. */
struct sqs_endpoint {
	struct http *http;
	const char *url;
};

/*
 * One action in the AWS JSON protocol 1.0 (Amazon SQS API Reference), as
 * "SendMessageBatch". It takes the request over; the caller frees the answer
 * with cJSON_Delete, an empty object if the service says nothing. A signal
 * does not end it: what is received must not be lost on its way here, what is
 * held must be handed back; after one it ends within 10 s. `wait` is what the
 * service itself may wait, in milliseconds.
 *
 * NULL on failure. Errors: 66 there is no such queue; 75, 77, 78, else 70.
 */
struct cJSON *sqs_call(const struct sqs_endpoint *endpoint, const char *action, struct cJSON *request, int64_t wait,
    struct err *e) __attribute__((warn_unused_result));

/* Whether the code of an item that failed in a batch says that its receipt is not known (any more). */
bool sqs_call_receipt_unknown(const char *code);

#endif
