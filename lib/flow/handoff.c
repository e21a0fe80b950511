#include "flow/handoff.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "ledger/chunk.h"
#include "ledger/job.h"

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
	char *sql = buf_format("WITH this AS (SELECT %" PRId64 "::bigint AS job) %s", job, format);
	int result = send_found(pg, queue, to, sql, e) < 0 ? -1 : 0;

	free(sql);
	return result;
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

int
handoff_again(struct pg *pg, struct queue *queue, int64_t id, int64_t number, struct err *e)
{
	struct chunk chunk;
	struct job job;
	bool split;

	if (job_load(pg, id, &job, e) != 0)
		return -1;
	split = job.state == JOB_STORED && job.error == NULL && !job.cancelled;
	job_fini(&job);
	if (number < 0)
		return split ? handoff_job(queue, id, e) : 0;
	if (chunk_load(pg, id, number, &chunk, e) != 0)
		return -1;
	if (chunk.state != CHUNK_PENDING && chunk.state != CHUNK_LOADED)
		return 0;
	return queue_send(queue, chunk.state == CHUNK_PENDING ? QUEUE_LOAD : QUEUE_INDEX,
	    &(struct message){.job = id, .chunk = number}, 1, e);
}

int
handoff_resumed(struct pg *pg, struct queue *queue, int64_t job, struct err *e)
{
	if (send_for_job(pg, queue, QUEUE_SPLIT,
		"SELECT job, -1 FROM this JOIN csvp.job j ON j.id = job WHERE j.state = 'stored' AND j.error IS NULL",
		job, e) != 0 ||
	    send_for_job(pg, queue, QUEUE_LOAD,
		"SELECT c.job, c.number FROM csvp.chunk c JOIN this USING (job) WHERE c.state = 'pending' ORDER BY 2",
		job, e) != 0)
		return -1;
	/* Of a job that is loaded, -1 closes it, too. */
	return send_for_job(pg, queue, QUEUE_INDEX,
	    "SELECT c.job, c.number FROM csvp.chunk c JOIN this USING (job) WHERE c.state = 'loaded'"
	    " UNION ALL SELECT job, -1 FROM this JOIN csvp.job j ON j.id = job WHERE j.state = 'split'"
	    " AND NOT EXISTS (SELECT FROM csvp.chunk c WHERE c.job = this.job AND c.state IN ('pending', 'loaded'))"
	    " ORDER BY 2",
	    job, e);
}

/* What each queue should hold; a lock of the kind that its workers take means that somebody is at it. */
static const struct {
	enum queue_name to;
	const char *sql;
} undone[] = {
    {QUEUE_SPLIT, "SELECT j.id, -1 FROM csvp.job j WHERE j.state = 'stored' AND j.error IS NULL AND NOT j.cancelled"
		  " AND NOT j.paused ORDER BY j.dataset, j.seq"},
    {QUEUE_LOAD,
	"SELECT c.job, c.number FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
	" LEFT JOIN csvp.running r ON r.job = c.job AND r.chunk = c.number"
	" WHERE c.state = 'pending' AND NOT j.cancelled AND NOT j.paused AND r.chunk IS NULL AND NOT " JOB_GIVEN_UP
	/* Nothing of it is to come, yet its dataset has no key: whoever was to build it has died, or it had no chunk. */
	" UNION ALL SELECT j.id, -1 FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset WHERE j.state = 'split'"
	" AND NOT j.cancelled AND NOT j.paused AND d.state = 'building' AND (j.id = d.builder OR j.records = 0)"
	" AND (" JOB_GIVEN_UP " OR NOT EXISTS (SELECT FROM csvp.chunk c WHERE c.job = j.id AND c.state = 'pending'))"
	" ORDER BY 1, 2"},
    {QUEUE_INDEX, "SELECT c.job, c.number FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
		  " JOIN csvp.dataset d ON d.id = j.dataset"
		  " LEFT JOIN csvp.running r ON r.job = c.job AND r.chunk = c.number"
		  " WHERE c.state = 'loaded' AND d.state = 'ready' AND NOT j.paused AND r.chunk IS NULL"
		  /* All is indexed, or failed, and nobody has closed the job. */
		  " UNION ALL SELECT j.id, -1 FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset"
		  " WHERE j.state = 'split' AND j.finished_at IS NULL AND NOT j.cancelled AND NOT j.paused"
		  " AND d.state = 'ready' AND NOT EXISTS (SELECT FROM csvp.chunk c WHERE c.job = j.id"
		  " AND (c.state = 'loaded' OR c.state = 'pending' AND NOT " JOB_GIVEN_UP ")) ORDER BY 1, 2"},
};

int
handoff_sweep(struct pg *pg, struct queue *queue, bool idle_only, int64_t sent[QUEUE_COUNT], struct err *e)
{
	for (size_t i = 0; i < QUEUE_COUNT; i++)
		sent[i] = 0;
	for (size_t i = 0; i < sizeof undone / sizeof *undone; i++) {
		enum queue_name to = undone[i].to;
		struct queue_depth depth = {.visible = 0};
		char *sql;

		if (idle_only && queue_depth(queue, to, &depth, e) != 0)
			return -1;
		if (depth.visible + depth.in_flight > 0)
			continue;
		sql = buf_format("%s%s", undone[i].sql, idle_only ? " LIMIT 10000" : "");
		sent[to] = send_found(pg, queue, to, sql, e);
		free(sql);
		if (sent[to] < 0)
			return -1;
	}
	return 0;
}

int
handoff_undone(struct pg *pg, int64_t counts[QUEUE_COUNT], struct err *e)
{
	for (size_t i = 0; i < QUEUE_COUNT; i++)
		counts[i] = 0;
	for (size_t i = 0; i < sizeof undone / sizeof *undone; i++) {
		char *sql = buf_format("SELECT count(*) FROM (%s) AS u", undone[i].sql);
		struct pg_rows *rows;
		int result = pg_query(pg, &rows, e, sql, 0, NULL);

		free(sql);
		if (result != 0)
			return -1;
		counts[undone[i].to] = pg_rows_int(rows, 0, 0);
		pg_rows_free(rows);
	}
	return 0;
}
