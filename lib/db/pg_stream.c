#include "db/pg.h"

#include "base/err.h"
#include "db/pg_internal.h"

/* The rows of a query in single-row mode, up to the first failure; the results left are the caller's to abandon. */
static int
read_rows(struct pg *pg, int (*each)(void *, const struct pg_rows *, struct err *), void *ctx, struct err *e)
{
	struct pg_rows row;

	while ((row.result = pg_wait_next(pg)) != NULL) {
		ExecStatusType status = PQresultStatus(row.result);
		int rc = 0;

		if (status == PGRES_SINGLE_TUPLE)
			rc = each(ctx, &row, e);
		else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
			rc = pg_error_result(pg, row.result, e);
		PQclear(row.result);
		if (rc != 0)
			return -1;
		if (status != PGRES_SINGLE_TUPLE)
			return 0;
	}
	/* No closing result: the wait for it failed. */
	return pg_error_connection(pg, e);
}

int
pg_stream(struct pg *pg, const char *sql, size_t count, const char *const *params,
    int (*each)(void *ctx, const struct pg_rows *row, struct err *e), void *ctx, struct err *e)
{
	if (pg_wait_begin(pg, e) != 0)
		return -1;
	if (PQsendQueryParams(pg->conn, sql, (int)count, NULL, params, NULL, NULL, 0) == 0 ||
	    PQsetSingleRowMode(pg->conn) == 0)
		return pg_error_connection(pg, e);
	if (pg_wait_flush(pg, e) != 0)
		return -1;
	if (read_rows(pg, each, ctx, e) != 0) {
		pg_wait_abandon(pg);
		return -1;
	}
	pg_wait_drain(pg);
	return 0;
}
