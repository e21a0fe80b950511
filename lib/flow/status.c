#include "flow/status.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

#define COLUMNS                                                                                                        \
	"id, dataset_name, derived, file, encode(sha256, 'hex'), coalesce(bytes, 0), records, inserted, updated, "     \
	"unchanged,"                                                                                                   \
	" superseded, rejected, replayed, indexed, total, pending, running, loaded, indexed_chunks, failed,"           \
	" " TIME("created_at") ", " TIME("started_at") ", " TIME("finished_at") ", error, coalesce(error_code, 0)"

static enum err_code
verdict_of(const struct status *s, int64_t error_code)
{
	if (error_code != 0)
		return (enum err_code)error_code;
	if (strcmp(s->state, "failed") == 0 || strcmp(s->state, "cancelled") == 0)
		return ERR_DATA;
	if (strcmp(s->state, "done") == 0)
		return s->rejected > s->replayed ? ERR_REJECTS : ERR_NONE;
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
	s.verdict = verdict_of(&s, pg_rows_int(row, 0, 24));
	v->seen++;
	return v->each(v->ctx, &s, e);
}

int
status_jobs(struct pg *pg, const int64_t *ids, size_t count, status_each *each, void *ctx, struct err *e)
{
	struct visit v = {each, ctx, 0};

	if (count == 0)
		return pg_stream(pg, "SELECT " COLUMNS " FROM csvp.job_status ORDER BY id", 0, NULL, visit_row, &v, e);
	for (size_t i = 0; i < count; i++) {
		char id[24];

		snprintf(id, sizeof id, "%" PRId64, ids[i]);
		v.seen = 0;
		if (pg_stream(pg, "SELECT " COLUMNS " FROM csvp.job_status WHERE id = $1", 1, (const char *const[]){id},
			visit_row, &v, e) != 0)
			return -1;
		if (v.seen == 0)
			return err_set(
			    e, ERR_NOINPUT, "there is no job %" PRId64 "; hint: csvp-status lists the jobs", ids[i]);
	}
	return 0;
}

int
status_unfinished(struct pg *pg, int64_t **ids, size_t *count, struct err *e)
{
	struct pg_rows *rows;

	if (pg_query(pg, &rows, e,
		"SELECT id FROM csvp.job_status WHERE derived IN ('waiting', 'loading', 'indexing') OR loaded > 0 "
		"ORDER BY id",
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

void
status_to_json(const struct status *s, struct buf *json)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *chunks;
	char *text;

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
	text = cJSON_PrintUnformatted(object);
	buf_string(json, text);
	cJSON_free(text);
	cJSON_Delete(object);
}

struct chunk_visit {
	int (*each)(void *ctx, const struct status_chunk *c, struct err *e);
	void *ctx;
};

static int
visit_chunk(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct chunk_visit *v = ctx;
	struct status_chunk c = {
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
	};

	return v->each(v->ctx, &c, e);
}

int
status_chunks(struct pg *pg, int64_t job, int (*each)(void *ctx, const struct status_chunk *c, struct err *e),
    void *ctx, struct err *e)
{
	struct chunk_visit v = {each, ctx};
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, job);
	return pg_stream(pg,
	    "SELECT c.number, c.byte, c.length, c.line, c.records,"
	    "  CASE WHEN c.state = 'pending' AND r.chunk IS NOT NULL THEN 'running' ELSE c.state END, c.inserted, "
	    "c.updated,"
	    "  c.unchanged, c.superseded, c.rejected, coalesce(c.load_ms, 0), c.error"
	    "  FROM csvp.chunk c LEFT JOIN csvp.running r ON r.job = c.job AND r.chunk = c.number"
	    " WHERE c.job = $1 ORDER BY c.number",
	    1, (const char *const[]){id}, visit_chunk, &v, e);
}
