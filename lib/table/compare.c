#include "table/compare.h"

#include <inttypes.h>

#include "base/buf.h"
#include "db/pg.h"
#include "table/batch.h"
#include "table/copyin.h"
#include "table/target.h"

#define STAGE "pg_temp.verified"

int
compare_prepare(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_string(&sql, "DROP TABLE IF EXISTS " STAGE ";CREATE TEMP TABLE verified ON COMMIT DROP AS SELECT ");
	target_columns(&sql, t, "");
	buf_string(&sql, " FROM ");
	target_table(&sql, t);
	buf_string(&sql, " WITH NO DATA;SET LOCAL enable_hashjoin = off;SET LOCAL enable_mergejoin = off;SET LOCAL "
			 "enable_seqscan = off");
	result = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

/* The images meet below the joins: a join that handed on the columns of both sides could not have 1,598 of each. */
static void
append_comparison(struct buf *sql, const struct target *t)
{
	buf_string(sql, "SELECT count(*) FILTER (WHERE present), count(*) FILTER (WHERE missing), count(*) FILTER "
			"(WHERE different),"
			" coalesce(min(_version) FILTER (WHERE missing OR different), 0) FROM (SELECT s._version,"
			" coalesce(t._version = s._version, false) AS present,"
			" coalesce(t._version = s._version AND NOT same, false) AS different,"
			" coalesce(t._version, 0) < s._version AND NOT coalesce(same, false) AND coalesce(d.version, "
			"0) < s._version AS missing"
			" FROM " STAGE " s LEFT JOIN LATERAL (SELECT t._version, record_image_eq(ROW(");
	target_values(sql, t, "t.");
	buf_string(sql, "), ROW(");
	target_values(sql, t, "s.");
	buf_string(sql, ")) AS same FROM ");
	target_table(sql, t);
	buf_string(sql, " t WHERE ");
	target_key_join(sql, t, "t.", "s.");
	buf_printf(
	    sql, " OFFSET 0) t ON true LEFT JOIN csvp.tombstone d ON d.dataset = %" PRId64 " AND d.key = ", t->dataset);
	target_key_text(sql, t, "s.");
	buf_string(sql, ") c");
}

int
compare_batch(
    struct pg *pg, const struct target *t, const struct batch *batch, struct compare_result *result, struct err *e)
{
	struct pg_rows *rows;
	struct buf sql = {0};
	int status = -1;

	if (pg_exec(pg, "TRUNCATE " STAGE, e) != 0 ||
	    copyin_groups(pg, batch, 0, batch->group_count, "COPY " STAGE " FROM STDIN", e) != 0)
		return -1;
	append_comparison(&sql, t);
	if (pg_query(pg, &rows, e, sql.bytes, 0, NULL) == 0) {
		*result = (struct compare_result){
		    .present = (uint64_t)pg_rows_int(rows, 0, 0),
		    .missing = (uint64_t)pg_rows_int(rows, 0, 1),
		    .different = (uint64_t)pg_rows_int(rows, 0, 2),
		    .example = pg_rows_int(rows, 0, 3),
		};
		pg_rows_free(rows);
		status = 0;
	}
	buf_fini(&sql);
	return status;
}

int
compare_count(struct pg *pg, const struct target *t, uint64_t *rows, uint64_t *edited, struct err *e)
{
	struct pg_rows *result;
	struct buf sql = {0};
	int status = -1;

	buf_string(&sql, "SELECT count(*), count(*) FILTER (WHERE _version & (1::bigint << 38) <> 0) FROM ");
	target_table(&sql, t);
	if (pg_query(pg, &result, e, sql.bytes, 0, NULL) == 0) {
		*rows = (uint64_t)pg_rows_int(result, 0, 0);
		*edited = (uint64_t)pg_rows_int(result, 0, 1);
		pg_rows_free(result);
		status = 0;
	}
	buf_fini(&sql);
	return status;
}

int
compare_count_by_job(struct pg *pg, const struct target *t, struct pg_rows **rows, struct err *e)
{
	struct buf sql = {0};
	int status = -1;

	buf_string(&sql, "SELECT _version >> 39, count(*) FROM ");
	target_table(&sql, t);
	buf_string(&sql, " WHERE _version & (1::bigint << 38) = 0 GROUP BY 1 ORDER BY 1");
	if (pg_exec(pg, "SET LOCAL statement_timeout = 0", e) == 0)
		status = pg_query(pg, rows, e, sql.bytes, 0, NULL);
	buf_fini(&sql);
	return status;
}

uint64_t
compare_rows_of_job(const struct pg_rows *rows, int64_t seq)
{
	size_t low = 0, high = pg_rows_count(rows);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pg_rows_int(rows, middle, 0) < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pg_rows_count(rows) && pg_rows_int(rows, low, 0) == seq ? (uint64_t)pg_rows_int(rows, low, 1) : 0;
}
