#include "db/pg.h"

#include <stdlib.h>

#include "base/err.h"
#include "db/pg_internal.h"

/*
 * One put into libpq's buffer: big enough that the cost of a call vanishes
 * (32, 64, 256 and 1024 kB load equally fast), small enough that a chunk of
 * 8 MB is never copied into it as a whole.
 */
enum { PUT_BYTES = 64 * 1024 };

static int
start(struct pg *pg, const char *sql, ExecStatusType wanted, struct err *e)
{
	PGresult *result;
	bool started;

	if (pg_wait_begin(pg, e) != 0)
		return -1;
	if (PQsendQuery(pg->conn, sql) == 0)
		return pg_error_connection(pg, e);
	if (pg_wait_flush(pg, e) != 0)
		return -1;
	result = pg_wait_next(pg);
	started = PQresultStatus(result) == wanted;
	if (result == NULL)
		pg_error_connection(pg, e);
	else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		pg_error_result(pg, result, e);
	else if (!started)
		err_set(e, ERR_BUG, "not the kind of COPY it was called for: %s", sql);
	PQclear(result);
	if (!started)
		pg_wait_drain(pg);
	return started ? 0 : -1;
}

int
pg_copy_begin(struct pg *pg, const char *sql, struct err *e)
{
	if (start(pg, sql, PGRES_COPY_IN, e) != 0)
		return -1;
	pg->copying = true;
	return 0;
}

int
pg_copy_put(struct pg *pg, const char *bytes, size_t length, struct err *e)
{
	if (!pg->copying)
		return err_set(e, ERR_BUG, "COPY data without a COPY");
	if (pg_wait_continue(pg, e) != 0)
		goto fail;
	while (length > 0) {
		size_t now = length < PUT_BYTES ? length : PUT_BYTES;
		int sent = PQputCopyData(pg->conn, bytes, (int)now);

		if (sent < 0) {
			pg_error_connection(pg, e);
			goto fail;
		}
		if (pg_wait_flush(pg, e) != 0)
			goto fail;
		if (pg->cancelled) {
			pg_error_cancelled(pg, e);
			goto fail;
		}
		if (sent > 0) {
			bytes += now;
			length -= now;
		}
	}
	return 0;
fail:
	pg_copy_abort(pg);
	return -1;
}

int
pg_copy_end(struct pg *pg, struct err *e)
{
	PGresult *result;

	if (!pg->copying)
		return err_set(e, ERR_BUG, "the end of a COPY without a COPY");
	if (pg_wait_continue(pg, e) != 0) {
		pg_copy_abort(pg);
		return -1;
	}
	pg->copying = false;
	result = pg_wait_result(pg, PQputCopyEnd(pg->conn, NULL), e);
	if (result == NULL)
		return -1;
	pg->copied = strtoull(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return 0;
}

uint64_t
pg_copied(const struct pg *pg)
{
	return pg->copied;
}

void
pg_copy_abort(struct pg *pg)
{
	bool shielded = pg->shielded;
	struct err ignored;

	if (!pg->copying)
		return;
	pg->copying = false;
	pg->shielded = true;
	if (pg_wait_continue(pg, &ignored) == 0 && PQputCopyEnd(pg->conn, "broken off by the client") >= 0 &&
	    pg_wait_flush(pg, &ignored) == 0)
		pg_wait_drain(pg);
	pg->shielded = shielded;
}

/* Every row of a COPY TO that has begun; what is left over after a failure is the caller's to abandon. */
static int
read_rows(struct pg *pg, int (*each)(void *, const char *, size_t, struct err *), void *ctx, struct err *e)
{
	for (;;) {
		char *row = NULL;
		int length = PQgetCopyData(pg->conn, &row, 1);
		int rc;

		if (length == 0 && pg_wait_input(pg, e) != 0)
			return -1;
		if (length == 0)
			continue;
		/* -1 is the end, -2 an error; the results that follow tell which. */
		if (length < 0)
			return 0;
		rc = each(ctx, row, (size_t)length, e);
		PQfreemem(row);
		if (rc != 0)
			return -1;
	}
}

int
pg_copy_out(struct pg *pg, const char *sql, int (*each)(void *ctx, const char *row, size_t length, struct err *e),
    void *ctx, struct err *e)
{
	PGresult *result;

	if (start(pg, sql, PGRES_COPY_OUT, e) != 0)
		return -1;
	if (read_rows(pg, each, ctx, e) != 0) {
		pg_wait_abandon(pg);
		return -1;
	}
	result = pg_wait_result(pg, 1, e);
	PQclear(result);
	return result != NULL ? 0 : -1;
}
