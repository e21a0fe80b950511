#ifndef TESTS_CONTRACT_FINDS_H
#define TESTS_CONTRACT_FINDS_H

#include "engine.h"
#include "search/query.h"

/* What a query finds, as the keys of its hits. */

static int
note_key(void *ctx, const struct search_hit *hit, struct err *err)
{
	(void)err;
	struct buf *keys = ctx;
	const char *key = hit->id != NULL ? hit->id : hit->values[0];

	buf_printf(keys, "%s%s", keys->length > 0 ? " " : "", key);
	return 0;
}

/* The keys that a query finds, in order, apart by blanks. "WHERE|WHERE|..." may be NULL, as may the sort. */
static struct search_page
run(struct buf *keys, const char *text, const char *where, const char *sort, uint64_t limit)
{
	struct query q;
	struct search_page page;

	query_init(&q);
	q.limit = limit;
	q.total = true;
	OK(query_text(&q, text, &e));
	if (where != NULL) {
		char *list = buf_strdup(where), *rest = list, *one;
		while ((one = strsep(&rest, "|")) != NULL)
			OK(query_where(&q, &shape, one, &e));
		free(list);
	}
	if (sort != NULL)
		OK(query_sort(&q, &shape, sort, &e));
	buf_string(keys, "");
	OK(search_query(search, &dataset, &q, note_key, keys, &page, &e));
	query_fini(&q);
	return page;
}

static void
finds_sorted(const char *text, const char *where, const char *sort, const char *expected)
{
	struct buf keys = {0};
	struct search_page page = run(&keys, text, where, sort, QUERY_ALL);
	uint64_t hits = keys.length > 0;

	for (size_t i = 0; i < keys.length; i++)
		hits += keys.bytes[i] == ' ';
	ck_assert_msg(
	    strcmp(keys.bytes, expected) == 0, "%s, %s: %s, not %s", text, where ? where : "-", keys.bytes, expected);
	ck_assert_uint_eq(page.total, hits);
	ck_assert(page.next == NULL);
	buf_fini(&keys);
}

/* What is found, whatever the order of relevance: sorted by the first column. */
static inline void
finds(const char *text, const char *where, const char *expected)
{
	finds_sorted(text, where, shape.columns[0].name, expected);
}

#endif
