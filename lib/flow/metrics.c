#include "flow/metrics.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/buf.h"
#include "db/pg.h"
#include "queue/queue.h"

/*
 * A query gives rows of a label's value and a number; without a label, one
 * number. States come from a list, so that a series is there before its first
 * job is.
 */
static const struct metric {
	const char *name, *help, *label, *sql;
} metrics[] = {
    {"csvp_jobs", "Jobs by state.", "state",
	"SELECT v.state, count(s.id) FROM (VALUES ('uploading'), ('waiting'), ('loading'), ('indexing'), ('done'),"
	" ('failed'), ('cancelled'), ('paused')) v (state) LEFT JOIN csvp.job_status s ON s.derived = v.state GROUP BY "
	"1"},
    {"csvp_chunks", "Chunks by state; running ones are pending.", "state",
	"SELECT v.state, count(c.job) FROM (VALUES ('pending'), ('loaded'), ('indexed'), ('failed')) v (state)"
	" LEFT JOIN csvp.chunk c ON c.state = v.state GROUP BY 1"},
    {"csvp_chunks_running", "Chunks that somebody works on.", NULL, "SELECT NULL, count(*) FROM csvp.running"},
    {"csvp_uploaded_bytes", "Bytes of the files of all jobs, as received.", NULL,
	"SELECT NULL, coalesce(sum(bytes), 0) FROM csvp.job WHERE seq IS NOT NULL"},
    {"csvp_records", "Records of all jobs by what became of them.", "outcome",
	"SELECT v.outcome, coalesce(v.n, 0) FROM (SELECT sum(inserted) AS inserted, sum(updated) AS updated,"
	"  sum(unchanged) AS unchanged, sum(superseded) AS superseded, sum(rejected) AS rejected,"
	"  sum(records) FILTER (WHERE state = 'pending') AS pending FROM csvp.chunk) c, LATERAL (VALUES"
	" ('inserted', inserted), ('updated', updated), ('unchanged', unchanged), ('superseded', superseded),"
	" ('rejected', rejected), ('pending', pending)) v (outcome, n)"},
    {"csvp_rejects_open", "Rejected records that nobody has repaired.", NULL,
	"SELECT NULL, count(*) FROM csvp.reject WHERE NOT replayed"},
    {"csvp_index_lag_chunks", "Chunks that are loaded and not yet searchable.", NULL,
	"SELECT NULL, count(*) FROM csvp.chunk WHERE state = 'loaded'"},
    {"csvp_index_lag_edits", "Edits that are not yet searchable.", NULL, "SELECT NULL, count(*) FROM csvp.change"},
    {"csvp_index_lag_seconds", "How long the oldest loaded chunk has waited to be searchable.", NULL,
	"SELECT NULL, coalesce(extract(epoch FROM clock_timestamp() - min(loaded_at)), 0)"
	" FROM csvp.chunk WHERE state = 'loaded'"},
    {"csvp_index_rejects", "Rows that the search engine refuses.", NULL,
	"SELECT NULL, count(*) FROM csvp.index_reject"},
    {"csvp_datasets", "Datasets.", NULL, "SELECT NULL, count(*) FROM csvp.dataset"},
};

static void
print_head(struct buf *out, const char *name, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static int
print_metric(struct pg *pg, const struct metric *m, struct buf *out, struct err *e)
{
	struct pg_rows *rows;

	if (pg_query(pg, &rows, e, m->sql, 0, NULL) != 0)
		return -1;
	print_head(out, m->name, m->help);
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		if (m->label != NULL)
			buf_printf(out, "%s{%s=\"%s\"} %s\n", m->name, m->label, pg_rows_text(rows, i, 0),
			    pg_rows_text(rows, i, 1));
		else
			buf_printf(out, "%s %s\n", m->name, pg_rows_text(rows, i, 1));
	pg_rows_free(rows);
	return 0;
}

static int
print_queues(struct queue *queue, struct buf *out, struct err *e)
{
	struct queue_depth depths[QUEUE_COUNT];

	for (int i = 0; i < QUEUE_COUNT; i++)
		if (queue_depth(queue, (enum queue_name)i, &depths[i], e) != 0)
			return -1;
	print_head(out, "csvp_queue_messages", "Messages by queue: waiting, or in a worker's hands.");
	for (int i = 0; i < QUEUE_COUNT; i++)
		buf_printf(out,
		    "csvp_queue_messages{queue=\"%s\",state=\"waiting\"} %" PRIu64
		    "\ncsvp_queue_messages{queue=\"%s\",state=\"in_flight\"} %" PRIu64 "\n",
		    queue_stage((enum queue_name)i), depths[i].visible, queue_stage((enum queue_name)i),
		    depths[i].in_flight);
	return 0;
}

int
metrics_print(struct pg *pg, struct queue *queue, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		if (print_metric(pg, &metrics[i], out, e) != 0)
			return -1;
	return print_queues(queue, out, e);
}
