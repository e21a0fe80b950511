#include "records.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "call.h"
#include "flow/record_json.h"
#include "flow/records.h"
#include "route.h"

/* The longest body. */
#define LARGEST_RECORD ((size_t)4 << 20)

/* More versions than that no client has seen. */
#define MOST_VERSIONS 100

/* What an edit depends on, as the headers say. */
struct wish {
	struct records_condition condition;
	int64_t versions[MOST_VERSIONS];
};

/*
 * A list of entity-tags (RFC 9110, section 8.8.3): those that are versions of ours are appended; others, weak ones too,
 * match nothing. False if it is no list of them.
 */
static bool
take_tags(const char *text, int64_t *versions, size_t *count)
{
	for (;;) {
		size_t length;
		char *tag;
		int64_t version;
		bool weak;

		text += strspn(text, " \t,");
		if (*text == '\0')
			return true;
		weak = strncmp(text, "W/", 2) == 0;
		text += weak ? 2 : 0;
		if (*text != '"' || strchr(text + 1, '"') == NULL)
			return false;
		length = strcspn(++text, "\"");
		tag = buf_strndup(text, length);
		if (!weak && num_int64(tag, &version) && *count < MOST_VERSIONS)
			versions[(*count)++] = version;
		free(tag);
		text += length + 1;
		if (*text != '\0' && strchr(" \t,", *text) == NULL)
			return false;
	}
}

static bool
is_star(const char *text)
{
	return text[strspn(text, " ")] == '*' && strspn(text, " *") == strlen(text);
}

/* 0, or 1 and the call is answered. */
static int
read_condition(struct call *c, struct wish *w)
{
	const char *match = request_header(&c->request, "If-Match");
	const char *none = request_header(&c->request, "If-None-Match");

	*w = (struct wish){.condition = {.exists = false}};
	if (match != NULL && is_star(match)) {
		w->condition.exists = true;
	} else if (match != NULL) {
		if (!take_tags(match, w->versions, &w->condition.count)) {
			response_problem(&c->response, 400, "If-Match is neither * nor a list of entity-tags");
			return 1;
		}
		w->condition.versioned = true;
		w->condition.versions = w->versions;
	}
	if (none != NULL && is_star(none)) {
		w->condition.absent = true;
	} else if (none != NULL) {
		response_problem(&c->response, 400, "to change a record, If-None-Match can only be *");
		return 1;
	}
	return 0;
}

/* RFC 6901, as the fragment of a URI. */
static char *
pointer_to(const char *field)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
	struct buf pointer = {0};

	buf_string(&pointer, "#");
	if (field != NULL)
		buf_byte(&pointer, '/');
	for (; field != NULL && *field != '\0'; field++)
		if (*field == '~' || *field == '/')
			buf_string(&pointer, *field == '~' ? "~0" : "~1");
		else if (strchr(plain, *field) != NULL)
			buf_byte(&pointer, *field);
		else
			buf_printf(&pointer, "%%%02X", (unsigned char)*field);
	return buf_detach(&pointer);
}

/* What is wrong with each field. */
static cJSON *
list_faults(const struct records_answer *a)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < a->fault_count; i++) {
		const struct record_fault *fault = &a->faults[i];
		cJSON *one = cJSON_CreateObject();
		char *pointer = pointer_to(fault->field);

		cJSON_AddStringToObject(one, "name", fault->field != NULL ? fault->field : "");
		cJSON_AddStringToObject(one, "pointer", pointer);
		cJSON_AddStringToObject(one, "reason", fault->reason);
		cJSON_AddItemToArray(list, one);
		free(pointer);
	}
	return list;
}

/* Has the client this version, and does not want it again? */
static bool
knows(const struct call *c, int64_t version)
{
	const char *none = request_header(&c->request, "If-None-Match");
	int64_t versions[MOST_VERSIONS];
	size_t count = 0;

	if (none == NULL || is_star(none))
		return none != NULL;
	if (!take_tags(none, versions, &count))
		return false;
	while (count > 0 && versions[count - 1] != version)
		count--;
	return count > 0;
}

/* The record as it is now, and where. */
static int
answer_record(struct call *c, int status, const struct records_answer *a)
{
	const char *dataset = request_segment(&c->request, "dataset")->raw;

	response_header(&c->response, "ETag", "\"%" PRId64 "\"", a->version);
	if (status == 201)
		response_header(&c->response, "Location", "/api/datasets/%s/records/%s", dataset, a->key);
	else
		response_header(&c->response, "Content-Location", "/api/datasets/%s/records/%s", dataset, a->key);
	if (strcmp(c->route->method, "GET") == 0 && knows(c, a->version))
		return response_text(&c->response, 304, "", "");
	return response_text(&c->response, status, "application/json", a->json.bytes);
}

static int
answer(struct call *c, int result, const struct records_answer *a)
{
	switch (result) {
	case RECORDS_DONE:
		if (a->json.length > 0)
			return answer_record(c, 200, a);
		response_begin(&c->response, 204, "");
		return 0;
	case RECORDS_CREATED:
		return answer_record(c, 201, a);
	case RECORDS_MISSING:
		return response_problem(&c->response, 404, "there is no such record");
	case RECORDS_EXISTS:
		return response_problem(&c->response, 409, "there is a record of this key already");
	case RECORDS_FAILED:
		response_problem(&c->response, 412,
		    a->key != NULL ? "the record is of another version by now" : "there is no such record");
		if (a->key != NULL)
			response_header(&c->response, "ETag", "\"%" PRId64 "\"", a->version);
		return 0;
	case RECORDS_MALFORMED:
		return response_problem(&c->response, 400, "the body: %s", a->faults[0].reason);
	case RECORDS_INVALID:
		return response_invalid(&c->response, list_faults(a), "%s%s%s",
		    a->faults[0].field != NULL ? a->faults[0].field : "the record", ": ", a->faults[0].reason);
	case RECORDS_BUILDING:
		return response_problem(&c->response, 503,
		    "the dataset's first file is still being loaded, and its records have no order by key yet");
	default:
		return -1;
	}
}

/* An operation on the records of the path's dataset. */
typedef int operate(struct records *r, struct call *c, const struct records_condition *condition,
    const struct buf *body, struct records_answer *a, struct err *e);

static int
run(struct call *c, operate *what, const struct wish *w, const struct buf *body, struct err *e)
{
	struct records *r = records_open(c->site, call_segment(c, "dataset"), e);
	struct records_answer a = {.key = NULL};
	int result = r != NULL ? what(r, c, &w->condition, body, &a, e) : -1;

	records_close(r);
	if (result >= 0)
		result = answer(c, result, &a);
	records_answer_fini(&a);
	return result;
}

static int
edit(struct call *c, operate *what, bool with_body, struct err *e)
{
	struct buf body = {0};
	struct wish w;
	int result = 0;

	if (read_condition(c, &w) != 0)
		return 0;
	buf_string(&body, "");
	if (with_body)
		result = request_body(&c->request, LARGEST_RECORD, &body, e);
	if (result > 0)
		result =
		    response_problem(&c->response, 413, "a record is at most %zu bytes long", (size_t)LARGEST_RECORD);
	else if (result == 0)
		result = run(c, what, &w, &body, e);
	buf_fini(&body);
	return result;
}

/* As it came: it is taken apart before it is decoded. */
static const char *
key_of(const struct call *c)
{
	return request_segment(&c->request, "key")->raw;
}

static int
create(struct records *r, struct call *c, const struct records_condition *condition, const struct buf *body,
    struct records_answer *a, struct err *e)
{
	(void)c, (void)condition;
	return records_create(r, body->bytes, body->length, a, e);
}

static int
read_one(struct records *r, struct call *c, const struct records_condition *condition, const struct buf *body,
    struct records_answer *a, struct err *e)
{
	(void)condition, (void)body;
	return records_read(r, key_of(c), a, e);
}

static int
replace(struct records *r, struct call *c, const struct records_condition *condition, const struct buf *body,
    struct records_answer *a, struct err *e)
{
	return records_replace(r, key_of(c), condition, body->bytes, body->length, a, e);
}

static int
patch(struct records *r, struct call *c, const struct records_condition *condition, const struct buf *body,
    struct records_answer *a, struct err *e)
{
	return records_patch(r, key_of(c), condition, body->bytes, body->length, a, e);
}

static int
remove_one(struct records *r, struct call *c, const struct records_condition *condition, const struct buf *body,
    struct records_answer *a, struct err *e)
{
	(void)body;
	return records_delete(r, key_of(c), condition, a, e);
}

int
api_records_create(struct call *c, struct err *e)
{
	return edit(c, create, true, e);
}

int
api_records_read(struct call *c, struct err *e)
{
	const struct wish w = {.condition = {.exists = false}};

	return run(c, read_one, &w, NULL, e);
}

int
api_records_replace(struct call *c, struct err *e)
{
	return edit(c, replace, true, e);
}

int
api_records_patch(struct call *c, struct err *e)
{
	return edit(c, patch, true, e);
}

int
api_records_delete(struct call *c, struct err *e)
{
	return edit(c, remove_one, false, e);
}
