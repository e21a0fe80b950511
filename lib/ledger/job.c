#include "ledger/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "db/pg.h"
#include "ledger/index_reject.h"

void
job_fini(struct job *job)
{
	free(job->file);
	free(job->object);
	free(job->options);
	free(job->error);
	free(job->columns);
	*job = (struct job){0};
}

static char *
copy(const char *text)
{
	return text != NULL ? buf_strdup(text) : NULL;
}

/* "{1,2,-1}" as PostgreSQL prints an int[]. */
static void
parse_columns(struct job *job, const char *text)
{
	if (text == NULL)
		return;
	for (const char *p = text; *p != '\0' && *p != '}';) {
		char *end;
		long value = strtol(p + 1, &end, 10);

		if (end == p + 1)
			break;
		job->columns = buf_realloc(job->columns, job->column_count + 1, sizeof *job->columns);
		job->columns[job->column_count++] = (int)value;
		p = end;
	}
}

int
job_load(struct pg *pg, int64_t id, struct job *job, struct err *e)
{
	struct pg_rows *rows;
	const char *state;
	char number[24];

	*job = (struct job){0};
	snprintf(number, sizeof number, "%" PRId64, id);
	if (PG_QUERY(pg, &rows, e,
		"SELECT dataset, coalesce(seq, 0), state, cancelled, paused, fail_fast, unique_keys, file, object,"
		" coalesce(object_bytes, 0), options, error, coalesce(error_code, 0), columns, finished_at IS NOT NULL,"
		" removed_at IS NOT NULL"
		" FROM csvp.job WHERE id = $1",
		number) != 0)
		return -1;
	if (pg_rows_count(rows) != 1) {
		pg_rows_free(rows);
		return err_set(e, ERR_NOINPUT, "there is no job %" PRId64 "; hint: csvp-status lists the jobs", id);
	}
	state = pg_rows_text(rows, 0, 2);
	*job = (struct job){
	    .id = id,
	    .dataset = pg_rows_int(rows, 0, 0),
	    .seq = pg_rows_int(rows, 0, 1),
	    .state = strcmp(state, "split") == 0    ? JOB_SPLIT
		     : strcmp(state, "stored") == 0 ? JOB_STORED
						    : JOB_UPLOADING,
	    .cancelled = pg_rows_bool(rows, 0, 3),
	    .paused = pg_rows_bool(rows, 0, 4),
	    .fail_fast = pg_rows_bool(rows, 0, 5),
	    .unique_keys = pg_rows_bool(rows, 0, 6),
	    .file = copy(pg_rows_text(rows, 0, 7)),
	    .object = copy(pg_rows_text(rows, 0, 8)),
	    .object_bytes = (uint64_t)pg_rows_int(rows, 0, 9),
	    .options = copy(pg_rows_text(rows, 0, 10)),
	    .error = copy(pg_rows_text(rows, 0, 11)),
	    .error_code = (enum err_code)pg_rows_int(rows, 0, 12),
	    .finished = pg_rows_bool(rows, 0, 14),
	    .removed = pg_rows_bool(rows, 0, 15),
	};
	parse_columns(job, pg_rows_text(rows, 0, 13));
	pg_rows_free(rows);
	return 0;
}

int
job_check_kept(const struct job *job, struct err *e)
{
	if (!job->removed)
		return 0;
	return err_set(e, ERR_NOINPUT,
	    "job %" PRId64 " was removed by csvp-admin gc, with what was stored of it; hint: upload %s again", job->id,
	    job->file);
}

int
job_open(struct pg *pg, int64_t dataset, const char *file, const char *options, const char *max_rejects, bool fail_fast,
    int64_t *id, char **object, struct err *e)
{
	struct pg_rows *rows;
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e,
		"INSERT INTO csvp.job (id, dataset, file, object, options, max_rejects, fail_fast) OVERRIDING SYSTEM "
		"VALUE"
		" SELECT n, $1::bigint, $2, format('objects/%s/%s/%s', s.id, $1, n), $3::jsonb, $4, $5::boolean"
		"   FROM csvp.site s, csvp.dataset d, nextval(pg_get_serial_sequence('csvp.job', 'id')) AS n"
		"  WHERE d.id = $1::bigint FOR KEY SHARE OF d RETURNING id, object",
		number, file, options, max_rejects, fail_fast ? "t" : "f") != 0)
		return -1;
	if (pg_rows_count(rows) != 1) {
		pg_rows_free(rows);
		return err_set(e, ERR_NOINPUT, "dataset %" PRId64 " is gone", dataset);
	}
	*id = pg_rows_int(rows, 0, 0);
	*object = buf_strdup(pg_rows_text(rows, 0, 1));
	pg_rows_free(rows);
	return 0;
}

int
job_objects(struct pg *pg, int64_t dataset, char **prefix, struct err *e)
{
	struct pg_rows *rows;
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e,
		"SELECT format('objects/%s/%s', id, coalesce(nullif($1, '0') || '/', '')) FROM csvp.site", number) != 0)
		return -1;
	*prefix = buf_strdup(pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return 0;
}

int
job_discard(struct pg *pg, int64_t id, struct err *e)
{
	return pg_execf(pg, e, "DELETE FROM csvp.job WHERE id = %" PRId64 " AND state = 'uploading'", id);
}

int
job_uploading(struct pg *pg, int64_t dataset, int64_t **ids, size_t *count, struct err *e)
{
	struct pg_rows *rows;
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e,
		"SELECT id FROM csvp.job WHERE $1::bigint IN (0, dataset) AND state = 'uploading' ORDER BY id",
		number) != 0)
		return -1;
	*count = pg_rows_count(rows);
	*ids = pg_rows_ids(rows);
	pg_rows_free(rows);
	return 0;
}

int64_t
job_lowest_unsplit(struct pg *pg, int64_t dataset, struct err *e)
{
	struct pg_rows *rows;
	char number[24];
	int64_t id = 0;

	snprintf(number, sizeof number, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e,
		"SELECT id FROM csvp.job WHERE dataset = $1 AND state = 'stored' AND error IS NULL AND NOT cancelled"
		" ORDER BY seq LIMIT 1",
		number) != 0)
		return -1;
	if (pg_rows_count(rows) == 1)
		id = pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return id;
}

int
job_set_split(struct pg *pg, int64_t id, const int *columns, size_t count, bool unique_keys, uint64_t records,
    uint64_t blank_lines, struct err *e)
{
	struct buf list = {0};
	int result;

	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s%d", i > 0 ? "," : "", columns[i]);
	result = pg_execf(pg, e,
	    "UPDATE csvp.job SET state = 'split', error = NULL, error_code = NULL, finished_at = NULL, columns = "
	    "'{%s}', unique_keys = %s,"
	    " records = %" PRIu64 ", blank_lines = %" PRIu64 " WHERE id = %" PRId64,
	    count > 0 ? list.bytes : "", unique_keys ? "true" : "false", records, blank_lines, id);
	buf_fini(&list);
	return result;
}

int
job_set_error(struct pg *pg, int64_t id, const struct err *why, struct err *e)
{
	char number[24], code[12];

	snprintf(number, sizeof number, "%" PRId64, id);
	snprintf(code, sizeof code, "%d", (int)why->code);
	return PG_QUERY(pg, NULL, e,
	    "UPDATE csvp.job SET error = $2, error_code = $3, finished_at = coalesce(finished_at, clock_timestamp()) "
	    "WHERE id = $1",
	    number, why->message, code);
}

int
job_set_started(struct pg *pg, int64_t id, struct err *e)
{
	return pg_execf(pg, e,
	    "UPDATE csvp.job SET started_at = clock_timestamp() WHERE id = %" PRId64 " AND started_at IS NULL", id);
}

/* The row is locked FOR SHARE by a worker between its last look at the flags and its commit. */
static int
set_flag(struct pg *pg, int64_t id, const char *assignment, struct err *e)
{
	char sql[160];

	snprintf(sql, sizeof sql, "UPDATE csvp.job SET %s WHERE id = %" PRId64, assignment, id);
	return pg_exec_waiting(pg, sql, e);
}

int
job_set_cancelled(struct pg *pg, int64_t id, struct err *e)
{
	return set_flag(pg, id, "cancelled = true, finished_at = coalesce(finished_at, clock_timestamp())", e);
}

int
job_set_paused(struct pg *pg, int64_t id, bool paused, struct err *e)
{
	return set_flag(pg, id, paused ? "paused = true" : "paused = false", e);
}

int
job_check_wanted(struct pg *pg, int64_t id, struct err *e)
{
	struct pg_rows *rows;
	char number[24];
	bool cancelled, paused;

	snprintf(number, sizeof number, "%" PRId64, id);
	if (PG_QUERY(pg, &rows, e,
		"SELECT cancelled OR removed_at IS NOT NULL, paused FROM csvp.job WHERE id = $1 FOR SHARE",
		number) != 0)
		return -1;
	cancelled = pg_rows_count(rows) == 0 || pg_rows_bool(rows, 0, 0);
	paused = !cancelled && pg_rows_bool(rows, 0, 1);
	pg_rows_free(rows);
	if (cancelled)
		return err_set(e, ERR_DATA, "job %" PRId64 " was cancelled or removed", id);
	if (paused)
		return err_set(e, ERR_AGAIN, "job %" PRId64 " was paused", id);
	return 0;
}

int
job_set_finished(struct pg *pg, int64_t id, struct err *e)
{
	return pg_execf(pg, e,
	    "UPDATE csvp.job SET finished_at = clock_timestamp() WHERE id = %" PRId64 " AND finished_at IS NULL", id);
}

int
job_earlier_finished(struct pg *pg, const struct job *job, struct err *e)
{
	struct pg_rows *rows;
	char dataset[24], seq[24];
	int finished;

	snprintf(dataset, sizeof dataset, "%" PRId64, job->dataset);
	snprintf(seq, sizeof seq, "%" PRId64, job->seq);
	if (PG_QUERY(pg, &rows, e,
		"SELECT NOT EXISTS (SELECT FROM csvp.job_status WHERE dataset = $1 AND seq < $2 AND removed_at IS NULL"
		" AND derived NOT IN ('cancelled', 'indexing', 'done'))",
		dataset, seq) != 0)
		return -1;
	finished = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return finished;
}

#define UNINDEXED INDEX_REJECTS_OF_JOB("j")

int
job_verdict(struct pg *pg, int64_t id, struct job_verdict *v, struct err *e)
{
	struct pg_rows *rows;
	char number[24];
	int64_t error_code, open;
	bool over;

	snprintf(number, sizeof number, "%" PRId64, id);
	if (PG_QUERY(pg, &rows, e,
		"SELECT derived, pending, running, loaded, failed, rejected - replayed, over_limit,"
		" coalesce(error_code, 0), records, " UNINDEXED ","
		" (SELECT count(*) FROM csvp.chunk k JOIN csvp.running r ON r.job = k.job AND r.chunk = k.number"
		"   WHERE k.job = j.id AND k.state = 'loaded')"
		"  FROM csvp.job_status j WHERE id = $1",
		number) != 0)
		return -1;
	if (pg_rows_count(rows) != 1) {
		pg_rows_free(rows);
		return err_set(e, ERR_NOINPUT, "there is no job %" PRId64, id);
	}
	*v = (struct job_verdict){0};
	snprintf(v->state, sizeof v->state, "%s", pg_rows_text(rows, 0, 0));
	v->pending = pg_rows_int(rows, 0, 1);
	v->held = pg_rows_int(rows, 0, 2);
	v->to_index = pg_rows_int(rows, 0, 3);
	v->failed = pg_rows_int(rows, 0, 4);
	open = pg_rows_int(rows, 0, 5);
	over = pg_rows_bool(rows, 0, 6);
	error_code = pg_rows_int(rows, 0, 7);
	v->open_rejects = open;
	v->records = pg_rows_int(rows, 0, 8);
	v->unindexed = pg_rows_int(rows, 0, 9);
	v->indexing = pg_rows_int(rows, 0, 10);
	pg_rows_free(rows);

	if (error_code != 0)
		v->code = (enum err_code)error_code;
	else if (strcmp(v->state, "failed") == 0)
		v->code = over || v->failed > 0 ? ERR_DATA : ERR_BUG;
	else if (strcmp(v->state, "cancelled") == 0)
		v->code = ERR_DATA;
	else if (strcmp(v->state, "done") == 0 || strcmp(v->state, "indexing") == 0)
		v->code = open + v->unindexed > 0 ? ERR_REJECTS : ERR_NONE;
	else
		v->code = ERR_AGAIN;
	return 0;
}

int
job_given_up(struct pg *pg, int64_t id, struct err *e)
{
	struct pg_rows *rows;
	char number[24];
	int result;

	snprintf(number, sizeof number, "%" PRId64, id);
	if (PG_QUERY(pg, &rows, e, "SELECT " JOB_GIVEN_UP " FROM csvp.job j WHERE j.id = $1", number) != 0)
		return -1;
	result = pg_rows_count(rows) == 1 && pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return result;
}

/* The number of a limit, and whether it is a percentage. */
static bool
parse_limit(const char *limit, uint64_t *value, bool *percent)
{
	char digits[24];
	size_t length = strlen(limit);

	*percent = length > 0 && limit[length - 1] == '%';
	if (length - *percent >= sizeof digits)
		return false;
	snprintf(digits, sizeof digits, "%.*s", (int)(length - *percent), limit);
	return num_uint64(digits, value) && *value <= (*percent ? 100 : INT64_MAX);
}

int
job_check_limit(const char *limit, struct err *e)
{
	uint64_t value;
	bool percent;

	if (parse_limit(limit, &value, &percent))
		return 0;
	return err_set(e, ERR_USAGE, "--max-rejects '%s' is neither a number nor a percentage (0%% to 100%%)", limit);
}

bool
job_over_limit(const char *limit, uint64_t rejected, uint64_t records)
{
	uint64_t value;
	bool percent;

	return parse_limit(limit, &value, &percent) && (percent ? rejected * 100 > value * records : rejected > value);
}

int
job_set_limit(struct pg *pg, int64_t id, const char *limit, struct err *e)
{
	char number[24];

	if (job_check_limit(limit, e) != 0)
		return -1;
	snprintf(number, sizeof number, "%" PRId64, id);
	return PG_QUERY(pg, NULL, e, "UPDATE csvp.job SET max_rejects = $2 WHERE id = $1", number, limit);
}
