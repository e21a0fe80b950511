#include "search/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "net/retry.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/facet.h"
#include "search/highlight.h"
#include "search/query.h"
#include "search/search_driver.h"
#include "search/search_put.h"

struct search {
	const struct search_driver *driver;
	void *self;
};

/* A deadlock or a killed connection is over at once; a server that comes up again takes seconds. */
static const struct retry_policy policy = {.tries = 6, .time = 15000, .base = 50, .cap = 5000};

static const struct search_driver *
driver_of(const char *url)
{
	const struct search_driver *const drivers[] = {pgindex_driver(), es_driver()};
	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
		if (strncmp(url, drivers[i]->scheme, strlen(drivers[i]->scheme)) == 0)
			return drivers[i];
	return NULL;
}

struct search *
search_open(const struct search_options *options, struct err *e)
{
	const struct search_driver *driver = driver_of(options->url);
	if (!driver) {
		err_set(e, ERR_CONFIG, "no search engine for URL \"%s\"; hint: pg:, es+http://HOST:9200", options->url);
		return NULL;
	}
	struct search *search = buf_calloc(1, sizeof *search);
	struct retry retry;

	search->driver = driver;
	retry_start(&retry, &policy, clk_system());
	do
		search->self = driver->open(options, e);
	while (!search->self && retry_again(&retry, e));
	if (!search->self) {
		free(search);
		return NULL;
	}
	return search;
}

void
search_close(struct search *search)
{
	if (!search)
		return;
	search->driver->close(search->self);
	free(search);
}

unsigned
search_capabilities(const struct search *search)
{
	return search->driver->capabilities;
}

int
search_missing(const struct search_index *index, struct err *e)
{
	return err_set(e, ERR_NOINPUT,
	    "%s.%s has no search index; hint: csvp-index JOB, or csvp-admin create-index if the index was lost",
	    index->schema, index->table);
}

static void
check_index(const struct search_index *index)
{
	assert(index->dataset > 0 && index->schema && index->table && index->shape && index->born);
	(void)index;
}

int
search_create(struct search *search, const struct search_index *index, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->create(search->self, index, e);
	while (result != 0 && retry_again(&retry, e));
	return result;
}

int
search_exists(struct search *search, const struct search_index *index, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->exists(search->self, index, e);
	while (result < 0 && retry_again(&retry, e));
	return result;
}

static int
put_all(struct search *search, const struct search_index *index, const struct search_doc *docs, size_t count,
    search_refused *refused, void *ctx, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (search_put(search, index, &docs[i], e) != 0)
			return -1;
	return search_settle(search, index, refused, ctx, e);
}

int
search_bulk(struct search *search, const struct search_index *index, const struct search_doc *docs, size_t count,
    search_refused *refused, void *ctx, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	assert(refused);
	if (count == 0)
		return 0;
	if (search->driver->put != NULL)
		return put_all(search, index, docs, count, refused, ctx, e);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->bulk(search->self, index, docs, count, e);
	while (result != 0 && retry_again(&retry, e));
	return result;
}

int
search_put(struct search *search, const struct search_index *index, const struct search_doc *doc, struct err *e)
{
	struct retry retry;

	if (search->driver->put(search->self, index, doc, e) == 0)
		return 0;
	retry_start(&retry, &policy, clk_system());
	while (retry_again(&retry, e))
		if (search->driver->put(search->self, index, doc, e) == 0)
			return 0;
	search_discard(search);
	return -1;
}

int
search_settle(
    struct search *search, const struct search_index *index, search_refused *refused, void *ctx, struct err *e)
{
	struct retry retry;
	int result;

	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->settle(search->self, index, refused, ctx, e);
	while (result != 0 && retry_again(&retry, e));
	if (result != 0)
		search_discard(search);
	return result;
}

void
search_discard(struct search *search)
{
	search->driver->discard(search->self);
}

int
search_refresh(struct search *search, const struct search_index *index, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->refresh(search->self, index, e);
	while (result != 0 && retry_again(&retry, e));
	return result;
}

int
search_finish(struct search *search, const struct search_index *index, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->finish(search->self, index, e);
	while (result != 0 && retry_again(&retry, e));
	return result;
}

int
search_count(struct search *search, const struct search_index *index, uint64_t *count, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->count(search->self, index, count, e);
	while (result != 0 && retry_again(&retry, e));
	return result;
}

int
search_drop(struct search *search, const struct search_index *index, struct err *e)
{
	struct retry retry;
	int result;

	check_index(index);
	retry_start(&retry, &policy, clk_system());
	do
		result = search->driver->drop(search->self, index, e);
	while (result != 0 && retry_again(&retry, e));
	return result;
}

/* The caller's callback, and whether it has seen anything yet. */
struct watched {
	search_each *each;
	void *ctx;
	bool begun;
	struct highlight *highlight; /* NULL: no marks are wanted */
};

static int
watch(void *ctx, const struct search_hit *hit, struct err *e)
{
	struct watched *watched = ctx;
	struct search_hit marked = *hit;

	watched->begun = true;
	if (watched->highlight == NULL)
		return watched->each(watched->ctx, hit, e);
	marked.marked = highlight_hit(watched->highlight, hit);
	return watched->each(watched->ctx, &marked, e);
}

void
search_page_fini(struct search_page *page)
{
	free(page->next);
	free(page->mistyped);
	page->next = page->mistyped = NULL;
	facet_free(page);
}

static int
run_query(struct search *search, const struct search_index *index, const struct query *query, const struct buf *from,
    struct watched *watched, struct search_page *page, struct buf *next, struct err *e)
{
	struct retry retry;
	int result;

	retry_start(&retry, &policy, clk_system());
	do {
		*page = (struct search_page){0};
		buf_reset(next);
		result = search->driver->query(search->self, index, query, from, watch, watched, page, next, e);
		if (result != 0)
			search_page_fini(page);
	} while (result != 0 && !watched->begun && !page->expired && retry_again(&retry, e));
	return result;
}

int
search_query(struct search *search, const struct search_index *index, const struct query *query, search_each *each,
    void *ctx, struct search_page *page, struct err *e)
{
	struct watched watched = {.each = each, .ctx = ctx};
	struct buf from = {0}, next = {0};
	uint64_t binding;
	int result = 0;

	check_index(index);
	assert(query->sort < (ssize_t)index->shape->count);
	if (query->marks[0] != NULL)
		watched.highlight = highlight_new(query, index->shape);
	binding = cursor_binding(search->driver->scheme, index, query);
	if (query->cursor != NULL)
		result = cursor_unseal(query->cursor, binding, &from, e);
	if (result == 0)
		result =
		    run_query(search, index, query, query->cursor != NULL ? &from : NULL, &watched, page, &next, e);
	if (result == 0 && next.length > 0)
		page->next = cursor_seal(binding, &next);
	highlight_free(watched.highlight);
	buf_fini(&next);
	buf_fini(&from);
	return result;
}
