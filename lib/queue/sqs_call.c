#include "queue/sqs_call.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"

/* What an answer takes beside the time that was asked for. */
#define ANSWER_MS 20000

/* What a failure is by the end of its type, which has other beginnings with other services and protocols. */
static const struct {
	const char *type;
	enum err_code code;
} failures[] = {
    {"QueueDoesNotExist", ERR_NOINPUT},
    {"NonExistentQueue", ERR_NOINPUT},
    {"QueueDeletedRecently", ERR_AGAIN},
    {"PurgeQueueInProgress", ERR_AGAIN},
    {"OverLimit", ERR_AGAIN},
    {"RequestThrottled", ERR_AGAIN},
    {"Throttling", ERR_AGAIN},
    {"ThrottlingException", ERR_AGAIN},
    {"ServiceUnavailable", ERR_AGAIN},
    {"AccessDenied", ERR_PERMISSION},
    {"AccessDeniedException", ERR_PERMISSION},
    {"InvalidClientTokenId", ERR_PERMISSION},
    {"UnrecognizedClientException", ERR_PERMISSION},
    {"InvalidSecurity", ERR_PERMISSION},
    {"InvalidSignatureException", ERR_PERMISSION},
    {"SignatureDoesNotMatch", ERR_PERMISSION},
    {"MissingAuthenticationToken", ERR_PERMISSION},
    {"MissingAuthenticationTokenException", ERR_PERMISSION},
    {"ExpiredToken", ERR_PERMISSION},
    {"ExpiredTokenException", ERR_PERMISSION},
};

static bool
ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0 &&
	       (length == tail || text[length - tail - 1] == '#' || text[length - tail - 1] == '.');
}

bool
sqs_call_receipt_unknown(const char *code)
{
	return ends_in(code, "ReceiptHandleIsInvalid") || ends_in(code, "MessageNotInflight") ||
	       ends_in(code, "InvalidParameterValue");
}

/* The text of a member, under the two spellings that services use; NULL if there is none. */
static const char *
text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

/* An answer that is no success. Returns -1. */
static int
failed(const struct http_response *response, const cJSON *answer, struct err *e)
{
	const char *type = text_of(answer, "__type"), *message = text_of(answer, "message");

	if (http_check(response, message, e) == 0)
		return err_set(e, ERR_CONFIG, "the answer is no JSON; hint: is it an endpoint of SQS");
	/* A page that is not there, not a queue. */
	if (e->code == ERR_NOINPUT || (e->code == ERR_BUG && type == NULL))
		e->code = ERR_CONFIG;
	for (size_t i = 0; type != NULL && i < sizeof failures / sizeof *failures; i++)
		if (ends_in(type, failures[i].type))
			e->code = failures[i].code;
	return -1;
}

cJSON *
sqs_call(const struct sqs_endpoint *endpoint, const char *action, cJSON *request, int64_t wait, struct err *e)
{
	char *body = cJSON_PrintUnformatted(request);
	char *target = buf_format("X-Amz-Target: AmazonSQS.%s", action);
	struct http_response response = {0};
	cJSON *answer = NULL;
	int status;

	cJSON_Delete(request);
	http_shield(endpoint->http, true);
	status = http_call(endpoint->http,
	    &(struct http_request){.method = "POST",
		.url = endpoint->url,
		.headers = (const char *const[]){target, NULL},
		.body = body,
		.length = body != NULL ? strlen(body) : 0,
		.type = "application/x-amz-json-1.0",
		.stall = wait + ANSWER_MS},
	    &response, e);
	http_shield(endpoint->http, false);
	if (status == 0) {
		answer = response.body.length > 0 ? cJSON_Parse(response.body.bytes) : cJSON_CreateObject();
		if (answer == NULL || response.status < 200 || response.status > 299) {
			failed(&response, answer, e);
			cJSON_Delete(answer);
			answer = NULL;
		}
	}
	http_response_fini(&response);
	cJSON_free(body);
	free(target);
	return answer;
}
