#include "search/pgquery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "search/pgsql.h"
#include "search/query.h"

/* ts_rank() reads every match's tsvector; beyond this many the order is by key. */
#define RANKED_MATCHES 10000

/* A query in the making: what it selects from, and the parameters that stand in it. */
struct statement {
	struct buf from;  /* FROM ... WHERE ... */
	struct buf words; /* the tsquery, empty if there are no terms */
	struct buf order; /* ORDER BY ... */
	const char **params;
	char **owned; /* terms made ready for to_tsquery */
	size_t param_count;
	size_t owned_count;
};

static void
statement_fini(struct statement *s)
{
	for (size_t i = 0; i < s->owned_count; i++)
		free(s->owned[i]);
	free(s->owned);
	free(s->params);
	buf_fini(&s->order);
	buf_fini(&s->words);
	buf_fini(&s->from);
}

/* Take a parameter; its number, from 1. */
static size_t
parameter(struct statement *s, const char *value)
{
	s->params[s->param_count++] = value;
	return s->param_count;
}

/*
 * A term as a tsquery. phraseto_tsquery() takes any text. to_tsquery() has a
 * syntax, which alone knows prefixes: there the term goes in between quotes,
 * and a quote or backslash in it, neither a letter nor a digit, as a blank.
 */
static void
write_term(struct statement *s, const struct query_term *term)
{
	char param[32];
	if (term->kind == QUERY_PREFIX) {
		char *text = buf_strdup(term->text);
		s->owned[s->owned_count++] = text;
		for (char *c = text; (c = strpbrk(c, "'\\"));)
			*c = ' ';
		snprintf(param, sizeof param, "$%zu::text", parameter(s, text));
		buf_string(&s->words, "to_tsquery('simple', '''' || ");
		pgsql_words(&s->words, param);
		buf_string(&s->words, " || ''':*')");
	} else {
		snprintf(param, sizeof param, "$%zu::text", parameter(s, term->text));
		buf_string(&s->words, "phraseto_tsquery('simple', ");
		pgsql_words(&s->words, param);
		buf_byte(&s->words, ')');
	}
}

static void
write_filter(struct statement *s, const struct shape *shape, const struct query_filter *filter)
{
	static const char *const operators[] = {
	    [QUERY_EQUAL] = "=",
	    [QUERY_NOT_EQUAL] = "<>",
	    [QUERY_LESS] = "<",
	    [QUERY_LESS_EQUAL] = "<=",
	    [QUERY_GREATER] = ">",
	    [QUERY_GREATER_EQUAL] = ">=",
	};
	const struct column *column = &shape->columns[filter->column];
	buf_string(&s->from, " AND t.");
	pg_quote_name(&s->from, column->name);
	if (filter->operator== QUERY_NULL) {
		buf_string(&s->from, " IS NULL");
		return;
	}
	buf_printf(&s->from, " %s $%zu::%s", operators[filter->operator], parameter(s, filter->value),
	    type_sql(column->type));
	if (column->type == TYPE_TEXT)
		buf_string(&s->from, " COLLATE \"C\"");
}

static void
write_statement(struct statement *s, const struct search_index *index, const struct query *query)
{
	size_t params = query->term_count + query->filter_count + 1;
	s->params = buf_calloc(params, sizeof *s->params);
	s->owned = buf_calloc(params, sizeof *s->owned);
	for (size_t i = 0; i < query->term_count; i++) {
		buf_string(&s->words, i > 0 ? " && " : "(");
		write_term(s, &query->terms[i]);
	}
	if (query->term_count > 0)
		buf_byte(&s->words, ')');

	buf_string(&s->from, " FROM ");
	pgsql_documents(&s->from, index);
	buf_string(&s->from, " d JOIN ");
	pgsql_records(&s->from, index);
	buf_string(&s->from, " t ON ");
	pgsql_same_key(&s->from, index, "t", "d");
	buf_string(&s->from, " WHERE true");
	if (s->words.length > 0)
		buf_printf(&s->from, " AND d._body @@ %s", s->words.bytes);
	for (size_t i = 0; i < query->filter_count; i++)
		write_filter(s, index->shape, &query->filters[i]);
}

static void
write_order(struct statement *s, const struct search_index *index, const struct query *query, bool ranked)
{
	buf_string(&s->order, " ORDER BY ");
	if (ranked)
		buf_printf(&s->order, "ts_rank(d._body, %s) DESC, ", s->words.bytes);
	if (query->sort >= 0) {
		const struct column *column = &index->shape->columns[query->sort];
		buf_string(&s->order, "t.");
		pg_quote_name(&s->order, column->name);
		buf_string(&s->order, column->type == TYPE_TEXT ? " COLLATE \"C\"" : "");
		buf_string(&s->order, query->descending ? " DESC NULLS LAST, " : " NULLS LAST, ");
	}
	pgsql_key_names(&s->order, index, "d.");
}

/* How many match: all of them if the caller wants the total, else only whether they can be ranked. */
static int
count_matches(struct pg *pg, const struct statement *s, bool total, uint64_t *count, struct err *e)
{
	struct pg_rows *rows;
	char *sql = total ? buf_format("SELECT count(*)%s", s->from.bytes)
			  : buf_format("SELECT count(*) FROM (SELECT%s LIMIT %d) m", s->from.bytes, RANKED_MATCHES + 1);
	int result = pg_query(pg, &rows, e, sql, s->param_count, s->params);
	free(sql);
	if (result != 0)
		return -1;
	*count = (uint64_t)pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return 0;
}

/* Rows on their way to the caller. Columns: those of the shape, `_version`, and `_id` without a key. */
struct delivery {
	const struct search_index *index;
	search_each *each;
	void *ctx;
	const char **values;
	uint64_t left;
	bool more;
};

static int
deliver(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct delivery *delivery = ctx;
	size_t count = delivery->index->shape->count;
	if (delivery->left == 0) {
		delivery->more = true;
		return 0;
	}
	delivery->left--;
	for (size_t i = 0; i < count; i++)
		delivery->values[i] = pg_rows_text(row, 0, i);
	struct search_hit hit = {.values = delivery->values, .version = pg_rows_int(row, 0, count)};
	if (delivery->index->shape->key_count == 0)
		hit.id = pg_rows_text(row, 0, count + 1);
	return delivery->each(delivery->ctx, &hit, e);
}

static int
read_hits(struct pg *pg, const struct statement *s, const struct search_index *index, const struct query *query,
    struct delivery *delivery, struct err *e)
{
	struct buf sql = {0};
	buf_string(&sql, "SELECT ");
	for (size_t i = 0; i < index->shape->count; i++) {
		buf_string(&sql, "t.");
		pg_quote_name(&sql, index->shape->columns[i].name);
		buf_string(&sql, ", ");
	}
	buf_string(&sql, index->shape->key_count == 0 ? "t._version, t._id" : "t._version");
	buf_append(&sql, s->from.bytes, s->from.length);
	buf_append(&sql, s->order.bytes, s->order.length);
	/* One more than asked for tells whether there is more. */
	if (query->limit < INT64_MAX)
		buf_printf(&sql, " LIMIT %" PRIu64, query->limit + 1);
	int result = pg_stream(pg, sql.bytes, s->param_count, s->params, deliver, delivery, e);
	buf_fini(&sql);
	return result;
}

int
pgquery_run(struct pg *pg, const struct search_index *index, const struct query *query, search_each *each, void *ctx,
    struct search_page *page, struct err *e)
{
	struct statement s = {0};
	struct delivery delivery = {.index = index, .each = each, .ctx = ctx, .left = query->limit};
	uint64_t count = 0;
	int result = -1;
	bool rankable = query->term_count > 0 && query->sort < 0 && query->limit > 0;

	delivery.values = buf_calloc(index->shape->count + 1, sizeof *delivery.values);
	write_statement(&s, index, query);
	/* One snapshot, so that total and hits agree; and whoever reads it all may take his time. */
	if (pg_exec(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e) != 0 ||
	    (query->limit == QUERY_ALL && pg_exec(pg, "SET LOCAL statement_timeout = 0", e) != 0))
		goto out;
	if ((rankable || query->total) && count_matches(pg, &s, query->total, &count, e) != 0)
		goto out;
	page->ranked = rankable && count <= RANKED_MATCHES;
	page->total = query->total ? count : 0;
	write_order(&s, index, query, page->ranked);
	if (query->limit > 0 && read_hits(pg, &s, index, query, &delivery, e) != 0)
		goto out;
	page->more = delivery.more;
	result = pg_commit(pg, e);
out:
	free(delivery.values);
	statement_fini(&s);
	return result;
}
