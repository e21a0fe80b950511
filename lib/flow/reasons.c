#include "flow/reasons.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/span.h"
#include "db/pg.h"
#include "ledger/index_reject.h"

/* Between two chunks nobody holds a lock either: so long a pause means that nobody is there. */
#define IDLE_SECONDS 10

/* What the ledger says of a job; the texts are those of the row. */
struct standing {
	int64_t id;
	const char *state, *error, *max_rejects, *failed_error;
	int64_t open_rejects, failed, failed_number, idle, earlier, unindexed;
	const char *earlier_state, *dataset;
	bool held, over_limit, split, unique_keys,
	    compares; /* compares: there are rows that a record may be equal to */
};

static void
stopped(const struct standing *s, struct buf *out)
{
	if (strcmp(s->state, "cancelled") == 0)
		buf_string(out, "cancelled for good; what was loaded stays");
	else if (strcmp(s->state, "paused") == 0)
		buf_printf(out, "paused; hint: csvp-admin resume %" PRId64, s->id);
	else if (strcmp(s->state, "uploading") == 0 && !s->held)
		buf_string(out, "its upload has ended half way; hint: upload the file again");
}

static void
failed(const struct standing *s, struct buf *out)
{
	if (strcmp(s->state, "failed") != 0)
		return;
	if (s->error != NULL) {
		buf_printf(out, "the file could not be split: %s", s->error);
	} else if (s->failed > 0) {
		buf_printf(out, "%" PRId64 " failed chunk%s, the first %" PRId64 "/%" PRId64 ": %s", s->failed,
		    s->failed > 1 ? "s" : "", s->id, s->failed_number,
		    s->failed_error != NULL ? s->failed_error : "no error was kept");
		buf_printf(out, "; hint: csvp-load %" PRId64, s->id);
	} else if (s->over_limit) {
		buf_printf(out,
		    "%" PRId64 " rejected, and %s allowed; hint: csvp-status --rejects %" PRId64
		    " shows them, csvp-load --max-rejects N %" PRId64 " allows them",
		    s->open_rejects, s->max_rejects, s->id, s->id);
	}
}

static void
forsaken(const struct standing *s, struct buf *out)
{
	bool open =
	    strcmp(s->state, "waiting") == 0 || strcmp(s->state, "loading") == 0 || strcmp(s->state, "indexing") == 0;

	if (!open || s->held || s->idle < IDLE_SECONDS)
		return;
	buf_string(out, "nobody has worked on it for ");
	span_text(out, s->idle);
	buf_printf(out, "; hint: csvp-run --resume %" PRId64, s->id);
}

static void
rewriting(const struct standing *s, struct buf *out)
{
	if (!s->compares || !s->split || (strcmp(s->state, "loading") != 0 && strcmp(s->state, "paused") != 0))
		return;
	if (s->earlier > 0)
		buf_printf(out, "rows that are equal already are rewritten, since the earlier job %" PRId64 " is %s",
		    s->earlier, s->earlier_state);
	else if (!s->unique_keys)
		buf_string(out, "rows that are equal already are rewritten, since a key occurs twice in the file");
}

static void
unindexed(const struct standing *s, struct buf *out)
{
	if (s->unindexed > 0)
		buf_printf(out,
		    "the search engine refuses %" PRId64 " of its records; hint: csvp-admin dataset unindexed %s",
		    s->unindexed, s->dataset);
}

static int
tell(const struct standing *s, reasons_each *each, void *ctx, struct err *e)
{
	void (*const all[])(const struct standing *s, struct buf *out) = {
	    stopped, failed, forsaken, rewriting, unindexed};
	struct buf sentence = {0};
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof all / sizeof *all; i++) {
		buf_reset(&sentence);
		all[i](s, &sentence);
		if (sentence.length > 0)
			result = each(ctx, sentence.bytes, e);
	}
	buf_fini(&sentence);
	return result;
}

#define UNINDEXED INDEX_REJECTS_OF_JOB("s")

int
reasons_of_job(struct pg *pg, int64_t job, bool held, reasons_each *each, void *ctx, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int result = 0;

	snprintf(id, sizeof id, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT s.derived, s.error, s.max_rejects, f.error, coalesce(s.rejected - s.replayed, 0), s.failed,"
		"  coalesce(f.number, 0),"
		"  extract(epoch FROM clock_timestamp() - greatest(s.created_at, s.started_at, m.last))::bigint,"
		"  b.id, b.derived, s.over_limit, s.state = 'split', s.unique_keys,"
		"  cardinality(d.key) > 0 AND d.state = 'ready' AND d.seal < s.seq AND p.id IS NOT NULL,"
		"  d.name, " UNINDEXED "  FROM csvp.job_status s JOIN csvp.dataset d ON d.id = s.dataset"
		"  LEFT JOIN LATERAL (SELECT number, error FROM csvp.chunk WHERE job = s.id AND state = 'failed'"
		"                      ORDER BY number LIMIT 1) f ON true"
		"  LEFT JOIN LATERAL (SELECT greatest(max(loaded_at), max(indexed_at)) AS last FROM csvp.chunk"
		"                      WHERE job = s.id) m ON true"
		"  LEFT JOIN LATERAL (SELECT id, derived FROM csvp.job_status WHERE dataset = s.dataset"
		"                      AND seq < s.seq AND removed_at IS NULL"
		"                      AND derived NOT IN ('cancelled', 'indexing', 'done') ORDER BY seq LIMIT 1) b"
		"   ON true"
		"  LEFT JOIN LATERAL (SELECT id FROM csvp.job WHERE dataset = s.dataset AND seq < s.seq LIMIT 1) p"
		"   ON true"
		" WHERE s.id = $1",
		id) != 0)
		return -1;
	if (pg_rows_count(rows) == 1) {
		const struct standing s = {
		    .id = job,
		    .state = pg_rows_text(rows, 0, 0),
		    .error = pg_rows_text(rows, 0, 1),
		    .max_rejects = pg_rows_text(rows, 0, 2),
		    .failed_error = pg_rows_text(rows, 0, 3),
		    .open_rejects = pg_rows_int(rows, 0, 4),
		    .failed = pg_rows_int(rows, 0, 5),
		    .failed_number = pg_rows_int(rows, 0, 6),
		    .idle = pg_rows_int(rows, 0, 7),
		    .earlier = pg_rows_int(rows, 0, 8),
		    .earlier_state = pg_rows_text(rows, 0, 9),
		    .over_limit = pg_rows_bool(rows, 0, 10),
		    .split = pg_rows_bool(rows, 0, 11),
		    .unique_keys = pg_rows_bool(rows, 0, 12),
		    .compares = pg_rows_bool(rows, 0, 13),
		    .dataset = pg_rows_text(rows, 0, 14),
		    .unindexed = pg_rows_int(rows, 0, 15),
		    .held = held,
		};

		result = tell(&s, each, ctx, e);
	}
	pg_rows_free(rows);
	return result;
}
