#include "search/pgquery.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/pgfacet.h"
#include "search/pgmatch.h"
#include "search/pgsql.h"
#include "search/pgwords.h"
#include "search/query.h"

/* ts_rank() reads every match's tsvector; beyond this many the order is by key. */
#define RANKED_MATCHES 10000

/* What the hits are in order of, ties always by key; fixed when the first page is read. */
enum order { BY_RANK, BY_KEY, BY_COLUMN };

/* A query being answered. */
struct run {
	struct pg *pg;
	const struct search_index *index;
	const struct query *query;
	char **near; /* for each term NULL, or the words that it stands for */
	struct pgmatch match;
	enum order order;
	bool downward; /* BY_KEY: the key is one column, and falls */

	/* Where the page before ended; texts in the caller's state. */
	bool going_on;
	const char *last_sort;
	const char **last_key;

	search_each *each;
	void *ctx;
	const char **values;
	uint64_t matches; /* BY_RANK: how many there are; on the first page up to one more than can be ranked */
	uint64_t passed;  /* documents of this page */
	bool more;
	struct buf *next;
};

static const char order_letters[] = {[BY_RANK] = 'r', [BY_KEY] = 'k', [BY_COLUMN] = 'c'};

static int
damaged(struct err *e)
{
	return err_set(e, ERR_USAGE, "the cursor is damaged; hint: give it whole, as the page before printed it");
}

/* The words that mistyped terms stand for: pairs of the term's number and its words. */
static int
read_near(struct run *r, const struct buf *from, size_t *at, struct err *e)
{
	const char *number, *words;

	while (*at < from->length) {
		uint64_t term;

		if (!cursor_take(from, at, &number) || !cursor_take(from, at, &words) || number == NULL ||
		    words == NULL || strpbrk(words, "'\\") != NULL || !num_uint64(number, &term) ||
		    term >= r->query->term_count || r->near[term] != NULL)
			return damaged(e);
		r->near[term] = buf_strdup(words);
	}
	return 0;
}

/* A state is the order's letter, the value sorted by, the key, and what mistyped terms stand for. */
static int
read_state(struct run *r, const struct buf *from, struct err *e)
{
	size_t at = 0, keys = shape_key_parts(r->index->shape);
	const char *letter, *order;
	enum order sorted = r->order;

	if (!cursor_take(from, &at, &letter) || letter == NULL || strlen(letter) != 1 ||
	    (order = memchr(order_letters, *letter, sizeof order_letters)) == NULL ||
	    !cursor_take(from, &at, &r->last_sort))
		return damaged(e);
	r->order = (enum order)(order - order_letters);
	for (size_t i = 0; i < keys; i++)
		if (!cursor_take(from, &at, &r->last_key[i]) || r->last_key[i] == NULL)
			return damaged(e);
	if (read_near(r, from, &at, e) != 0)
		return -1;
	/* The binding tells whether there is a sort, but not what a forger makes of it. */
	if ((r->query->sort >= 0 && r->order != sorted) || (r->query->sort < 0 && r->order == BY_COLUMN) ||
	    (r->order == BY_RANK && (r->last_sort == NULL || r->query->term_count == 0)))
		return damaged(e);
	r->going_on = true;
	return 0;
}

static void
write_state(struct run *r, const struct pg_rows *row)
{
	const char letter[] = {order_letters[r->order], '\0'};

	cursor_put(r->next, letter);
	for (size_t i = 0; i < 1 + shape_key_parts(r->index->shape); i++)
		cursor_put(r->next, pg_rows_text(row, 0, 1 + i));
	for (size_t i = 0; i < r->query->term_count; i++)
		if (r->near[i] != NULL) {
			char *number = buf_format("%zu", i);

			cursor_put(r->next, number);
			cursor_put(r->next, r->near[i]);
			free(number);
		}
}

/* ORDER BY of a relation whose columns are `_sort` and the keys. */
static void
write_order(struct buf *sql, const struct run *r, const char *relation)
{
	char *prefix = buf_format("%s.", relation);

	buf_string(sql, " ORDER BY ");
	if (r->order != BY_KEY)
		buf_printf(sql, "%s._sort%s NULLS LAST, ", relation,
		    r->order == BY_RANK || r->query->descending ? " DESC" : "");
	pgsql_key_names(sql, r->index, prefix);
	buf_string(sql, r->downward ? " DESC" : "");
	free(prefix);
}

/* (relation.keys) > (the last key) */
static void
write_key_behind(struct buf *sql, struct run *r, const char *relation)
{
	char *prefix = buf_format("%s.", relation);

	buf_byte(sql, '(');
	pgsql_key_names(sql, r->index, prefix);
	buf_printf(sql, ") %c (", r->downward ? '<' : '>');
	for (size_t i = 0; i < shape_key_parts(r->index->shape); i++) {
		buf_printf(sql, "%s$%zu::", i > 0 ? ", " : "", pgmatch_parameter(&r->match, r->last_key[i]));
		pgsql_key_type(sql, r->index, i);
	}
	buf_byte(sql, ')');
	free(prefix);
}

/*
 * AND what lies behind the last page, of `sort` and the keys of a relation:
 * whatever came or went meanwhile, places in the order do not move.
 */
static void
write_behind(struct buf *sql, struct run *r, const char *sort, const char *relation)
{
	if (!r->going_on)
		return;
	buf_string(sql, " AND (");
	if (r->order != BY_KEY && r->last_sort == NULL) {
		buf_printf(sql, "%s IS NULL AND ", sort);
	} else if (r->order != BY_KEY) {
		const char *type =
		    r->order == BY_RANK ? "real" : type_sql(r->index->shape->columns[r->query->sort].type);
		size_t last = pgmatch_parameter(&r->match, r->last_sort);

		buf_printf(sql, "%s %c $%zu::%s OR %s IS NULL OR %s = $%zu::%s AND ", sort,
		    r->order == BY_RANK || r->query->descending ? '<' : '>', last, type, sort, sort, last, type);
	}
	write_key_behind(sql, r, relation);
	buf_byte(sql, ')');
}

/* One more than asked for tells whether there is more. */
static void
write_limit(struct buf *sql, const struct run *r)
{
	if (r->query->limit < INT64_MAX)
		buf_printf(sql, " LIMIT %" PRIu64, r->query->limit + 1);
}

/*
 * The page `p`: places in the order, and nothing else, so that only the hits
 * themselves are fetched. By relevance, the matches come first, as many as can
 * be ranked and one more; with that one there is no page, and only their number
 * `n` comes back. A cursor says that the first page was ranked, then all are.
 */
static void
write_ranked(struct buf *sql, struct run *r)
{
	buf_string(sql, "WITH m AS MATERIALIZED (SELECT ");
	pgsql_key_names(sql, r->index, "d.");
	buf_printf(sql, ", d._body%s", r->match.from.bytes);
	if (!r->going_on)
		buf_printf(sql, " LIMIT %d", RANKED_MATCHES + 1);
	buf_string(sql, "), ranked AS (SELECT ");
	pgsql_key_names(sql, r->index, "m.");
	buf_printf(sql, ", ts_rank(m._body, %s) AS _sort FROM m", r->match.words.bytes);
	if (!r->going_on)
		buf_printf(sql, " WHERE (SELECT count(*) FROM m) <= %d", RANKED_MATCHES);
	buf_string(sql, " OFFSET 0), p AS (SELECT * FROM ranked WHERE true");
	write_behind(sql, r, "_sort", "ranked");
	write_order(sql, r, "ranked");
	write_limit(sql, r);
	buf_string(sql, ") SELECT c.n");
}

static void
write_listed(struct buf *sql, struct run *r)
{
	struct buf sort = {0};

	if (r->order == BY_COLUMN)
		pgsql_column(&sort, r->index, (size_t)r->query->sort);
	else
		buf_string(&sort, "NULL");
	buf_string(sql, "WITH p AS NOT MATERIALIZED (SELECT ");
	pgsql_key_names(sql, r->index, "d.");
	buf_printf(sql, ", %s AS _sort%s", sort.bytes, r->match.from.bytes);
	write_behind(sql, r, sort.bytes, "d");
	buf_string(sql, " ORDER BY ");
	if (r->order == BY_COLUMN)
		buf_printf(sql, "%s%s NULLS LAST, ", sort.bytes, r->query->descending ? " DESC" : "");
	pgsql_key_names(sql, r->index, "d.");
	buf_string(sql, r->downward ? " DESC" : "");
	write_limit(sql, r);
	buf_string(sql, ") SELECT 0");
	buf_fini(&sort);
}

/* Columns: n, `_sort`, the key, those of the shape, `_version`, and `_id` without a key. */
static void
write_hits(struct buf *sql, struct run *r)
{
	const struct shape *shape = r->index->shape;

	if (r->order == BY_RANK)
		write_ranked(sql, r);
	else
		write_listed(sql, r);
	buf_string(sql, ", p._sort, ");
	pgsql_key_names(sql, r->index, "p.");
	for (size_t i = 0; i < shape->count; i++) {
		buf_string(sql, ", t.");
		pg_quote_name(sql, shape->columns[i].name);
	}
	buf_string(sql, shape->key_count == 0 ? ", t._version, t._id FROM " : ", t._version FROM ");
	buf_string(sql, r->order == BY_RANK ? "(SELECT count(*) AS n FROM m) c LEFT JOIN p ON true" : "p");
	buf_string(sql, " LEFT JOIN ");
	pgsql_records(sql, r->index);
	buf_string(sql, " t ON ");
	pgsql_same_key(sql, r->index, "t", "p");
	buf_append(sql, r->match.still.bytes, r->match.still.length);
	write_order(sql, r, "p");
}

static int
deliver(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct run *r = ctx;
	const struct shape *shape = r->index->shape;
	size_t keys = shape_key_parts(r->index->shape), first = 2 + keys;

	r->matches = (uint64_t)pg_rows_int(row, 0, 0);
	if (pg_rows_text(row, 0, 2) == NULL)
		return 0;
	if (r->passed == r->query->limit) {
		r->more = true;
		return 0;
	}
	if (++r->passed == r->query->limit)
		write_state(r, row);
	/* The record is gone, its document not yet. */
	if (pg_rows_text(row, 0, first + shape->count) == NULL)
		return 0;
	for (size_t i = 0; i < shape->count; i++)
		r->values[i] = pg_rows_text(row, 0, first + i);
	struct search_hit hit = {
	    .values = r->values, .version = pg_rows_int(row, 0, first + shape->count), .near = r->near};
	if (shape->key_count == 0)
		hit.id = pg_rows_text(row, 0, first + shape->count + 1);
	return r->each(r->ctx, &hit, e);
}

static int
read_hits(struct run *r, struct err *e)
{
	size_t shared = r->match.param_count;
	struct buf sql = {0};
	int result;

	write_hits(&sql, r);
	result = pg_stream(r->pg, sql.bytes, r->match.param_count, r->match.params, deliver, r, e);
	r->match.param_count = shared;
	buf_fini(&sql);
	return result;
}

static int
count_matches(struct run *r, uint64_t *count, struct err *e)
{
	struct pg_rows *rows;
	char *sql = buf_format("SELECT count(*)%s", r->match.from.bytes);
	int result = pg_query(r->pg, &rows, e, sql, r->match.param_count, r->match.params);

	free(sql);
	if (result != 0)
		return -1;
	*count = (uint64_t)pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return 0;
}

/*
 * What takes more than one statement reads one snapshot, so that total and hits agree; and whoever reads it all may take
 * his time. Most pages by relevance need no more than one.
 */
static int
begin(struct run *r, struct err *e)
{
	if (pg_in_transaction(r->pg))
		return 0;
	if (pg_exec(r->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e) != 0)
		return -1;
	return r->query->limit == QUERY_ALL ? pg_exec(r->pg, "SET LOCAL statement_timeout = 0", e) : 0;
}

static int
read_listed_page(struct run *r, struct search_page *page, struct err *e)
{
	if (r->query->total && (begin(r, e) != 0 || count_matches(r, &page->total, e) != 0))
		return -1;
	return r->query->limit > 0 ? read_hits(r, e) : 0;
}

/* The hits of this page, and how many match. */
static int
read_page(struct run *r, struct search_page *page, struct err *e)
{
	pgmatch_fini(&r->match);
	r->match = (struct pgmatch){0};
	pgmatch_write(&r->match, r->index, r->query, r->near);
	if (r->order != BY_RANK || r->query->limit == 0)
		return read_listed_page(r, page, e);
	if (read_hits(r, e) != 0)
		return -1;
	if (!r->going_on && r->matches > RANKED_MATCHES) {
		r->order = BY_KEY;
		return read_listed_page(r, page, e);
	}
	page->total = r->query->total ? r->matches : 0;
	return 0;
}

static size_t
count_near(const struct run *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->query->term_count; i++)
		count += r->near[i] != NULL;
	return count;
}

/*
 * The first page, and where nothing is found, once more with the words that mistyped ones stand for: first for those
 * that no document has ever had, then for those that none has now.
 */
static int
read_first_page(struct run *r, struct search_page *page, struct err *e)
{
	size_t near = 0;
	int result = read_page(r, page, e);

	if (r->query->term_count == 0)
		return result;
	for (int doubt = 0; result == 0 && doubt <= 1 && r->passed == 0 && page->total == 0; doubt++) {
		if (begin(r, e) != 0 || pgwords_near(r->pg, r->index, r->query, doubt, r->near, e) != 0)
			return -1;
		if (count_near(r) > near)
			result = read_page(r, page, e);
		near = count_near(r);
	}
	return result;
}

/* Tell which terms stood for others. */
static void
tell_near(const struct run *r, struct search_page *page)
{
	struct buf terms = {0};

	for (size_t i = 0; i < r->query->term_count; i++)
		if (r->near[i] != NULL)
			buf_printf(&terms, "%s%s", terms.length > 0 ? " " : "", r->query->terms[i].text);
	if (terms.length > 0)
		page->mistyped = buf_detach(&terms);
}

/* Sorted by the key, or by its first column upward, is the order of the key: pages of it come from its index. */
static void
choose_order(struct run *r)
{
	const struct query *query = r->query;
	const struct shape *shape = r->index->shape;

	r->order = query->sort >= 0 ? BY_COLUMN : query->term_count > 0 ? BY_RANK : BY_KEY;
	if (query->sort >= 0 && shape->key_count > 0 && shape->key[0] == (size_t)query->sort &&
	    (shape->key_count == 1 || !query->descending)) {
		r->order = BY_KEY;
		r->downward = query->descending;
	}
}

static int
answer(struct run *r, const struct buf *from, struct search_page *page, struct err *e)
{
	const struct query *query = r->query;

	choose_order(r);
	if (from != NULL && read_state(r, from, e) != 0)
		return -1;
	if ((query->facet_count > 0 || query->limit == QUERY_ALL) && begin(r, e) != 0)
		return -1;
	if ((from != NULL ? read_page(r, page, e) : read_first_page(r, page, e)) != 0)
		return -1;
	if (pgfacet_count(r->pg, r->index, query, r->near, page, e) != 0)
		return -1;
	if (!r->more)
		buf_reset(r->next);
	tell_near(r, page);
	page->ranked = r->order == BY_RANK && query->limit > 0;
	return pg_in_transaction(r->pg) ? pg_commit(r->pg, e) : 0;
}

int
pgquery_run(struct pg *pg, const struct search_index *index, const struct query *query, const struct buf *from,
    search_each *each, void *ctx, struct search_page *page, struct buf *next, struct err *e)
{
	struct run r = {.pg = pg, .index = index, .query = query, .each = each, .ctx = ctx, .next = next};
	int result;

	r.values = buf_calloc(index->shape->count + 1, sizeof *r.values);
	r.last_key = buf_calloc(shape_key_parts(index->shape), sizeof *r.last_key);
	r.near = buf_calloc(query->term_count + 1, sizeof *r.near);
	result = answer(&r, from, page, e);
	/* What a value of ours cannot be: only a forger writes it. */
	if (result != 0 && r.going_on && r.passed == 0 && strncmp(pg_sqlstate(pg), "22", 2) == 0)
		damaged(e);
	pgmatch_fini(&r.match);
	for (size_t i = 0; i < query->term_count; i++)
		free(r.near[i]);
	free(r.near);
	free(r.last_key);
	free(r.values);
	return result;
}
