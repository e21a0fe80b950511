#include "flow/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "ledger/index_generation.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/facet.h"
#include "search/query.h"

/*
 * Lists of values (cursor_put): the columns' names and types, "" behind them;
 * for each hit "hit", version, id, a value for each column, and "marked" with a
 * text for each column or "plain"; for each facet "facet", the column, other,
 * missing, exact, how many values, and each with its count; "page", total,
 * ranked, the next cursor, and the words mistyped.
 */
#define HIT "hit"
#define MARKED "marked"
#define PLAIN "plain"
#define FACET "facet"
#define PAGE "page"

/* Whoever gives these a new member gives it a place below, and another number here. */
_Static_assert(sizeof(struct query) == 104 || sizeof(void *) != 8, "answer_key has a place for every member");
_Static_assert(sizeof(struct search_hit) == 40 || sizeof(void *) != 8, "answer_hit has a place for every member");
_Static_assert(sizeof(struct search_page) == 48 || sizeof(void *) != 8, "answer_end has a place for every member");

static void
put_number(struct buf *answer, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, number);
	cursor_put(answer, text);
}

void
answer_key(struct buf *key, const struct index_generation *generation, const char *engine,
    const struct search_index *index, const struct query *query)
{
	buf_printf(key, "csvp:2:%s:", generation->text);
	cursor_describe(engine, index, query, key);
	put_number(key, query->limit);
	put_number(key, query->total);
	cursor_put(key, query->cursor);
	cursor_put(key, query->marks[0]);
	cursor_put(key, query->marks[1]);
	for (size_t i = 0; i < query->facet_count; i++)
		put_number(key, query->facets[i]);
}

void
answer_begin(struct buf *answer, const struct shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		cursor_put(answer, shape->columns[i].name);
		cursor_put(answer, type_sql(shape->columns[i].type));
	}
	cursor_put(answer, "");
}

void
answer_hit(struct buf *answer, const struct shape *shape, const struct search_hit *hit)
{
	cursor_put(answer, HIT);
	put_number(answer, (uint64_t)hit->version);
	cursor_put(answer, hit->id);
	for (size_t i = 0; i < shape->count; i++)
		cursor_put(answer, hit->values[i]);
	cursor_put(answer, hit->marked != NULL ? MARKED : PLAIN);
	for (size_t i = 0; i < shape->count && hit->marked != NULL; i++)
		cursor_put(answer, hit->marked[i]);
}

static void
put_facet(struct buf *answer, const struct facet *f)
{
	cursor_put(answer, FACET);
	put_number(answer, f->column);
	put_number(answer, f->other);
	put_number(answer, f->missing);
	put_number(answer, f->exact);
	put_number(answer, f->count);
	for (size_t i = 0; i < f->count; i++) {
		cursor_put(answer, f->values[i].value);
		put_number(answer, f->values[i].count);
	}
}

void
answer_end(struct buf *answer, const struct search_page *page)
{
	for (size_t i = 0; i < page->facet_count; i++)
		put_facet(answer, &page->facets[i]);
	cursor_put(answer, PAGE);
	put_number(answer, page->total);
	put_number(answer, page->ranked);
	cursor_put(answer, page->next);
	cursor_put(answer, page->mistyped);
}

static bool
take_text(const struct buf *answer, size_t *at, const char *expected)
{
	const char *text;

	return cursor_take(answer, at, &text) && text != NULL && strcmp(text, expected) == 0;
}

static bool
take_number(const struct buf *answer, size_t *at, uint64_t *number)
{
	const char *text;

	return cursor_take(answer, at, &text) && text != NULL && num_uint64(text, number);
}

static bool
take_columns(const struct buf *answer, size_t *at, const struct shape *shape)
{
	for (size_t i = 0; i < shape->count; i++)
		if (!take_text(answer, at, shape->columns[i].name) ||
		    !take_text(answer, at, type_sql(shape->columns[i].type)))
			return false;
	return take_text(answer, at, "");
}

/* A hit: its values, and its marked texts behind them. */
static bool
take_hit(const struct buf *answer, size_t *at, size_t columns, struct search_hit *hit, const char **values)
{
	const char *kind;
	uint64_t number;

	if (!take_number(answer, at, &number) || !cursor_take(answer, at, &hit->id))
		return false;
	*hit = (struct search_hit){.values = values, .id = hit->id, .version = (int64_t)number};
	for (size_t i = 0; i < columns; i++)
		if (!cursor_take(answer, at, &values[i]))
			return false;
	if (!cursor_take(answer, at, &kind) || kind == NULL)
		return false;
	if (strcmp(kind, PLAIN) == 0)
		return true;
	hit->marked = values + columns;
	for (size_t i = 0; i < columns; i++)
		if (!cursor_take(answer, at, &values[columns + i]))
			return false;
	return strcmp(kind, MARKED) == 0;
}

static bool
take_facet(const struct buf *answer, size_t *at, size_t columns, struct search_page *page)
{
	uint64_t column, exact, count;
	struct facet f = {0}, *facet;

	if (!take_number(answer, at, &column) || !take_number(answer, at, &f.other) ||
	    !take_number(answer, at, &f.missing) || !take_number(answer, at, &exact) ||
	    !take_number(answer, at, &count) || column >= columns || count > FACET_MOST_VALUES)
		return false;
	f.column = column;
	f.exact = exact != 0;
	page->facets = buf_realloc(page->facets, page->facet_count + 1, sizeof *page->facets);
	facet = &page->facets[page->facet_count++];
	*facet = f;
	for (; facet->count < count; facet->count++) {
		struct facet_value *v = &facet->values[facet->count];
		const char *value;

		if (!cursor_take(answer, at, &value) || value == NULL || !take_number(answer, at, &v->count))
			return false;
		v->value = buf_strdup(value);
	}
	return true;
}

/* What comes next: a hit, 1; the page, 0; neither, -1. Facets on the way go into the page. */
static int
take_next(const struct buf *answer, size_t *at, size_t columns, struct search_hit *hit, const char **values,
    struct search_page *page)
{
	uint64_t number;
	const char *kind, *next, *mistyped;

	if (!cursor_take(answer, at, &kind) || kind == NULL)
		return -1;
	if (strcmp(kind, HIT) == 0)
		return take_hit(answer, at, columns, hit, values) ? 1 : -1;
	while (strcmp(kind, FACET) == 0)
		if (!take_facet(answer, at, columns, page) || !cursor_take(answer, at, &kind) || kind == NULL)
			return -1;
	if (strcmp(kind, PAGE) != 0 || !take_number(answer, at, &page->total) || !take_number(answer, at, &number) ||
	    !cursor_take(answer, at, &next) || !cursor_take(answer, at, &mistyped) || *at != answer->length)
		return -1;
	page->ranked = number != 0;
	page->next = next != NULL ? buf_strdup(next) : NULL;
	page->mistyped = mistyped != NULL ? buf_strdup(mistyped) : NULL;
	return 0;
}

bool
answer_valid(const struct buf *answer, const struct shape *shape)
{
	const char **values = buf_calloc(2 * shape->count, sizeof *values);
	struct search_page page = {0};
	struct search_hit hit;
	int more = -1;
	size_t at = 0;

	if (take_columns(answer, &at, shape))
		do
			more = take_next(answer, &at, shape->count, &hit, values, &page);
		while (more > 0);
	search_page_fini(&page);
	free(values);
	return more == 0;
}

int
answer_give(const struct buf *answer, const struct shape *shape, search_each *each, void *ctx, struct search_page *page,
    struct err *e)
{
	const char **values = buf_calloc(2 * shape->count, sizeof *values);
	struct search_hit hit;
	int more = -1, result = 0;
	size_t at = 0;

	*page = (struct search_page){0};
	if (take_columns(answer, &at, shape))
		while (result == 0 && (more = take_next(answer, &at, shape->count, &hit, values, page)) > 0)
			result = each(ctx, &hit, e);
	free(values);
	if (result == 0 && more != 0)
		return err_set(e, ERR_BUG, "a cached answer that is damaged was given");
	return result;
}
