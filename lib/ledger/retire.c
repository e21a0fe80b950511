#include "ledger/retire.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "db/pg.h"
#include "ledger/dataset.h"
#include "ledger/ledger.h"

enum { NUMBER = 24 };

/* Of a csvp.job_status called s; $1 is the time. A table that was dropped takes the index with it. */
#define ENDED                                                                                                          \
	"s.removed_at IS NULL AND s.seq IS NOT NULL AND coalesce(s.finished_at, s.created_at) < $1::timestamptz"       \
	" AND s.derived IN ('done', 'cancelled', 'failed') AND s.dataset_state <> 'building'"                          \
	" AND (s.finished_at IS NOT NULL OR s.cancelled)"                                                              \
	" AND (s.cancelled OR s.pending + s.running + s.failed = 0)"                                                   \
	" AND (s.loaded = 0 OR s.dataset_state = 'new')"                                                               \
	" AND NOT EXISTS (SELECT FROM csvp.running r WHERE r.job = s.id)"

static int
list(struct pg *pg, const char *sql, size_t count, const char *const *params, int64_t **ids, size_t *found,
    struct err *e)
{
	struct pg_rows *rows;

	if (pg_query(pg, &rows, e, sql, count, params) != 0)
		return -1;
	*found = pg_rows_count(rows);
	*ids = pg_rows_ids(rows);
	pg_rows_free(rows);
	return 0;
}

int
retire_datasets(struct pg *pg, const char *before, int64_t **ids, size_t *count, struct err *e)
{
	return list(pg, "SELECT DISTINCT s.dataset FROM csvp.job_status s WHERE " ENDED " ORDER BY 1", 1,
	    (const char *const[]){before}, ids, count, e);
}

int
retire_jobs(struct pg *pg, int64_t dataset, const char *before, int64_t **ids, size_t *count, struct err *e)
{
	char id[NUMBER];

	snprintf(id, sizeof id, "%" PRId64, dataset);
	return list(pg, "SELECT s.id FROM csvp.job_status s WHERE s.dataset = $2 AND " ENDED " ORDER BY s.seq", 2,
	    (const char *const[]){before, id}, ids, count, e);
}

/* Its row is locked: what is true now stays true. */
static int
still_ended(struct pg *pg, int64_t job, const char *before, struct retired *r, struct err *e)
{
	struct pg_rows *rows;
	char id[NUMBER];
	int ended;

	snprintf(id, sizeof id, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT s.total, s.records, (SELECT count(*) FROM csvp.reject WHERE job = s.id)"
		"  FROM csvp.job_status s WHERE s.id = $2 AND " ENDED,
		before, id) != 0)
		return -1;
	ended = pg_rows_count(rows) == 1;
	if (ended)
		*r = (struct retired){pg_rows_int(rows, 0, 0), pg_rows_int(rows, 0, 1), pg_rows_int(rows, 0, 2)};
	pg_rows_free(rows);
	return ended;
}

int
retire_job(struct pg *pg, int64_t job, const char *before, int64_t rows, struct retired *r, struct err *e)
{
	char sql[80], id[NUMBER], count[NUMBER];
	int ended;

	snprintf(sql, sizeof sql, "SELECT FROM csvp.job WHERE id = %" PRId64 " FOR UPDATE", job);
	if (pg_exec_waiting(pg, sql, e) != 0)
		return -1;
	ended = still_ended(pg, job, before, r, e);
	if (ended <= 0)
		return ended;
	snprintf(id, sizeof id, "%" PRId64, job);
	snprintf(count, sizeof count, "%" PRId64, rows);
	if (PG_QUERY(pg, NULL, e,
		"UPDATE csvp.job SET removed_at = clock_timestamp(), removed_rows = $2,"
		"  finished_at = coalesce(finished_at, clock_timestamp()),"
		"  removed_replayed = (SELECT count(*) FROM csvp.reject WHERE job = $1 AND replayed) WHERE id = $1",
		id, count) != 0)
		return -1;
	/* The first chunk takes the sums; what a cancelled job has never loaded is in none. */
	if (PG_QUERY(pg, NULL, e,
		"WITH s AS (SELECT count(*) AS chunks, min(line) AS line, sum(length) AS length, sum(records) AS "
		"records,"
		"   sum(inserted) AS inserted, sum(updated) AS updated, sum(unchanged) AS unchanged,"
		"   sum(superseded) AS superseded, sum(rejected) AS rejected, sum(indexed) AS indexed,"
		"   max(loaded_at) AS loaded_at, max(indexed_at) AS indexed_at, sum(load_ms) AS load_ms"
		"   FROM csvp.chunk WHERE job = $1 AND state IN ('loaded', 'indexed')),"
		" gone AS (DELETE FROM csvp.chunk USING s WHERE job = $1 AND (number > 0 OR s.chunks = 0)),"
		" reject AS (DELETE FROM csvp.reject WHERE job = $1)"
		" UPDATE csvp.chunk c SET state = 'indexed', error = NULL, line = s.line, length = s.length,"
		"   records = s.records, inserted = s.inserted, updated = s.updated, unchanged = s.unchanged,"
		"   superseded = s.superseded, rejected = s.rejected, indexed = s.indexed, loaded_at = s.loaded_at,"
		"   indexed_at = s.indexed_at, load_ms = s.load_ms FROM s"
		" WHERE c.job = $1 AND c.number = 0 AND s.chunks > 0",
		id) != 0)
		return -1;
	return 1;
}

int
retire_buried(struct pg *pg, int64_t **ids, size_t *count, struct err *e)
{
	return list(pg, "SELECT DISTINCT dataset FROM csvp.tombstone ORDER BY 1", 0, NULL, ids, count, e);
}

int64_t
retire_tombstones(struct pg *pg, struct dataset *d, struct err *e)
{
	struct pg_rows *rows;
	char id[NUMBER], bits[NUMBER];
	int64_t count;

	/*
	 * Who gives a job its seq raises the sequence of edits before the job can be seen, under this lock: a key that is
	 * deleted between the two has a tombstone that this job needs.
	 */
	if (dataset_lock(pg, d, e) != 0)
		return -1;
	snprintf(id, sizeof id, "%" PRId64, d->id);
	snprintf(bits, sizeof bits, "%d", LEDGER_OFFSET_BITS);
	if (PG_QUERY(pg, &rows, e,
		"DELETE FROM csvp.tombstone t WHERE t.dataset = $1 AND NOT EXISTS (SELECT FROM csvp.job j"
		"   WHERE j.dataset = t.dataset AND j.seq <= t.version >> $2::int AND j.removed_at IS NULL)"
		" AND NOT EXISTS (SELECT FROM csvp.change c WHERE c.dataset = t.dataset AND c.key = t.key)",
		id, bits) != 0)
		return -1;
	count = (int64_t)pg_rows_affected(rows);
	pg_rows_free(rows);
	return count;
}

int
retire_unreferenced(struct pg *pg, const int64_t *ids, size_t count, int64_t **gone, size_t *found, struct err *e)
{
	struct buf numbers = {0};
	int result;

	buf_byte(&numbers, '{');
	for (size_t i = 0; i < count; i++)
		buf_printf(&numbers, "%s%" PRId64, i > 0 ? "," : "", ids[i]);
	buf_byte(&numbers, '}');
	result = list(pg,
	    "SELECT n FROM unnest($1::bigint[]) n WHERE n <="
	    " coalesce(pg_sequence_last_value(pg_get_serial_sequence('csvp.job', 'id')::regclass), 0)"
	    " AND NOT EXISTS (SELECT FROM csvp.job WHERE id = n AND removed_at IS NULL) ORDER BY n",
	    1, (const char *const[]){numbers.bytes}, gone, found, e);
	buf_fini(&numbers);
	return result;
}
