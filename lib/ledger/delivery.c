#include "ledger/delivery.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"

/* Run a statement with the job ($1), the chunk ($2) and a text ($3); rows may be NULL. */
static int
run(struct pg *pg, struct pg_rows **rows, const char *sql, int64_t job, int64_t chunk, const char *text, struct err *e)
{
	char id[24], number[24];

	snprintf(id, sizeof id, "%" PRId64, job);
	snprintf(number, sizeof number, "%" PRId64, chunk);
	return PG_QUERY(pg, rows, e, sql, id, number, text);
}

int
delivery_count(struct pg *pg, int64_t job, int64_t chunk, const char *state, struct err *e)
{
	struct pg_rows *rows;
	int count;

	if (run(pg, &rows,
		chunk < 0 ? "UPDATE csvp.job SET deliveries = deliveries + 1 WHERE id = $1 AND state = 'stored' AND "
			    "error IS NULL"
			    " AND NOT cancelled AND $2::bigint < 0 AND $3::text IS NOT NULL RETURNING deliveries"
			  : "UPDATE csvp.chunk c SET deliveries = c.deliveries + 1 FROM csvp.job j WHERE j.id = c.job "
			    "AND c.job = $1"
			    " AND c.number = $2 AND c.state = $3 AND NOT (j.cancelled AND c.state = 'pending')"
			    " RETURNING c.deliveries",
		job, chunk, state, e) != 0)
		return -1;
	count = pg_rows_count(rows) == 1 ? (int)pg_rows_int(rows, 0, 0) : 0;
	pg_rows_free(rows);
	return count;
}

int
delivery_done(struct pg *pg, int64_t job, int64_t chunk, struct err *e)
{
	struct pg_rows *rows;
	int done;

	if (run(pg, &rows,
		chunk < 0
		    ? "SELECT FROM csvp.job WHERE id = $1 AND state = 'split' AND $2::bigint < 0 AND $3::text IS NULL"
		    : "SELECT FROM csvp.chunk WHERE job = $1 AND number = $2 AND state = 'loaded' AND $3::text IS NULL",
		job, chunk, NULL, e) != 0)
		return -1;
	done = pg_rows_count(rows) == 1;
	pg_rows_free(rows);
	return done;
}

int
delivery_return(struct pg *pg, int64_t job, int64_t chunk, struct err *e)
{
	return run(pg, NULL,
	    chunk < 0 ? "UPDATE csvp.job SET deliveries = greatest(deliveries - 1, 0) WHERE id = $1 AND $2::bigint < 0 "
			"AND $3::text IS NULL"
		      : "UPDATE csvp.chunk SET deliveries = greatest(deliveries - 1, 0) WHERE job = $1 AND number = $2 "
			"AND $3::text IS NULL",
	    job, chunk, NULL, e);
}

int
delivery_note(struct pg *pg, int64_t job, int64_t chunk, const char *reason, struct err *e)
{
	/* A split keeps its error only when it fails: an error of a job is for good. */
	if (chunk < 0)
		return 0;
	return run(pg, NULL, "UPDATE csvp.chunk SET error = $3 WHERE job = $1 AND number = $2", job, chunk, reason, e);
}

int
delivery_reason(struct pg *pg, int64_t job, int64_t chunk, char **reason, struct err *e)
{
	struct pg_rows *rows;

	*reason = NULL;
	if (run(pg, &rows, "SELECT error FROM csvp.chunk WHERE job = $1 AND number = $2 AND $3::text IS NULL", job,
		chunk, NULL, e) != 0)
		return -1;
	if (pg_rows_count(rows) == 1 && pg_rows_text(rows, 0, 0) != NULL)
		*reason = buf_strdup(pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return 0;
}

int
delivery_fail(struct pg *pg, int64_t job, int64_t chunk, const char *reason, struct err *e)
{
	return run(pg, NULL,
	    chunk < 0 ? "UPDATE csvp.job SET error = $3, error_code = 65, finished_at = clock_timestamp()"
			" WHERE id = $1 AND $2::bigint < 0 AND state = 'stored' AND error IS NULL"
		      : "UPDATE csvp.chunk SET state = 'failed', error = $3"
			" WHERE job = $1 AND number = $2 AND state IN ('pending', 'loaded')",
	    job, chunk, reason, e);
}

int
delivery_retry(struct pg *pg, int64_t job, int64_t chunk, struct err *e)
{
	struct pg_rows *rows;
	int count;

	/* What was loaded before its index failed is to be indexed, not loaded again. */
	if (run(pg, &rows,
		"WITH this AS (SELECT id FROM csvp.job WHERE id = $1 AND NOT cancelled AND removed_at IS NULL"
		"   AND $3::text IS NULL),"
		" c AS (UPDATE csvp.chunk SET state = CASE WHEN loaded_at IS NULL THEN 'pending' ELSE 'loaded' END,"
		"   error = NULL, deliveries = 0 FROM this WHERE job = id AND number = $2 AND state = 'failed'"
		"   RETURNING job),"
		" j AS (UPDATE csvp.job SET finished_at = NULL, error = NULL, error_code = NULL, deliveries = 0"
		"   FROM this WHERE job.id = this.id AND (job.id IN (SELECT job FROM c)"
		"   OR $2::bigint < 0 AND job.state = 'stored' AND job.error IS NOT NULL) RETURNING 1)"
		" SELECT count(*) FROM j",
		job, chunk, NULL, e) != 0)
		return -1;
	count = (int)pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return count;
}
