#include "search/esbulk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/num.h"
#include "net/retry.h"
#include "schema/type.h"
#include "search/es.h"
#include "search/esdoc.h"
#include "schema/json.h"
#include "search/search_driver.h"

/*
 * Requests at a time and bytes of each: two of 5 to 10 MB keep a small server
 * busy, more make it no faster (seen: 31,000 documents/s with one, 63,600 with
 * two, no more with 4 or 8). A server that says "too many" gets one, of half
 * as much each time, and more again as it takes them.
 */
#define BULK_BYTES ((size_t)5 << 20)
#define BULK_BYTES_MIN ((size_t)64 << 10)
#define IN_FLIGHT 2

/* As long as some documents are taken, the rest is tried again; when none are, for less than a minute (search.h). */
static const struct retry_policy policy = {.tries = 1000, .time = 45000, .base = 100, .cap = 5000};

struct refusal {
	size_t doc;
	char *reason;
};

struct request {
	struct http_exchange *exchange; /* NULL: none under way */
	const size_t *docs;
	size_t count;
};

/* A call of search_bulk under way. */
struct sending {
	struct es *es;
	const struct search_index *index;
	const struct search_doc *docs;
	char *url;
	size_t *todo; /* of docs, by number; those before `next` were sent in this round */
	size_t todo_count, next;
	size_t *again; /* those that the server was too busy for */
	size_t again_count;
	struct request requests[IN_FLIGHT]; /* in turn, the older one first */
	size_t turn;
	struct refusal *refusals;
	size_t refusal_count;
	bool busy;     /* somebody said so in this round */
	bool progress; /* something was taken in this round */
};

static void
refuse(struct sending *s, size_t doc, char *reason)
{
	s->refusals = buf_realloc(s->refusals, s->refusal_count + 1, sizeof *s->refusals);
	s->refusals[s->refusal_count++] = (struct refusal){doc, reason};
}

/* One document as two lines, a deletion as one; false if it cannot be written. */
static bool
write_doc(struct sending *s, struct buf *body, const struct search_doc *doc)
{
	size_t begin = body->length;

	buf_string(body, doc->deleted ? "{\"delete\":{\"_id\":" : "{\"index\":{\"_id\":");
	esdoc_id(body, s->index, doc);
	buf_printf(body, ",\"version\":%" PRId64 ",\"version_type\":\"external_gte\"}}\n", doc->version);
	if (doc->deleted)
		return true;
	if (!esdoc_write(body, s->index, doc)) {
		body->length = begin;
		return false;
	}
	buf_byte(body, '\n');
	return true;
}

/* Begin a request with as much of what is to be done as goes into one. */
static int
begin(struct sending *s, struct err *e)
{
	struct request *r = &s->requests[s->turn];
	struct buf *body = &s->es->bodies[s->turn];
	size_t first = s->next;
	struct http_request request;

	buf_reset(body);
	while (s->next < s->todo_count && (s->next == first || body->length < s->es->bulk_bytes)) {
		size_t doc = s->todo[s->next];

		if (write_doc(s, body, &s->docs[doc])) {
			s->next++;
			continue;
		}
		refuse(s, doc, buf_strdup("a value is none of its column's type"));
		memmove(s->todo + s->next, s->todo + s->next + 1, (s->todo_count - s->next - 1) * sizeof *s->todo);
		s->todo_count--;
	}
	if (s->next == first)
		return 0;
	request = (struct http_request){
	    .method = "POST",
	    .url = s->url,
	    .body = body->bytes,
	    .length = body->length,
	    .type = "application/x-ndjson",
	};
	r->docs = s->todo + first;
	r->count = s->next - first;
	r->exchange = http_begin(s->es->http, &request, e);
	s->turn = (s->turn + 1) % IN_FLIGHT;
	return r->exchange != NULL ? 0 : err_prefix(e, "search engine %s", s->es->base);
}

static void
try_again(struct sending *s, const size_t *docs, size_t count)
{
	memcpy(s->again + s->again_count, docs, count * sizeof *docs);
	s->again_count += count;
	s->busy = true;
}

/* {"status":201} or {"status":400,"error":{"type":"...","reason":"...","caused_by":{...}}} */
static int
read_status(struct json *j, int64_t *status, const char **type, const char **reason, struct err *e)
{
	char *name, *text;

	*status = 0;
	*type = *reason = NULL;
	if (!json_object(j))
		return es_nonsense(e);
	while (json_member(j, &name)) {
		if (strcmp(name, "status") == 0) {
			text = json_text(j);
			if (text == NULL || !num_int64(text, status))
				return es_nonsense(e);
		} else if (strcmp(name, "error") == 0 && json_object(j)) {
			while (json_member(j, &name))
				if (strcmp(name, "type") == 0)
					*type = json_text(j);
				else if (strcmp(name, "reason") == 0)
					*reason = json_text(j);
				else
					json_skip(j);
		} else {
			json_skip(j);
		}
	}
	return j->bad ? es_nonsense(e) : 0;
}

/* What became of one document. */
static int
take_item(struct sending *s, const size_t *doc, struct json *j, struct err *e)
{
	const char *type, *reason;
	int64_t status;
	char *name;

	if (!json_object(j) || !json_member(j, &name) || read_status(j, &status, &type, &reason, e) != 0 ||
	    json_member(j, &name))
		return es_nonsense(e);
	/* 409: the index has a newer version. 404: what is to be deleted is not there. */
	if ((status >= 200 && status < 300) || status == 409 || (status == 404 && type == NULL)) {
		s->progress = true;
		return 0;
	}
	if (status == 429 || status >= 500) {
		try_again(s, doc, 1);
		return 0;
	}
	if (status == 404) {
		s->es->created = 0;
		return search_missing(s->index, e);
	}
	if (status == 401 || status == 403)
		return err_set(e, ERR_PERMISSION, "search engine %s: %s", s->es->base, reason != NULL ? reason : type);
	refuse(s, *doc, buf_format("%s: %s", type != NULL ? type : "refused", reason != NULL ? reason : "no reason"));
	s->progress = true;
	return 0;
}

static int
take_items(struct sending *s, const struct request *r, struct http_response *response, struct err *e)
{
	struct json j = {.at = response->body.bytes};
	char *name, *errors;
	size_t i = 0;

	if (response->body.length == 0 || !json_object(&j))
		return es_nonsense(e);
	while (json_member(&j, &name)) {
		if (strcmp(name, "errors") == 0) {
			errors = json_text(&j);
			if (errors != NULL && strcmp(errors, "false") == 0) {
				s->progress = true;
				return 0;
			}
		} else if (strcmp(name, "items") == 0 && json_array(&j)) {
			while (json_element(&j)) {
				if (i == r->count)
					return es_nonsense(e);
				if (take_item(s, &r->docs[i++], &j, e) != 0)
					return -1;
			}
		} else {
			json_skip(&j);
		}
	}
	return j.bad || i != r->count ? es_nonsense(e) : 0;
}

static int
take_response(struct sending *s, const struct request *r, struct http_response *response, struct err *e)
{
	switch (response->status) {
	case 200:
		return take_items(s, r, response, e);
	case 413:
		if (r->count == 1) {
			refuse(s, r->docs[0], buf_strdup("larger than the search engine takes"));
			return 0;
		}
		/* fallthrough */
	case 429:
	case 502:
	case 503:
	case 504:
		try_again(s, r->docs, r->count);
		return 0;
	default:
		return es_failed(s->es, response, e);
	}
}

/* Wait for the oldest request, and learn from it how much to send. */
static int
end(struct sending *s, size_t which, struct err *e)
{
	struct request *r = &s->requests[which];
	struct es *es = s->es;
	size_t again = s->again_count;
	int result = http_finish(r->exchange, e);

	if (result == 0)
		result = take_response(s, r, http_response(r->exchange), e);
	else
		err_prefix(e, "search engine %s", es->base);
	http_end(r->exchange);
	r->exchange = NULL;
	if (s->again_count > again) {
		es->in_flight = 1;
		es->bulk_bytes = es->bulk_bytes / 2 > BULK_BYTES_MIN ? es->bulk_bytes / 2 : BULK_BYTES_MIN;
	} else if (es->bulk_bytes < BULK_BYTES) {
		es->bulk_bytes += es->bulk_bytes / 4;
	} else {
		es->in_flight = IN_FLIGHT;
	}
	return result;
}

/* Send all that is to be done, once. */
static int
send_round(struct sending *s, struct err *e)
{
	size_t open = 0;

	s->next = s->again_count = s->turn = 0;
	s->busy = s->progress = false;
	while (s->next < s->todo_count || open > 0) {
		/* After "too many" the rest of the round waits, too: it would be answered alike. */
		while (s->next < s->todo_count && open < s->es->in_flight && !s->busy) {
			size_t turn = s->turn;

			if (begin(s, e) != 0)
				return -1;
			open += s->requests[turn].exchange != NULL;
		}
		if (open > 0) {
			if (end(s, (s->turn + IN_FLIGHT - open) % IN_FLIGHT, e) != 0)
				return -1;
			open--;
		}
		if (s->busy && open == 0) {
			try_again(s, s->todo + s->next, s->todo_count - s->next);
			s->next = s->todo_count;
		}
	}
	return 0;
}

static int
send_all(struct sending *s, struct err *e)
{
	struct retry retry;

	retry_start(&retry, &policy, clk_system());
	for (;;) {
		size_t *done = s->todo;

		if (send_round(s, e) != 0)
			return -1;
		if (s->again_count == 0)
			return 0;
		s->todo = s->again;
		s->todo_count = s->again_count;
		s->again = done;
		if (s->progress)
			retry_start(&retry, &policy, clk_system());
		err_set(e, ERR_AGAIN, "search engine %s is too busy", s->es->base);
		if (!retry_again(&retry, e))
			return -1;
	}
}

int
esbulk_send(void *self, const struct search_index *index, const struct search_doc *docs, size_t count,
    search_refused *refused, void *ctx, struct err *e)
{
	struct es *es = self;
	struct sending s = {.es = es, .index = index, .docs = docs, .todo_count = count};
	char *alias = es_alias(es, index);
	int result;

	if (es->bulk_bytes == 0) {
		es->bulk_bytes = BULK_BYTES;
		es->in_flight = IN_FLIGHT;
	}
	/* An alias: else a bulk for an index that was dropped would make it anew, with a guessed mapping. */
	s.url = buf_format("%s/%s/_bulk?require_alias=true&filter_path=errors,items.*.status,items.*.error.type,"
			   "items.*.error.reason",
	    es->base, alias);
	free(alias);
	s.todo = buf_calloc(count, sizeof *s.todo);
	s.again = buf_calloc(count, sizeof *s.again);
	for (size_t i = 0; i < count; i++)
		s.todo[i] = i;
	result = send_all(&s, e);
	for (size_t i = 0; i < IN_FLIGHT; i++)
		http_end(s.requests[i].exchange);
	for (size_t i = 0; i < s.refusal_count; i++) {
		if (result == 0)
			result = refused(ctx, &docs[s.refusals[i].doc], s.refusals[i].reason, e);
		free(s.refusals[i].reason);
	}
	free(s.refusals);
	free(s.again);
	free(s.todo);
	free(s.url);
	return result;
}
