#ifndef TESTS_CONTRACT_DOCUMENTS_H
#define TESTS_CONTRACT_DOCUMENTS_H

#include "engine.h"
#include "table/rows.h"
#include "table/target.h"

/* Changes of a row and its document together, and what the index then holds. */

static int
nothing_is_refused(void *ctx, const struct search_doc *doc, const char *reason, struct err *err)
{
	(void)ctx, (void)err;
	ck_abort_msg("%s was refused: %s", doc->key[0], reason);
	return -1;
}

/* The values of documents, for engines that want them. */
struct row_values {
	struct search_doc *docs;
	char ***values;
};

static int
note_row(void *ctx, int64_t key, const char *const *values, int64_t version, struct err *err)
{
	struct row_values *rows = ctx;

	(void)version, (void)err;
	for (size_t i = 0; i < shape.count; i++)
		rows->values[key][i] = values[i] != NULL ? buf_strdup(values[i]) : NULL;
	return 0;
}

/* Bring documents to the index, with the versions they say and the values that their rows have (or none have). */
static void
bring(struct search_doc *docs, size_t count)
{
	size_t parts = shape.key_count > 0 ? shape.key_count : 1;
	struct target target = {.schema = dataset.schema, .name = dataset.table, .shape = &shape};
	struct row_values rows = {docs, buf_calloc(count, sizeof *rows.values)};
	const char **keys = buf_calloc(count * parts, sizeof *keys);

	for (size_t i = 0; i < count; i++) {
		memcpy(keys + i * parts, docs[i].key, parts * sizeof *keys);
		rows.values[i] = buf_calloc(shape.count, sizeof **rows.values);
	}
	if ((search_capabilities(search) & SEARCH_WANTS_VALUES) != 0) {
		OK(pg_begin(pg, &e));
		OK(rows_by_key(pg, &target, keys, count, note_row, &rows, &e));
		OK(pg_commit(pg, &e));
		for (size_t i = 0; i < count; i++)
			docs[i].values = docs[i].deleted ? NULL : (const char *const *)rows.values[i];
	}
	OK(search_bulk(search, &dataset, docs, count, nothing_is_refused, NULL, &e));
	OK(search_refresh(search, &dataset, &e));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < shape.count; k++)
			free(rows.values[i][k]);
		free(rows.values[i]);
	}
	free(rows.values);
	free(keys);
}

/* Tell the index about one key. */
static void
tell(const char *const *key, int64_t version, bool deleted)
{
	struct search_doc doc = {.key = key, .version = version, .deleted = deleted};

	bring(&doc, 1);
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
