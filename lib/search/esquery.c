#include "search/esquery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/num.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/es.h"
#include "search/esdoc.h"
#include "search/esfacet.h"
#include "search/esindex.h"
#include "schema/json.h"
#include "search/esmatch.h"
#include "search/esnear.h"
#include "search/espit.h"
#include "search/essort.h"
#include "search/esvalue.h"
#include "search/query.h"
#include "search/search_driver.h"

/* Hits asked for at a time (the engine's limit is 10,000), and about how many bytes of them. */
#define FIRST_HITS 101
#define MOST_HITS 5000
#define ANSWER_BYTES ((size_t)4 << 20)

static const char order_letters[] = {[ESSORT_SCORE] = 'r', [ESSORT_KEY] = 'k', [ESSORT_COLUMN] = 'c'};

/* A query being answered. */
struct run {
	struct es *es;
	const struct search_index *index;
	const struct query *query;
	enum essort_order order;
	struct buf match;
	char **near; /* for each term NULL, or the words that it stands for */

	/* The place behind which to go on: texts of the index (esvalue.h) as last seen. */
	bool going_on;
	struct buf last; /* a state (cursor.h): the value sorted by, then the key's */

	/* ESSORT_SCORE: the point in time, and what the index was like. */
	char *pit;
	struct buf state;
	bool trying; /* without a point in time, as long as one answer holds all */

	search_each *each;
	void *ctx;
	const char **values;
	uint64_t passed; /* hits of this page */
	bool more;
	size_t largest; /* bytes of a hit, on the average of the largest answer */
	struct search_page *page;
};

static int
damaged(struct err *e)
{
	return err_set(e, ERR_USAGE, "the cursor is damaged; hint: give it whole, as the page before printed it");
}

/* A number as the engine writes scores. */
static bool
is_score(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	return *text >= '0' && *text <= '9' && *end == '\0' && strspn(text, "0123456789.eE+-") == strlen(text) &&
	       value <= 1e30;
}

/* Could a page end with this value? No value is one, too, in a column. */
static bool
may_be_last(const struct run *r, const char *value)
{
	if (value == NULL)
		return r->order != ESSORT_SCORE;
	if (r->order == ESSORT_SCORE)
		return is_score(value);
	return r->order == ESSORT_COLUMN && esvalue_check(r->index->shape->columns[r->query->sort].type, value);
}

/* The words that mistyped terms stand for: pairs of the term's number and its words. */
static int
read_near(struct run *r, const struct buf *from, size_t *at, struct err *e)
{
	const char *number, *words;
	uint64_t term;

	while (cursor_take(from, at, &number)) {
		if (number == NULL || !num_uint64(number, &term) || term >= r->query->term_count ||
		    r->near[term] != NULL || !cursor_take(from, at, &words) || words == NULL ||
		    !esvalue_check(TYPE_TEXT, words))
			return damaged(e);
		r->near[term] = buf_strdup(words);
	}
	return 0;
}

/*
 * A state is the order's letter, the point in time and the index's state (both
 * only by score), the value, the key, and what mistyped terms stand for.
 */
static int
read_state(struct run *r, const struct buf *from, struct err *e)
{
	const char *letter, *order, *pit = NULL, *state = NULL, *value;
	size_t at = 0;

	if (!cursor_take(from, &at, &letter) || letter == NULL || strlen(letter) != 1 ||
	    (order = memchr(order_letters, *letter, sizeof order_letters)) == NULL)
		return damaged(e);
	/* The binding tells what query it is, but not what a forger makes of it. */
	if ((enum essort_order)(order - order_letters) != r->order)
		return damaged(e);
	if (r->order == ESSORT_SCORE &&
	    (!cursor_take(from, &at, &pit) || !cursor_take(from, &at, &state) || state == NULL))
		return damaged(e);
	if (!cursor_take(from, &at, &value))
		return damaged(e);
	if (!may_be_last(r, value))
		return damaged(e);
	cursor_put(&r->last, value);
	for (size_t i = 0; i < shape_key_parts(r->index->shape); i++) {
		if (!cursor_take(from, &at, &value) || value == NULL ||
		    !esvalue_check(shape_key_type(r->index->shape, i), value))
			return damaged(e);
		cursor_put(&r->last, value);
	}
	if (read_near(r, from, &at, e) != 0 || at != from->length)
		return damaged(e);
	if (pit != NULL)
		r->pit = buf_strdup(pit);
	if (state != NULL)
		buf_string(&r->state, state);
	r->going_on = true;
	return 0;
}

static void
write_state(struct run *r, struct buf *next)
{
	const char letter[] = {order_letters[r->order], '\0'};

	cursor_put(next, letter);
	if (r->order == ESSORT_SCORE) {
		cursor_put(next, r->pit);
		cursor_put(next, r->state.bytes);
	}
	buf_append(next, r->last.bytes, r->last.length);
	for (size_t i = 0; i < r->query->term_count; i++) {
		char number[24];

		if (r->near[i] == NULL)
			continue;
		snprintf(number, sizeof number, "%zu", i);
		cursor_put(next, number);
		cursor_put(next, r->near[i]);
	}
}

static void
write_search(struct buf *json, const struct run *r, uint64_t size, bool first)
{
	buf_printf(json, "{\"size\":%" PRIu64 ",\"version\":true,\"track_total_hits\":", size);
	if (r->trying && !r->query->total)
		buf_printf(json, "%" PRIu64, size);
	else
		buf_string(json, first && r->query->total ? "true" : "false");
	buf_printf(json, ",\"query\":%s", r->match.bytes);
	if (first)
		esfacet_write(json, r->index, r->query);
	if (size > 0) {
		essort_write(json, r->index, r->query, r->order);
		if (r->going_on)
			essort_after(json, r->index, r->query, r->order, &r->last);
	}
	if (r->pit != NULL) {
		buf_string(json, ",\"pit\":{\"keep_alive\":\"" ESPIT_KEEP "\",\"id\":");
		type_to_json(TYPE_TEXT, json, r->pit, strlen(r->pit));
		buf_byte(json, '}');
	}
	buf_byte(json, '}');
}

/* Ask once, the first time with all that is to be known of all matches. 0 with the answer in es->response, 1 if the point in time is gone, -1. */
static int
ask(struct run *r, uint64_t size, bool first, struct err *e)
{
	struct buf json = {0};
	char *alias = es_alias(r->es, r->index), *path;
	int result;

	write_search(&json, r, size, first);
	/* With a point in time the index is that of the time. */
	path = r->pit != NULL ? buf_strdup("/_search?allow_partial_search_results=false")
			      : buf_format("/%s/_search?allow_partial_search_results=false", alias);
	result = es_ask(r->es, "POST", path, &json, e);
	free(path);
	free(alias);
	buf_fini(&json);
	if (result != 0 || r->es->response.status == 200)
		return result;
	if (r->pit != NULL && r->es->response.status == 404)
		return 1;
	if (r->es->response.status == 404)
		return search_missing(r->index, e);
	if (r->es->response.status == 400 && r->going_on && r->passed == 0)
		return damaged(e);
	es_failed(r->es, &r->es->response, e);
	/* Fields that csvp makes can be sorted and counted by. */
	if (r->es->response.status == 400 && (r->query->sort >= 0 || r->query->facet_count > 0))
		return esindex_changed(r->es, r->index, e);
	return -1;
}

/* Where this hit stands in the order. */
static int
note_place(struct run *r, const char *score, const char *id, struct err *e)
{
	struct buf form = {0};
	int result = 0;

	buf_reset(&r->last);
	if (r->order == ESSORT_COLUMN && r->values[r->query->sort] != NULL) {
		buf_string(&form, "");
		if (!esvalue_write(r->index->shape->columns[r->query->sort].type, &form, r->values[r->query->sort]))
			result = es_nonsense(e);
		cursor_put(&r->last, form.bytes);
	} else {
		cursor_put(&r->last, r->order == ESSORT_SCORE ? score : NULL);
	}
	for (size_t i = 0; i < shape_key_parts(r->index->shape); i++) {
		const char *value = r->index->shape->key_count == 0 ? id : r->values[r->index->shape->key[i]];

		buf_reset(&form);
		buf_string(&form, "");
		if (value == NULL || !esvalue_write(shape_key_type(r->index->shape, i), &form, value))
			result = es_nonsense(e);
		cursor_put(&r->last, form.bytes);
	}
	buf_fini(&form);
	return result;
}

/* {"_id":"..","_version":5,"_score":1.5,"_source":{...},"sort":[...]} */
static int
take_hit(struct run *r, struct json *j, struct err *e)
{
	const char *score = NULL, *id = NULL, *version = NULL;
	struct search_hit hit = {.values = r->values, .near = r->near};
	bool read = false;
	char *name;

	if (!json_object(j))
		return es_nonsense(e);
	while (json_member(j, &name)) {
		if (strcmp(name, "_source") == 0)
			read = esdoc_read(j, r->index, r->values, &id);
		else if (strcmp(name, "_version") == 0)
			version = json_text(j);
		else if (strcmp(name, "_score") == 0)
			score = json_text(j);
		else
			json_skip(j);
	}
	if (!read || j->bad || version == NULL || !num_int64(version, &hit.version) ||
	    (r->order == ESSORT_SCORE && score == NULL))
		return es_nonsense(e);
	if (r->passed == r->query->limit) {
		r->more = true;
		return 0;
	}
	if (note_place(r, score, id, e) != 0)
		return -1;
	r->passed++;
	hit.id = id;
	return r->each(r->ctx, &hit, e);
}

/* {"value":5,"relation":"eq"} */
static int
take_total(struct run *r, struct json *j, bool first, uint64_t *total, struct err *e)
{
	char *name, *text;

	*total = 0;
	if (!json_object(j))
		return es_nonsense(e);
	while (json_member(j, &name))
		if (strcmp(name, "value") != 0)
			json_skip(j);
		else if ((text = json_text(j)) == NULL || !num_uint64(text, total))
			return es_nonsense(e);
	if (first && r->query->total)
		r->page->total = *total;
	return 0;
}

/* {"total":{"value":5},"hits":[...]}; 1 before the first hit if one answer does not hold all, and should. */
static int
take_hits(struct run *r, struct json *j, bool first, uint64_t size, uint64_t *hits, struct err *e)
{
	/* A server that says nothing of it may have more. */
	uint64_t total = UINT64_MAX;
	char *name;

	while (json_member(j, &name)) {
		if (strcmp(name, "total") == 0) {
			if (take_total(r, j, first, &total, e) != 0)
				return -1;
		} else if (strcmp(name, "hits") == 0 && json_array(j)) {
			if (r->trying && total >= size)
				return 1;
			for (; json_element(j); ++*hits)
				if (take_hit(r, j, e) != 0)
					return -1;
		} else {
			json_skip(j);
		}
	}
	return 0;
}

/* {"took":3,"pit_id":"..","hits":{...}}; *hits gets their number. 1 as take_hits. */
static int
take_answer(struct run *r, bool first, uint64_t size, uint64_t *hits, struct err *e)
{
	struct json j;
	char *name, *text;
	int result;

	*hits = 0;
	if (!es_answer(r->es, &j, e))
		return -1;
	while (json_member(&j, &name)) {
		if (strcmp(name, "took") == 0) {
			text = json_text(&j);
			log_detail("search engine: %s ms", text != NULL ? text : "?");
		} else if (strcmp(name, "pit_id") == 0 && r->pit != NULL) {
			if ((text = json_text(&j)) == NULL)
				return es_nonsense(e);
			free(r->pit);
			r->pit = buf_strdup(text);
		} else if (strcmp(name, "aggregations") == 0 && first) {
			if (!esfacet_read(&j, r->index, r->query, r->page))
				return es_nonsense(e);
		} else if (strcmp(name, "hits") == 0 && json_object(&j)) {
			result = take_hits(r, &j, first, size, hits, e);
			if (result != 0)
				return result;
		} else {
			json_skip(&j);
		}
	}
	return j.bad ? es_nonsense(e) : 0;
}

/*
 * The point in time of the cursor is gone, with the server or by its age. If
 * nothing was written since, the scores are what they were, and a new one will
 * do; else the order that the pages had is lost.
 */
static int
renew(struct run *r, struct err *e)
{
	struct buf state = {0};
	int result;

	free(r->pit);
	r->pit = NULL;
	result = espit_state(r->es, r->index, &state, e);
	if (result == 0 && strcmp(state.bytes, r->state.bytes) != 0) {
		r->page->expired = true;
		result = err_set(e, ERR_AGAIN,
		    "the index has changed since the first page, and the order by relevance is lost; hint: begin "
		    "again, or use --sort");
	}
	buf_fini(&state);
	return result == 0 ? espit_open(r->es, r->index, &r->pit, e) : -1;
}

/* Before the first page by score, if there are more: a point in time, and what the index is like. */
static int
fix(struct run *r, struct err *e)
{
	r->trying = false;
	buf_reset(&r->state);
	if (espit_state(r->es, r->index, &r->state, e) != 0)
		return -1;
	return espit_open(r->es, r->index, &r->pit, e);
}

/* How many to ask for: one more than wanted tells whether there is more. */
static uint64_t
next_size(const struct run *r)
{
	uint64_t left = r->query->limit - r->passed;
	size_t most = r->largest > 0 ? ANSWER_BYTES / r->largest : FIRST_HITS;

	if (most > MOST_HITS)
		most = MOST_HITS;
	if (most < 2)
		most = 2;
	return left < most ? left + 1 : most;
}

/* Ask until the point in time, if there is one, lives. */
static int
ask_living(struct run *r, uint64_t size, bool first, struct err *e)
{
	int gone = ask(r, size, first, e);

	if (gone == 1 && (gone = renew(r, e)) == 0)
		gone = ask(r, size, first, e);
	return gone == 1 ? err_set(e, ERR_AGAIN, "search engine %s forgets its points in time", r->es->base) : gone;
}

/* One answer with its hits; more than one: all of them from one point in time. */
static int
read_answer(struct run *r, uint64_t size, bool first, uint64_t *hits, struct err *e)
{
	int more = ask_living(r, size, first, e);

	if (more == 0)
		more = take_answer(r, first, size, hits, e);
	if (more == 1 && fix(r, e) == 0 && ask_living(r, size, first, e) == 0)
		more = take_answer(r, first, size, hits, e);
	return more == 0 ? 0 : -1;
}

/* The hits of a page, request by request. */
static int
read_page(struct run *r, struct err *e)
{
	bool first = true;
	uint64_t size, hits;

	buf_reset(&r->match);
	esmatch_write(&r->match, r->index, r->query, r->near);
	do {
		size = r->query->limit > 0 ? next_size(r) : 0;
		if (read_answer(r, size, first, &hits, e) != 0)
			return -1;
		if (hits > 0 && r->es->response.body.length / hits > r->largest)
			r->largest = r->es->response.body.length / hits;
		first = false;
		r->going_on |= hits > 0;
	} while (hits == size && size > 0 && !r->more);
	return 0;
}

/* A query that finds something has no mistyped word: all its words are in a document. */
static int
read_first_page(struct run *r, struct err *e)
{
	bool found = false;

	r->trying = r->page->ranked;
	if (read_page(r, e) != 0)
		return -1;
	if (r->passed > 0 || r->page->total > 0)
		return 0;
	if (esnear_find(r->es, r->index, r->query, r->near, e) != 0)
		return -1;
	for (size_t i = 0; i < r->query->term_count; i++)
		found |= r->near[i] != NULL;
	return found ? read_page(r, e) : 0;
}

/* Tell which terms stood for others. */
static void
tell_near(const struct run *r)
{
	struct buf terms = {0};

	for (size_t i = 0; i < r->query->term_count; i++)
		if (r->near[i] != NULL)
			buf_printf(&terms, "%s%s", terms.length > 0 ? " " : "", r->query->terms[i].text);
	if (terms.length > 0)
		r->page->mistyped = buf_detach(&terms);
}

static int
answer(struct run *r, const struct buf *from, struct err *e)
{
	r->order = r->query->sort >= 0 ? ESSORT_COLUMN : r->query->term_count > 0 ? ESSORT_SCORE : ESSORT_KEY;
	if (from != NULL && read_state(r, from, e) != 0)
		return -1;
	r->page->ranked = r->order == ESSORT_SCORE && r->query->limit > 0;
	if (from != NULL && r->page->ranked && r->pit == NULL && renew(r, e) != 0)
		return -1;
	if ((from != NULL ? read_page(r, e) : read_first_page(r, e)) != 0)
		return -1;
	tell_near(r);
	return 0;
}

int
esquery_run(void *self, const struct search_index *index, const struct query *query, const struct buf *from,
    search_each *each, void *ctx, struct search_page *page, struct buf *next, struct err *e)
{
	struct run r = {.es = self, .index = index, .query = query, .each = each, .ctx = ctx, .page = page};
	int result;

	r.values = buf_calloc(index->shape->count + 1, sizeof *r.values);
	r.near = buf_calloc(query->term_count + 1, sizeof *r.near);
	result = answer(&r, from, e);
	if (result == 0 && r.more)
		write_state(&r, next);
	else if (r.pit != NULL && result == 0)
		espit_close(r.es, r.pit);
	for (size_t i = 0; i < query->term_count; i++)
		free(r.near[i]);
	free(r.near);
	free(r.pit);
	buf_fini(&r.state);
	buf_fini(&r.last);
	buf_fini(&r.match);
	free(r.values);
	return result;
}
