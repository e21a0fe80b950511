#include "flow/status.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"
#include "ledger/index_reject.h"
#include "ledger/job.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/* A job is done with its last chunk; that is written down a little later, by whoever closes the dataset's books. */
#define FINISHED_AT                                                                                                    \
	"coalesce(s.finished_at, CASE s.derived WHEN 'done' THEN"                                                      \
	" (SELECT max(c.indexed_at) FROM csvp.chunk c WHERE c.job = s.id) END)"

#define COLUMNS                                                                                                        \
	"s.id, s.dataset_name, s.derived, s.file, encode(s.sha256, 'hex'), coalesce(s.bytes, 0), s.records,"           \
	" s.inserted, s.updated, s.unchanged, s.superseded, s.rejected, s.replayed, s.indexed, s.total, s.pending,"    \
	" s.running, s.loaded, s.indexed_chunks, s.failed, " TIME("s.created_at") ", " TIME("s.started_at") ", " TIME( \
	    FINISHED_AT) ", s.error, coalesce(s.error_code, 0), " INDEX_REJECTS_OF_JOB("s")

/*
 * How far, and how fast over the last minute, or since the first chunk of that
 * minute if it was begun later: a job that stood still for an hour is not slow
 * now. When an index write began is not kept: it is measured from the end of
 * the first one.
 */
#define PACE                                                                                                           \
	"coalesce(coalesce(p.done, 0) * 100 / nullif(p.bytes, 0), -1)::bigint,"                                        \
	" coalesce(p.recent_records / p.seconds, -1)::bigint,"                                                         \
	" coalesce(ceil((p.bytes - coalesce(p.done, 0)) * p.seconds / nullif(p.recent_bytes, 0)), -1)::bigint"
#define FROM                                                                                                           \
	" FROM csvp.job_status s CROSS JOIN LATERAL (SELECT sum(k.length) AS bytes,"                                   \
	"  sum(k.length) FILTER (WHERE k.state = 'indexed'"                                                            \
	"                           OR (k.state = 'loaded' AND s.derived <> 'indexing')) AS done,"                     \
	"  sum(k.records) FILTER (WHERE k.at >= w.since) AS recent_records,"                                           \
	"  sum(k.length) FILTER (WHERE k.at >= w.since) AS recent_bytes,"                                              \
	"  nullif(extract(epoch FROM clock_timestamp() - min(w.since)), 0) AS seconds"                                 \
	"  FROM (SELECT c.*,"                                                                                          \
	"               CASE s.derived WHEN 'loading' THEN c.loaded_at WHEN 'indexing' THEN c.indexed_at END AS at"    \
	"          FROM csvp.chunk c WHERE c.job = s.id AND s.derived <> 'done') k,"                                   \
	"       (SELECT greatest(clock_timestamp() - interval '1 minute', CASE s.derived"                              \
	"                 WHEN 'loading' THEN min(r.loaded_at - r.load_ms * interval '1 ms')"                          \
	"                 ELSE min(r.indexed_at) + interval '1 microsecond' END) AS since"                             \
	"          FROM csvp.chunk r WHERE r.job = s.id AND s.derived IN ('loading', 'indexing')"                      \
	"           AND CASE s.derived WHEN 'loading' THEN r.loaded_at ELSE r.indexed_at END"                          \
	"               > clock_timestamp() - interval '1 minute') w) p"

static enum err_code
verdict_of(const struct status *s, int64_t error_code)
{
	if (error_code != 0)
		return (enum err_code)error_code;
	if (strcmp(s->state, "failed") == 0 || strcmp(s->state, "cancelled") == 0)
		return ERR_DATA;
	if (strcmp(s->state, "done") == 0)
		return s->rejected > s->replayed || s->unindexed > 0 ? ERR_REJECTS : ERR_NONE;
	return ERR_AGAIN;
}

struct visit {
	status_each *each;
	void *ctx;
	size_t seen;
};

static int
visit_row(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct visit *v = ctx;
	struct status s = {
	    .id = pg_rows_int(row, 0, 0),
	    .dataset = pg_rows_text(row, 0, 1),
	    .state = pg_rows_text(row, 0, 2),
	    .file = pg_rows_text(row, 0, 3),
	    .sha256 = pg_rows_text(row, 0, 4),
	    .created_at = pg_rows_text(row, 0, 20),
	    .started_at = pg_rows_text(row, 0, 21),
	    .finished_at = pg_rows_text(row, 0, 22),
	    .error = pg_rows_text(row, 0, 23),
	};
	int64_t *const numbers[] = {&s.bytes, &s.records, &s.inserted, &s.updated, &s.unchanged, &s.superseded,
	    &s.rejected, &s.replayed, &s.indexed, &s.total, &s.pending, &s.running, &s.loaded, &s.indexed_chunks,
	    &s.failed};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		*numbers[i] = pg_rows_int(row, 0, 5 + i);
	s.unindexed = pg_rows_int(row, 0, 25);
	s.verdict = verdict_of(&s, pg_rows_int(row, 0, 24));
	s.percent = strcmp(s.state, "done") == 0 ? 100 : (int)pg_rows_int(row, 0, 26);
	s.speed = pg_rows_int(row, 0, 27);
	s.left = pg_rows_int(row, 0, 28);
	v->seen++;
	return v->each(v->ctx, &s, e);
}

int
status_jobs(struct pg *pg, const int64_t *ids, size_t count, status_each *each, void *ctx, struct err *e)
{
	struct visit v = {each, ctx, 0};

	if (count == 0)
		return pg_stream(pg, "SELECT " COLUMNS ", " PACE FROM " WHERE s.removed_at IS NULL ORDER BY s.id", 0,
		    NULL, visit_row, &v, e);
	for (size_t i = 0; i < count; i++) {
		char id[24];

		snprintf(id, sizeof id, "%" PRId64, ids[i]);
		v.seen = 0;
		if (pg_stream(pg, "SELECT " COLUMNS ", " PACE FROM " WHERE s.id = $1", 1, (const char *const[]){id},
			visit_row, &v, e) != 0)
			return -1;
		if (v.seen == 0)
			return err_set(
			    e, ERR_NOINPUT, "there is no job %" PRId64 "; hint: csvp-status lists the jobs", ids[i]);
	}
	return 0;
}

/* One more than is wanted says that there are more. */
struct page {
	status_each *each;
	void *ctx;
	int64_t left;
	bool more;
};

static int
visit_page(void *ctx, const struct status *s, struct err *e)
{
	struct page *page = ctx;

	if (page->left-- > 0)
		return page->each(page->ctx, s, e);
	page->more = true;
	return 0;
}

int
status_recent(struct pg *pg, const struct status_wish *wish, status_each *each, void *ctx, bool *more, struct err *e)
{
	struct page page = {each, ctx, wish->limit, false};
	struct visit v = {visit_page, &page, 0};
	char before[24], limit[24];
	int result;

	snprintf(before, sizeof before, "%" PRId64, wish->before);
	snprintf(limit, sizeof limit, "%" PRId64, wish->limit + 1);
	result = pg_stream(pg,
	    "SELECT " COLUMNS ", " PACE FROM " WHERE ($1::bigint = 0 OR s.id < $1::bigint)"
	    " AND ($2::text IS NULL OR s.dataset_name = $2) AND ($3::text IS NULL OR s.derived = $3)"
	    " ORDER BY s.id DESC LIMIT $4::bigint",
	    4, (const char *const[]){before, wish->dataset, wish->state, limit}, visit_row, &v, e);
	*more = page.more;
	return result;
}

int
status_unfinished(struct pg *pg, int64_t **ids, size_t *count, struct err *e)
{
	struct pg_rows *rows;

	/* One that is done, and not closed: its last worker died in between. */
	if (pg_query(pg, &rows, e,
		"SELECT id FROM csvp.job_status WHERE derived IN ('waiting', 'loading', 'indexing') OR loaded > 0"
		" OR derived = 'done' AND finished_at IS NULL ORDER BY id",
		0, NULL) != 0)
		return -1;
	*count = pg_rows_count(rows);
	*ids = pg_rows_ids(rows);
	pg_rows_free(rows);
	return 0;
}

static void
add_text(cJSON *object, const char *name, const char *text)
{
	if (text != NULL)
		cJSON_AddStringToObject(object, name, text);
	else
		cJSON_AddNullToObject(object, name);
}

static void
add_number(cJSON *object, const char *name, int64_t number)
{
	char text[24];

	/* Raw: cJSON's numbers are doubles, ours may pass 2^53. */
	snprintf(text, sizeof text, "%" PRId64, number);
	cJSON_AddRawToObject(object, name, text);
}

/* Append the object's text, and free the object. */
static void
print_object(cJSON *object, struct buf *json)
{
	char *text = cJSON_PrintUnformatted(object);

	buf_string(json, text);
	cJSON_free(text);
	cJSON_Delete(object);
}

void
status_to_json(const struct status *s, struct buf *json)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *chunks;

	add_number(object, "id", s->id);
	add_text(object, "dataset", s->dataset);
	add_text(object, "state", s->state);
	add_text(object, "file", s->file);
	add_number(object, "bytes", s->bytes);
	add_text(object, "sha256", s->sha256);
	add_number(object, "records", s->records);
	add_number(object, "inserted", s->inserted);
	add_number(object, "updated", s->updated);
	add_number(object, "unchanged", s->unchanged);
	add_number(object, "superseded", s->superseded);
	add_number(object, "rejected", s->rejected);
	add_number(object, "replayed", s->replayed);
	add_number(object, "indexed", s->indexed);
	add_number(object, "unindexed", s->unindexed);
	chunks = cJSON_AddObjectToObject(object, "chunks");
	add_number(chunks, "total", s->total);
	add_number(chunks, "pending", s->pending);
	add_number(chunks, "running", s->running);
	add_number(chunks, "loaded", s->loaded);
	add_number(chunks, "indexed", s->indexed_chunks);
	add_number(chunks, "failed", s->failed);
	add_text(object, "created_at", s->created_at);
	add_text(object, "started_at", s->started_at);
	add_text(object, "finished_at", s->finished_at);
	add_text(object, "error", s->error);
	print_object(object, json);
}

struct chunk_visit {
	int64_t job;
	status_each_chunk *each;
	void *ctx;
};

static int
visit_chunk(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct chunk_visit *v = ctx;
	struct status_chunk c = {
	    .job = v->job,
	    .number = pg_rows_int(row, 0, 0),
	    .byte = pg_rows_int(row, 0, 1),
	    .length = pg_rows_int(row, 0, 2),
	    .line = pg_rows_int(row, 0, 3),
	    .records = pg_rows_int(row, 0, 4),
	    .state = pg_rows_text(row, 0, 5),
	    .inserted = pg_rows_int(row, 0, 6),
	    .updated = pg_rows_int(row, 0, 7),
	    .unchanged = pg_rows_int(row, 0, 8),
	    .superseded = pg_rows_int(row, 0, 9),
	    .rejected = pg_rows_int(row, 0, 10),
	    .milliseconds = pg_rows_int(row, 0, 11),
	    .error = pg_rows_text(row, 0, 12),
	    .loaded_at = pg_rows_text(row, 0, 13),
	    .indexed_at = pg_rows_text(row, 0, 14),
	    .worker = pg_rows_text(row, 0, 15),
	};

	return v->each(v->ctx, &c, e);
}

int
status_chunks(struct pg *pg, int64_t job, status_each_chunk *each, void *ctx, struct err *e)
{
	struct chunk_visit v = {job, each, ctx};
	struct job there;
	char id[24];

	if (job_load(pg, job, &there, e) != 0)
		return -1;
	job_fini(&there);
	snprintf(id, sizeof id, "%" PRId64, job);
	return pg_stream(pg,
	    "SELECT c.number, c.byte, c.length, c.line, c.records,"
	    "  CASE WHEN c.state = 'pending' AND r.chunk IS NOT NULL THEN 'running' ELSE c.state END, c.inserted,"
	    "  c.updated, c.unchanged, c.superseded, c.rejected, coalesce(c.load_ms, 0), c.error,"
	    "  " TIME("c.loaded_at") ", " TIME(
		"c.indexed_at") ", a.application_name"
				"  FROM csvp.chunk c LEFT JOIN csvp.running r ON r.job = c.job AND r.chunk = c.number"
				"  LEFT JOIN pg_stat_activity a ON a.pid = r.pid"
				" WHERE c.job = $1 ORDER BY c.number",
	    1, (const char *const[]){id}, visit_chunk, &v, e);
}

void
status_chunk_to_json(const struct status_chunk *c, struct buf *json)
{
	cJSON *object = cJSON_CreateObject();

	add_number(object, "job", c->job);
	add_number(object, "chunk", c->number);
	add_text(object, "state", c->state);
	add_number(object, "byte", c->byte);
	add_number(object, "length", c->length);
	add_number(object, "line", c->line);
	add_number(object, "records", c->records);
	add_number(object, "inserted", c->inserted);
	add_number(object, "updated", c->updated);
	add_number(object, "unchanged", c->unchanged);
	add_number(object, "superseded", c->superseded);
	add_number(object, "rejected", c->rejected);
	add_number(object, "milliseconds", c->milliseconds);
	add_text(object, "loaded_at", c->loaded_at);
	add_text(object, "indexed_at", c->indexed_at);
	add_text(object, "worker", c->worker);
	add_text(object, "error", c->error);
	print_object(object, json);
}
