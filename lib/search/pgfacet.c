#include "search/pgfacet.h"

#include "base/buf.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "search/facet.h"
#include "search/pgmatch.h"
#include "search/pgsql.h"
#include "search/query.h"
#include "search/search.h"

/* Columns: records without a value, with one; and of the most frequent values each and its number, or NULL. */
static void
write_counts(struct buf *sql, const struct search_index *index, const struct pgmatch *match, size_t column)
{
	buf_string(sql, "WITH g AS (SELECT x.v, count(*) AS n FROM (SELECT ");
	pgsql_column(sql, index, column);
	buf_printf(sql,
	    " AS v%s) x GROUP BY x.v) SELECT t.missing, t.valued, s.v, s.n FROM (SELECT"
	    " coalesce(sum(n) FILTER (WHERE v IS NULL), 0)::bigint AS missing,"
	    " coalesce(sum(n) FILTER (WHERE v IS NOT NULL), 0)::bigint AS valued FROM g) t LEFT JOIN"
	    " (SELECT v, n FROM g WHERE v IS NOT NULL ORDER BY n DESC, v LIMIT %d) s ON true ORDER BY s.n DESC, s.v",
	    match->from.bytes, FACET_MOST_VALUES);
}

static int
count_values(struct pg *pg, const struct search_index *index, const struct query *query, char *const *near,
    struct facet *facet, struct err *e)
{
	/* Sorted by it, the matches have the column. */
	struct query sorted = *query;
	struct pgmatch match = {0};
	struct buf sql = {0};
	struct pg_rows *rows;
	int result;

	sorted.sort = (ssize_t)facet->column;
	pgmatch_write(&match, index, &sorted, near);
	write_counts(&sql, index, &match, facet->column);
	result = pg_query(pg, &rows, e, sql.bytes, match.param_count, match.params);
	if (result == 0) {
		facet->missing = (uint64_t)pg_rows_int(rows, 0, 0);
		facet->other = (uint64_t)pg_rows_int(rows, 0, 1);
		for (size_t i = 0; i < pg_rows_count(rows) && pg_rows_text(rows, i, 2) != NULL; i++) {
			uint64_t count = (uint64_t)pg_rows_int(rows, i, 3);

			facet_add(facet, index->shape, pg_rows_text(rows, i, 2), count);
			facet->other -= count;
		}
		pg_rows_free(rows);
	}
	buf_fini(&sql);
	pgmatch_fini(&match);
	return result;
}

int
pgfacet_count(struct pg *pg, const struct search_index *index, const struct query *query, char *const *near,
    struct search_page *page, struct err *e)
{
	struct facet *facets = facet_new(page, query->facets, query->facet_count);

	for (size_t i = 0; i < query->facet_count; i++)
		if (count_values(pg, index, query, near, &facets[i], e) != 0)
			return -1;
	return 0;
}
