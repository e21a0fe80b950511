#ifndef TESTS_CONTRACT_DOCUMENTS_H
#define TESTS_CONTRACT_DOCUMENTS_H

#include "engine.h"

/* Changes of a row and its document together, and what the index then holds. */

static int
nothing_is_refused(void *ctx, const struct search_doc *doc, const char *reason, struct err *err)
{
	(void)ctx, (void)err;
	ck_abort_msg("%s was refused: %s", doc->key[0], reason);
	return -1;
}

/* Tell the index about one key. */
static void
tell(const char *const *key, int64_t version, bool deleted)
{
	struct search_doc doc = {.key = key, .version = version, .deleted = deleted};

	OK(search_bulk(search, &dataset, &doc, 1, nothing_is_refused, NULL, &e));
}

/* Load a record of a dataset whose key is its first column, and index it. */
static void
put(const char *key, int64_t version, const char *values)
{
	struct buf where = {0}, insert = {0};

	buf_printf(&where, "\"%s\" = ", shape.columns[0].name);
	pg_quote_literal(&where, key);
	buf_printf(&insert, "DELETE FROM public.things WHERE %s; INSERT INTO public.things VALUES (", where.bytes);
	pg_quote_literal(&insert, key);
	buf_printf(&insert, ", %s, %lld)", values, (long long)version);
	sql(insert.bytes);
	tell((const char *const[]){key}, version, false);
	buf_fini(&insert);
	buf_fini(&where);
}

static inline void
holds(uint64_t expected)
{
	uint64_t count;

	OK(search_count(search, &dataset, &count, &e));
	ck_assert_uint_eq(count, expected);
}

#endif
