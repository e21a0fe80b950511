#include "search/esbulk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/num.h"
#include "net/retry.h"
#include "schema/json.h"
#include "schema/shape.h"
#include "search/es.h"
#include "search/esdoc.h"

/*
 * Requests at a time and bytes of each: two of 5 to 10 MB keep a small server
 * busy, more make it no faster (seen: 31,000 documents/s with one, 63,600 with
 * two, no more with 4 or 8). A server that says "too many" gets one, of half
 * as much each time, and more again as it takes them.
 */
#define BULK_BYTES ((size_t)5 << 20)
#define BULK_BYTES_MIN ((size_t)64 << 10)
#define IN_FLIGHT 2

/* What is written of one body before the other's request is given a push: less than a socket holds. */
#define PUSH_BYTES ((size_t)128 << 10)

/* As long as some documents are taken, the rest is tried again; when none are, for less than a minute (search.h). */
static const struct retry_policy policy = {.tries = 1000, .time = 45000, .base = 100, .cap = 5000};

struct entry {
	size_t end; /* of its lines in the body */
	size_t key; /* in the body's keys, or in those that are refused: its parts, one behind the other */
	int64_t version;
	bool deleted;
	bool again; /* of a request that was answered: the server was too busy for it */
};

/* Documents that the engine has not taken yet, and the request with the first of them. */
struct body {
	struct buf lines, keys;
	struct entry *entries;
	size_t count, capacity;
	struct http_exchange *exchange; /* NULL: none under way */
	size_t sent;                    /* documents in it */
};

struct refusal {
	struct entry entry;
	char *reason;
};

struct esbulk {
	struct body bodies[IN_FLIGHT];
	size_t filling; /* the body that documents are put into */
	size_t pushed;  /* its bytes when the other's request was last given a push */
	struct refusal *refusals;
	size_t refusal_count;
	struct buf refused_keys;

	/* What the answers have taught. */
	size_t bytes; /* of a request */
	bool alone;   /* one request at a time */
	bool waiting; /* `retry` has begun: the server takes nothing */
	struct retry retry;
};

static struct esbulk *
bulk_of(struct es *es)
{
	if (es->bulk == NULL) {
		es->bulk = buf_calloc(1, sizeof *es->bulk);
		es->bulk->bytes = BULK_BYTES;
	}
	return es->bulk;
}

static void
reset_body(struct body *body)
{
	buf_reset(&body->lines);
	buf_reset(&body->keys);
	body->count = 0;
}

static void
forget_refusals(struct esbulk *bulk)
{
	for (size_t i = 0; i < bulk->refusal_count; i++)
		free(bulk->refusals[i].reason);
	bulk->refusal_count = 0;
	buf_reset(&bulk->refused_keys);
}

void
esbulk_discard(void *self)
{
	struct esbulk *bulk = bulk_of(self);

	for (size_t i = 0; i < IN_FLIGHT; i++) {
		http_end(bulk->bodies[i].exchange);
		bulk->bodies[i].exchange = NULL;
		reset_body(&bulk->bodies[i]);
	}
	forget_refusals(bulk);
	bulk->waiting = false;
}

/* Its requests have ended: esbulk_discard. */
void
esbulk_free(struct esbulk *bulk)
{
	if (bulk == NULL)
		return;
	for (size_t i = 0; i < IN_FLIGHT; i++) {
		buf_fini(&bulk->bodies[i].lines);
		buf_fini(&bulk->bodies[i].keys);
		free(bulk->bodies[i].entries);
	}
	buf_fini(&bulk->refused_keys);
	free(bulk->refusals);
	free(bulk);
}

/* Takes the reason. */
static void
refuse(struct esbulk *bulk, const struct search_index *index, const struct body *body, struct entry entry, char *reason)
{
	const char *key = body->keys.bytes + entry.key;

	entry.key = bulk->refused_keys.length;
	for (size_t i = 0; i < shape_key_parts(index->shape); i++) {
		size_t size = strlen(key) + 1;

		buf_append(&bulk->refused_keys, key, size);
		key += size;
	}
	bulk->refusals = buf_realloc(bulk->refusals, bulk->refusal_count + 1, sizeof *bulk->refusals);
	bulk->refusals[bulk->refusal_count++] = (struct refusal){entry, reason};
}

/* One document as two lines, a deletion as one; false if it cannot be written. */
static bool
write_doc(struct buf *lines, const struct search_index *index, const struct search_doc *doc)
{
	size_t begin = lines->length;

	buf_string(lines, doc->deleted ? "{\"delete\":{\"_id\":" : "{\"index\":{\"_id\":");
	esdoc_id(lines, index, doc);
	buf_printf(lines, ",\"version\":%" PRId64 ",\"version_type\":\"external_gte\"}}\n", doc->version);
	if (doc->deleted)
		return true;
	if (!esdoc_write(lines, index, doc)) {
		lines->length = begin;
		return false;
	}
	buf_byte(lines, '\n');
	return true;
}

static void
add(struct esbulk *bulk, const struct search_index *index, const struct search_doc *doc)
{
	struct body *body = &bulk->bodies[bulk->filling];
	struct entry entry = {.key = body->keys.length, .version = doc->version, .deleted = doc->deleted};

	for (size_t i = 0; i < shape_key_parts(index->shape); i++)
		buf_append(&body->keys, doc->key[i], strlen(doc->key[i]) + 1);
	if (!write_doc(&body->lines, index, doc)) {
		refuse(bulk, index, body, entry, buf_strdup("a value is none of its column's type"));
		body->keys.length = entry.key;
		return;
	}
	entry.end = body->lines.length;
	if (body->count == body->capacity) {
		body->capacity = body->capacity > 0 ? 2 * body->capacity : 1024;
		body->entries = buf_realloc(body->entries, body->capacity, sizeof *body->entries);
	}
	body->entries[body->count++] = entry;
}

/* Begin the request with as many of a body's documents as go into one. */
static int
begin(struct es *es, const struct search_index *index, struct body *body, struct err *e)
{
	char *alias = es_alias(es, index);
	/* An alias: else a bulk for an index that was dropped would make it anew, with a guessed mapping. */
	char *url = buf_format("%s/%s/_bulk?require_alias=true&filter_path=errors,items.*.status,items.*.error.type,"
			       "items.*.error.reason",
	    es->base, alias);
	struct http_request request = {
	    .method = "POST", .url = url, .body = body->lines.bytes, .type = "application/x-ndjson"};

	body->sent = 1;
	while (body->sent < body->count && body->entries[body->sent - 1].end < es->bulk->bytes)
		body->sent++;
	request.length = body->entries[body->sent - 1].end;
	body->exchange = http_begin(es->http, &request, e);
	free(url);
	free(alias);
	return body->exchange != NULL ? 0 : err_prefix(e, "search engine %s", es->base);
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
take_item(struct es *es, const struct search_index *index, struct body *body, struct entry *entry, struct json *j,
    struct err *e)
{
	const char *type, *reason;
	int64_t status;
	char *name;

	if (!json_object(j) || !json_member(j, &name) || read_status(j, &status, &type, &reason, e) != 0 ||
	    json_member(j, &name))
		return es_nonsense(e);
	/* 409: the index has a newer version. 404: what is to be deleted is not there. */
	if ((status >= 200 && status < 300) || status == 409 || (status == 404 && type == NULL))
		return 0;
	if (status == 429 || status >= 500) {
		entry->again = true;
		return 0;
	}
	if (status == 404) {
		es->created = 0;
		return search_missing(index, e);
	}
	if (status == 401 || status == 403)
		return err_set(e, ERR_PERMISSION, "search engine %s: %s", es->base, reason != NULL ? reason : type);
	refuse(es->bulk, index, body, *entry,
	    buf_format("%s: %s", type != NULL ? type : "refused", reason != NULL ? reason : "no reason"));
	return 0;
}

static int
take_items(struct es *es, const struct search_index *index, struct body *body, struct err *e)
{
	struct http_response *response = http_response(body->exchange);
	struct json j = {.at = response->body.bytes};
	char *name, *errors;
	size_t i = 0;

	if (response->body.length == 0 || !json_object(&j))
		return es_nonsense(e);
	while (json_member(&j, &name)) {
		if (strcmp(name, "errors") == 0) {
			errors = json_text(&j);
			if (errors != NULL && strcmp(errors, "false") == 0)
				return 0;
		} else if (strcmp(name, "items") == 0 && json_array(&j)) {
			while (json_element(&j)) {
				if (i == body->sent)
					return es_nonsense(e);
				if (take_item(es, index, body, &body->entries[i++], &j, e) != 0)
					return -1;
			}
		} else {
			json_skip(&j);
		}
	}
	return j.bad || i != body->sent ? es_nonsense(e) : 0;
}

static int
take_response(struct es *es, const struct search_index *index, struct body *body, struct err *e)
{
	struct http_response *response = http_response(body->exchange);

	switch (response->status) {
	case 200:
		return take_items(es, index, body, e);
	case 413:
		if (body->sent == 1) {
			refuse(
			    es->bulk, index, body, body->entries[0], buf_strdup("larger than the search engine takes"));
			return 0;
		}
		/* fallthrough */
	case 429:
	case 502:
	case 503:
	case 504:
		for (size_t i = 0; i < body->sent; i++)
			body->entries[i].again = true;
		return 0;
	default:
		return es_failed(es, response, e);
	}
}

/* Keep in a body what was not sent, and what is to be sent again; how much that is. */
static size_t
keep(struct body *body)
{
	size_t kept = 0, length = 0, from = 0, again = 0;

	for (size_t i = 0; i < body->count; i++) {
		struct entry entry = body->entries[i];
		size_t end = entry.end;

		if (i >= body->sent || entry.again) {
			again += entry.again;
			memmove(body->lines.bytes + length, body->lines.bytes + from, entry.end - from);
			length += entry.end - from;
			entry.end = length;
			entry.again = false;
			body->entries[kept++] = entry;
		}
		from = end;
	}
	if (kept == 0) {
		reset_body(body);
	} else {
		body->lines.length = length;
		body->count = kept;
	}
	return again;
}

/* Learn from an answer how much to send; wait a little if it was "too many". */
static int
learn(struct es *es, size_t sent, size_t again, struct err *e)
{
	struct esbulk *bulk = es->bulk;

	if (again < sent)
		bulk->waiting = false;
	if (again == 0) {
		if (bulk->bytes < BULK_BYTES)
			bulk->bytes += bulk->bytes / 4;
		else
			bulk->alone = false;
		return 0;
	}
	bulk->alone = true;
	bulk->bytes = bulk->bytes / 2 > BULK_BYTES_MIN ? bulk->bytes / 2 : BULK_BYTES_MIN;
	if (!bulk->waiting)
		retry_start(&bulk->retry, &policy, clk_system());
	bulk->waiting = true;
	err_set(e, ERR_AGAIN, "search engine %s is too busy", es->base);
	return retry_again(&bulk->retry, e) ? 0 : -1;
}

/* Wait for a body's request. What fails leaves the body as it was. */
static int
end(struct es *es, const struct search_index *index, struct body *body, struct err *e)
{
	int result = http_finish(body->exchange, e);

	if (result == 0)
		result = take_response(es, index, body, e);
	else
		err_prefix(e, "search engine %s", es->base);
	http_end(body->exchange);
	body->exchange = NULL;
	if (result != 0) {
		for (size_t i = 0; i < body->sent; i++)
			body->entries[i].again = false;
		return -1;
	}
	return learn(es, body->sent, keep(body), e);
}

/* Until the engine has taken all of a body. */
static int
empty(struct es *es, const struct search_index *index, struct body *body, struct err *e)
{
	while (body->count > 0)
		if ((body->exchange == NULL && begin(es, index, body, e) != 0) || end(es, index, body, e) != 0)
			return -1;
	return 0;
}

/* The body is full: its request begins, and the other body is emptied to be filled meanwhile. */
static int
turn(struct es *es, const struct search_index *index, struct err *e)
{
	struct esbulk *bulk = es->bulk;
	struct body *full = &bulk->bodies[bulk->filling];

	if (bulk->alone)
		return empty(es, index, full, e);
	if (begin(es, index, full, e) != 0)
		return -1;
	bulk->filling = (bulk->filling + 1) % IN_FLIGHT;
	bulk->pushed = 0;
	return empty(es, index, &bulk->bodies[bulk->filling], e);
}

/* Bodies larger than the socket's buffer go out while the next one is written. */
static void
push(struct esbulk *bulk)
{
	size_t written = bulk->bodies[bulk->filling].lines.length;
	struct err ignored;

	if (written - bulk->pushed < PUSH_BYTES && written >= bulk->pushed)
		return;
	bulk->pushed = written;
	for (size_t i = 0; i < IN_FLIGHT; i++)
		/* What breaks is met again where its end is waited for. */
		if (bulk->bodies[i].exchange != NULL)
			(void)!http_pump(bulk->bodies[i].exchange, &ignored);
}

int
esbulk_put(void *self, const struct search_index *index, const struct search_doc *doc, struct err *e)
{
	struct esbulk *bulk = bulk_of(self);

	while (bulk->bodies[bulk->filling].lines.length >= bulk->bytes)
		if (turn(self, index, e) != 0)
			return -1;
	add(bulk, index, doc);
	push(bulk);
	return 0;
}

static int
tell_refused(
    const struct esbulk *bulk, const struct search_index *index, search_refused *refused, void *ctx, struct err *e)
{
	const char **key = buf_calloc(shape_key_parts(index->shape), sizeof *key);
	int result = 0;

	for (size_t i = 0; i < bulk->refusal_count && result == 0; i++) {
		const struct entry *entry = &bulk->refusals[i].entry;
		const struct search_doc doc = {.key = key, .version = entry->version, .deleted = entry->deleted};

		buf_texts(bulk->refused_keys.bytes + entry->key, key, shape_key_parts(index->shape));
		result = refused(ctx, &doc, bulk->refusals[i].reason, e);
	}
	free(key);
	return result;
}

int
esbulk_settle(void *self, const struct search_index *index, search_refused *refused, void *ctx, struct err *e)
{
	struct esbulk *bulk = bulk_of(self);
	struct body *last = &bulk->bodies[bulk->filling];
	int result = 0;

	if (!bulk->alone && last->count > 0 && last->exchange == NULL && begin(self, index, last, e) != 0)
		return -1;
	/* The older one first. */
	for (size_t i = 1; i <= IN_FLIGHT; i++)
		if (empty(self, index, &bulk->bodies[(bulk->filling + i) % IN_FLIGHT], e) != 0)
			return -1;
	if (bulk->refusal_count > 0)
		result = tell_refused(bulk, index, refused, ctx, e);
	forget_refusals(bulk);
	return result;
}
