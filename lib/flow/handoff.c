#include "flow/handoff.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "queue/queue.h"

/* Messages sent with one call. */
#define MANY 1000

/* Work that a statement finds as (job, chunk or -1), sent in its order. How many, or -1. */
static int64_t
send_found(struct pg *pg, struct queue *queue, enum queue_name to, const char *sql, struct err *e)
{
	struct message *messages;
	struct pg_rows *rows;
	size_t count;
	int result = 0;

	if (pg_query(pg, &rows, e, sql, 0, NULL) != 0)
		return -1;
	count = pg_rows_count(rows);
	messages = buf_calloc(count, sizeof *messages);
	for (size_t i = 0; i < count; i++)
		messages[i] = (struct message){.job = pg_rows_int(rows, i, 0), .chunk = pg_rows_int(rows, i, 1)};
	for (size_t sent = 0; result == 0 && sent < count; sent += MANY)
		result = queue_send(queue, to, messages + sent, count - sent < MANY ? count - sent : MANY, e);
	free(messages);
	pg_rows_free(rows);
	return result == 0 ? (int64_t)count : -1;
}

static int
send_for_job(struct pg *pg, struct queue *queue, enum queue_name to, const char *format, int64_t job, struct err *e)
{
	char sql[700];

	snprintf(sql, sizeof sql, "WITH this AS (SELECT %" PRId64 "::bigint AS job) %s", job, format);
	return send_found(pg, queue, to, sql, e) < 0 ? -1 : 0;
}

int
handoff_job(struct queue *queue, int64_t job, struct err *e)
{
	return queue_send(queue, QUEUE_SPLIT, &(struct message){.job = job, .chunk = -1}, 1, e);
}

int
handoff_split(struct pg *pg, struct queue *queue, int64_t job, struct err *e)
{
	return send_for_job(pg, queue, QUEUE_LOAD,
	    "SELECT c.job, c.number FROM csvp.chunk c JOIN this USING (job) WHERE c.state = 'pending'"
	    " UNION ALL SELECT job, -1 FROM this WHERE NOT EXISTS (SELECT FROM csvp.chunk c WHERE c.job = this.job)"
	    " ORDER BY 2",
	    job, e);
}

int
handoff_loaded(struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, bool was_building, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	bool ready;

	snprintf(id, sizeof id, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT d.state = 'ready' FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE j.id = $1",
		id) != 0)
		return -1;
	ready = pg_rows_count(rows) == 1 && pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	if (!ready)
		return 0;
	if (was_building && send_for_job(pg, queue, QUEUE_INDEX,
				"SELECT c.job, c.number FROM this t JOIN csvp.job j ON j.id = t.job JOIN csvp.dataset "
				"d ON d.id = j.dataset"
				" JOIN csvp.chunk c ON c.job = d.builder WHERE c.state = 'loaded' ORDER BY 2",
				job, e) != 0)
		return -1;
	return queue_send(queue, QUEUE_INDEX, &(struct message){.job = job, .chunk = chunk}, 1, e);
}

/* What each queue should hold; a lock of the kind that its workers take means that somebody is at it. */
static const struct {
	enum queue_name to;
	const char *sql;
} undone[] = {
    {QUEUE_SPLIT, "SELECT j.id, -1 FROM csvp.job j WHERE j.state = 'stored' AND j.error IS NULL AND NOT j.cancelled"
		  " AND NOT j.paused ORDER BY j.dataset, j.seq LIMIT 10000"},
    {QUEUE_LOAD,
	"SELECT c.job, c.number FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
	" LEFT JOIN csvp.running r ON r.job = c.job AND r.chunk = c.number"
	" WHERE c.state = 'pending' AND NOT j.cancelled AND NOT j.paused AND r.chunk IS NULL"
	" UNION ALL SELECT j.id, -1 FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE j.state = 'split'"
	" AND NOT j.cancelled AND j.records = 0 AND d.state = 'building' ORDER BY 1, 2 LIMIT 10000"},
    {QUEUE_INDEX, "SELECT c.job, c.number FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
		  " JOIN csvp.dataset d ON d.id = j.dataset"
		  " LEFT JOIN csvp.running r ON r.job = c.job AND r.chunk = c.number"
		  " WHERE c.state = 'loaded' AND d.state = 'ready' AND NOT j.paused AND r.chunk IS NULL"
		  " ORDER BY 1, 2 LIMIT 10000"},
};

int64_t
handoff_sweep(struct pg *pg, struct queue *queue, bool idle_only, struct err *e)
{
	int64_t total = 0;

	for (size_t i = 0; i < sizeof undone / sizeof *undone; i++) {
		struct queue_depth depth = {0, 0};
		int64_t sent;

		if (idle_only && queue_depth(queue, undone[i].to, &depth, e) != 0)
			return -1;
		if (depth.visible + depth.in_flight > 0)
			continue;
		sent = send_found(pg, queue, undone[i].to, undone[i].sql, e);
		if (sent < 0)
			return -1;
		total += sent;
	}
	return total;
}
