#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "search/pgquery.h"
#include "search/pgsql.h"
#include "search/pgwords.h"
#include "search/search_driver.h"

struct pgindex {
	char *conninfo;
	struct pg *pg; /* NULL before the first call and after a lost connection */
};

static int
connect_once(struct pgindex *self, struct err *e)
{
	/* A handle may have been at rest while the server was started anew. */
	if (self->pg && pg_rested(self->pg))
		return 0;
	pg_close(self->pg);
	self->pg = pg_open(self->conninfo, e);
	return self->pg ? 0 : -1;
}

/* After a failed call: nothing stays open, and a missing index says what to do. Returns -1. */
static int
failed(struct pgindex *self, const struct search_index *index, struct err *e)
{
	if (!self->pg)
		return -1;
	if (strcmp(pg_sqlstate(self->pg), "42P01") == 0)
		search_missing(index, e);
	pg_rollback(self->pg);
	if (pg_lost(self->pg)) {
		pg_close(self->pg);
		self->pg = NULL;
	}
	return -1;
}

static void *
pgindex_open(const struct search_options *options, struct err *e)
{
	struct pgindex *self = buf_calloc(1, sizeof *self);

	(void)e;
	self->conninfo = buf_strdup(options->conninfo);
	return self;
}

static void
pgindex_close(void *ctx)
{
	struct pgindex *self = ctx;
	pg_close(self->pg);
	free(self->conninfo);
	free(self);
}

/* Does the table or index csvp.NAME exist? 1, 0, -1. */
static int
exists(struct pg *pg, const char *name, struct err *e)
{
	struct pg_rows *rows;
	if (PG_QUERY(pg, &rows, e, "SELECT to_regclass($1) IS NOT NULL", name) != 0)
		return -1;
	int result = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return result;
}

/* Documents and words: 1, 0 if one of both tables is missing, -1. */
static int
all_there(struct pg *pg, const struct search_index *index, struct err *e)
{
	struct pg_rows *rows;
	char *sql = buf_format("SELECT to_regclass('csvp.doc_%1$" PRId64 "') IS NOT NULL"
			       " AND to_regclass('csvp.word_%1$" PRId64 "') IS NOT NULL",
	    index->dataset);
	int result = pg_query(pg, &rows, e, sql, 0, NULL);

	free(sql);
	if (result != 0)
		return -1;
	result = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return result;
}

static int
pgindex_exists(void *ctx, const struct search_index *index, struct err *e)
{
	struct pgindex *self = ctx;
	int found = connect_once(self, e) == 0 ? all_there(self->pg, index, e) : -1;

	return found >= 0 ? found : failed(self, index, e);
}

static void
write_create(struct buf *sql, const struct search_index *index)
{
	buf_string(sql, "CREATE TABLE IF NOT EXISTS ");
	pgsql_documents(sql, index);
	buf_string(sql, " (");
	for (size_t i = 0; i < shape_key_parts(index->shape); i++) {
		pgsql_key_name(sql, index, i);
		buf_byte(sql, ' ');
		pgsql_key_type(sql, index, i);
		buf_string(sql, pgsql_key_is_text(index, i) ? " COLLATE \"C\", " : ", ");
	}
	buf_string(sql, "_version bigint NOT NULL, _body tsvector NOT NULL, _numbers bigint[], PRIMARY KEY (");
	pgsql_key_names(sql, index, "");
	buf_string(sql, "));");
	pgwords_create(sql, index);
}

static int
pgindex_create(void *ctx, const struct search_index *index, struct err *e)
{
	struct pgindex *self = ctx;
	struct buf sql = {0};
	int found = -1;
	if (connect_once(self, e) != 0)
		goto out;
	found = all_there(self->pg, index, e);
	if (found != 0)
		goto out;
	write_create(&sql, index);
	if (pg_exec(self->pg, sql.bytes, e) == 0)
		found = 1;
	else
		/* Two at once: IF NOT EXISTS does not see the other's uncommitted table, and then trips over it. */
		found = pg_lost(self->pg) || all_there(self->pg, index, &(struct err){0}) != 1 ? -1 : 1;
out:
	buf_fini(&sql);
	return found == 1 ? 0 : failed(self, index, e);
}

/* One part of all the keys as an array literal (PostgreSQL, "Array Input and Output Syntax"). */
static char *
key_array(const struct search_doc *docs, size_t count, size_t part)
{
	struct buf array = {0};
	buf_byte(&array, '{');
	for (size_t i = 0; i < count; i++) {
		buf_string(&array, i > 0 ? ",\"" : "\"");
		for (const char *s = docs[i].key[part]; *s; s++) {
			if (*s == '"' || *s == '\\')
				buf_byte(&array, '\\');
			buf_byte(&array, *s);
		}
		buf_byte(&array, '"');
	}
	buf_byte(&array, '}');
	return buf_detach(&array);
}

static char *
version_array(const struct search_doc *docs, size_t count)
{
	struct buf array = {0};
	buf_byte(&array, '{');
	for (size_t i = 0; i < count; i++)
		buf_printf(&array, "%s%" PRId64, i > 0 ? "," : "", docs[i].version);
	buf_byte(&array, '}');
	return buf_detach(&array);
}

/* The keys that the arrays $1.. hold, each once with its highest version, in order: writers cannot deadlock. */
static void
write_keys(struct buf *sql, const struct search_index *index)
{
	size_t parts = shape_key_parts(index->shape);
	buf_string(sql, "(SELECT ");
	pgsql_key_names(sql, index, "");
	buf_string(sql, ", max(_version) AS _version FROM unnest(");
	for (size_t i = 0; i < parts; i++) {
		buf_printf(sql, "$%zu::", i + 1);
		pgsql_key_type(sql, index, i);
		buf_string(sql, "[], ");
	}
	buf_printf(sql, "$%zu::bigint[]) AS u (", parts + 1);
	pgsql_key_names(sql, index, "");
	buf_string(sql, ", _version) GROUP BY ");
	pgsql_key_names(sql, index, "");
	buf_string(sql, " ORDER BY ");
	pgsql_key_names(sql, index, "");
	buf_string(sql, " OFFSET 0) k");
}

/* The documents of the keys' records, whatever version the record has by now: how many, and the words that are new. */
static void
write_upsert(struct buf *sql, const struct search_index *index)
{
	buf_string(sql, "WITH written AS (INSERT INTO ");
	pgsql_documents(sql, index);
	buf_string(sql, " AS d (");
	pgsql_key_names(sql, index, "");
	buf_string(sql, ", _version, _body, _numbers) SELECT ");
	pgsql_key_names(sql, index, "t.");
	buf_string(sql, ", t._version, ");
	pgsql_body(sql, index);
	buf_string(sql, ", ");
	pgsql_numbers(sql, index);
	buf_string(sql, " FROM ");
	write_keys(sql, index);
	buf_string(sql, " JOIN ");
	pgsql_records(sql, index);
	buf_string(sql, " t ON ");
	pgsql_same_key(sql, index, "t", "k");
	buf_string(sql, " ON CONFLICT (");
	pgsql_key_names(sql, index, "");
	buf_string(sql, ") DO UPDATE SET _version = excluded._version, _body = excluded._body,"
			" _numbers = excluded._numbers"
			" WHERE excluded._version >= d._version RETURNING d._body), missing AS (");
	pgwords_missing(sql, index, "written");
	buf_string(sql, ") SELECT c.count, m.word FROM (SELECT count(*) FROM written) c LEFT JOIN missing m ON true");
}

/* The documents of keys without a record, unless they are of a later one that has come and gone. */
static void
write_delete(struct buf *sql, const struct search_index *index)
{
	buf_string(sql, "DELETE FROM ");
	pgsql_documents(sql, index);
	buf_string(sql, " d USING ");
	write_keys(sql, index);
	buf_string(sql, " WHERE ");
	pgsql_same_key(sql, index, "d", "k");
	buf_string(sql, " AND d._version <= k._version AND NOT EXISTS (SELECT FROM ");
	pgsql_records(sql, index);
	buf_string(sql, " t WHERE ");
	pgsql_same_key(sql, index, "t", "k");
	buf_byte(sql, ')');
}

static int
lock_documents(struct pg *pg, const struct search_index *index, const char *mode, struct err *e)
{
	struct buf sql = {0};
	buf_string(&sql, "LOCK TABLE ");
	pgsql_documents(&sql, index);
	buf_printf(&sql, " IN %s MODE", mode);
	int result = pg_exec_waiting(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

/* Upsert and delete inside the transaction. `exclusive`: something may be there to delete. */
static int
write_documents(struct pg *pg, const struct search_index *index, size_t count, const char *const *params, struct err *e)
{
	size_t param_count = shape_key_parts(index->shape) + 1;
	struct buf upsert = {0}, delete = {0};
	struct pg_rows *rows = NULL;
	write_upsert(&upsert, index);
	write_delete(&delete, index);
	int result = pg_query(pg, &rows, e, upsert.bytes, param_count, params);
	if (result == 0)
		result = pgwords_add(pg, index, rows, 1, e);
	/* If every key was written, all records are there. */
	if (result == 0 && (uint64_t)pg_rows_int(rows, 0, 0) != count)
		result = pg_query(pg, NULL, e, delete.bytes, param_count, params);
	pg_rows_free(rows);
	buf_fini(&delete);
	buf_fini(&upsert);
	return result;
}

/*
 * A writer that has read a record just before its deletion may write the
 * document just after the deletion's writer has looked for it. So who deletes
 * first waits until every open writer has committed, and lets no new one read.
 */
static const char *
lock_mode(const struct search_doc *docs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (docs[i].deleted)
			return "SHARE ROW EXCLUSIVE";
	return "ROW EXCLUSIVE";
}

static int
pgindex_bulk(void *ctx, const struct search_index *index, const struct search_doc *docs, size_t count, struct err *e)
{
	struct pgindex *self = ctx;
	size_t parts = shape_key_parts(index->shape);
	char **arrays = buf_calloc(parts + 1, sizeof *arrays);
	int result = -1;
	for (size_t i = 0; i < parts; i++)
		arrays[i] = key_array(docs, count, i);
	arrays[parts] = version_array(docs, count);
	/*
	 * Only a probe per key is right: a plan over the whole table may be the planner's guess, never ours. And to
	 * tell the words of 10,000 documents apart, sorting them all takes twice as long as a hash.
	 */
	if (connect_once(self, e) == 0 && pg_begin(self->pg, e) == 0 &&
	    lock_documents(self->pg, index, lock_mode(docs, count), e) == 0 &&
	    pg_exec(self->pg,
		"SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;"
		"SET LOCAL enable_material = off; SET LOCAL enable_sort = off",
		e) == 0 &&
	    write_documents(self->pg, index, count, (const char *const *)arrays, e) == 0 && pg_commit(self->pg, e) == 0)
		result = 0;
	for (size_t i = 0; i <= parts; i++)
		free(arrays[i]);
	free(arrays);
	return result == 0 ? 0 : failed(self, index, e);
}

/* A commit is all it takes. */
static int
pgindex_refresh(void *ctx, const struct search_index *index, struct err *e)
{
	(void)ctx, (void)index, (void)e;
	return 0;
}

/* Build the index over the words. SHARE ROW EXCLUSIVE: two at once would both build it. */
static int
build(struct pg *pg, const struct search_index *index, struct err *e)
{
	struct buf documents = {0};
	pgsql_documents(&documents, index);
	char *sql = buf_format("CREATE INDEX IF NOT EXISTS doc_%" PRId64
			       "_body ON %s USING gin (_body); ANALYZE %s, csvp.word_%" PRId64,
	    index->dataset, documents.bytes, documents.bytes, index->dataset);
	int result = -1;
	if (pg_begin(pg, e) == 0 && lock_documents(pg, index, "SHARE ROW EXCLUSIVE", e) == 0 &&
	    pg_exec_waiting(pg, sql, e) == 0)
		result = pg_commit(pg, e);
	free(sql);
	buf_fini(&documents);
	return result;
}

/* What was added since stands in lists that every query reads through. */
static int
clean(struct pg *pg, const struct search_index *index, struct err *e)
{
	char *sql = buf_format("SELECT gin_clean_pending_list('csvp.doc_%1$" PRId64
			       "_body'), gin_clean_pending_list('csvp.word_%1$" PRId64 "_spellings')",
	    index->dataset);
	int result = pg_query(pg, NULL, e, sql, 0, NULL);
	free(sql);
	return result;
}

static int
pgindex_finish(void *ctx, const struct search_index *index, struct err *e)
{
	struct pgindex *self = ctx;
	char *name = buf_format("csvp.doc_%" PRId64 "_body", index->dataset);
	int result = -1, found = connect_once(self, e) == 0 ? exists(self->pg, name, e) : -1;
	if (found == 0)
		result = build(self->pg, index, e);
	else if (found == 1)
		result = clean(self->pg, index, e);
	free(name);
	return result == 0 ? 0 : failed(self, index, e);
}

static int
pgindex_count(void *ctx, const struct search_index *index, uint64_t *count, struct err *e)
{
	struct pgindex *self = ctx;
	struct buf name = {0};
	struct pg_rows *rows;
	int result = -1, found;
	pgsql_documents(&name, index);
	*count = 0;
	if (connect_once(self, e) != 0 || (found = exists(self->pg, name.bytes, e)) < 0)
		goto out;
	result = 0;
	if (found == 0)
		goto out;
	char *sql = buf_format("SELECT count(*) FROM %s", name.bytes);
	result = pg_query(self->pg, &rows, e, sql, 0, NULL);
	free(sql);
	if (result == 0) {
		*count = (uint64_t)pg_rows_int(rows, 0, 0);
		pg_rows_free(rows);
	}
out:
	buf_fini(&name);
	return result == 0 ? 0 : failed(self, index, e);
}

static int
pgindex_drop(void *ctx, const struct search_index *index, struct err *e)
{
	struct pgindex *self = ctx;
	struct buf sql = {0};
	buf_string(&sql, "DROP TABLE IF EXISTS ");
	pgsql_documents(&sql, index);
	buf_string(&sql, ", ");
	pgwords_table(&sql, index);
	int result = connect_once(self, e) == 0 ? pg_exec_waiting(self->pg, sql.bytes, e) : -1;
	buf_fini(&sql);
	return result == 0 ? 0 : failed(self, index, e);
}

static int
pgindex_query(void *ctx, const struct search_index *index, const struct query *query, const struct buf *from,
    search_each *each, void *each_ctx, struct search_page *page, struct buf *next, struct err *e)
{
	struct pgindex *self = ctx;
	if (connect_once(self, e) == 0 && pgquery_run(self->pg, index, query, from, each, each_ctx, page, next, e) == 0)
		return 0;
	return failed(self, index, e);
}

const struct search_driver *
pgindex_driver(void)
{
	static const struct search_driver driver = {
	    .scheme = "pg:",
	    .open = pgindex_open,
	    .close = pgindex_close,
	    .exists = pgindex_exists,
	    .create = pgindex_create,
	    .bulk = pgindex_bulk,
	    .refresh = pgindex_refresh,
	    .finish = pgindex_finish,
	    .count = pgindex_count,
	    .drop = pgindex_drop,
	    .query = pgindex_query,
	};
	return &driver;
}
