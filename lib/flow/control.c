#include "flow/control.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg.h"
#include "flow/finalise.h"
#include "flow/handoff.h"
#include "ledger/job.h"
#include "ledger/ledger.h"

/* How often the holders are looked for, in milliseconds. */
#define LOOK_MS 20

/* `again`: also if it is cancelled. */
static int
check_stoppable(struct pg *pg, int64_t id, const char *verb, bool again, struct err *e)
{
	struct job_verdict v;

	if (job_verdict(pg, id, &v, e) != 0)
		return -1;
	if ((strcmp(v.state, "cancelled") == 0 && !again) || strcmp(v.state, "done") == 0 ||
	    strcmp(v.state, "uploading") == 0)
		return err_set(e, ERR_DATA, "job %" PRId64 " is %s: nothing to %s", id, v.state, verb);
	return 0;
}

/*
 * Cancel what the job's workers are doing until none holds a lock of it: 0, or 1 the time is over. They see the job's
 * row before they commit.
 */
static int
wait_for_holders(struct pg *pg, int64_t id, int64_t patience, struct err *e)
{
	int64_t end = clk_now(clk_system()) + patience;
	struct pg_rows *rows;
	char number[24], split[24];
	size_t holders;

	snprintf(number, sizeof number, "%" PRId64, id);
	snprintf(split, sizeof split, "%" PRId64, ledger_lock_key(LEDGER_LOCK_SPLIT, id, 0));
	do {
		if (sig_check(e) != 0 ||
		    PG_QUERY(pg, &rows, e,
			"SELECT pg_cancel_backend(pid) FROM csvp.running WHERE job = $1 UNION ALL"
			" SELECT pg_cancel_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
			"   AND granted AND classid::bigint << 32 | objid::bigint = $2"
			"   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
			number, split) != 0)
			return -1;
		holders = pg_rows_count(rows);
		pg_rows_free(rows);
		if (holders > 0 && patience >= 0 && clk_now(clk_system()) >= end)
			return 1;
		if (holders > 0)
			clk_sleep(clk_system(), LOOK_MS);
	} while (holders > 0);
	return 0;
}

/* If it was filling a new table, nobody else may come to build the key. As wait_for_holders. */
static int
build_key(struct pg *pg, int64_t job, int64_t patience, struct err *e)
{
	if (patience >= 0 && pg_patience(pg, patience > 0 ? patience : 1, e) != 0)
		return -1;
	if (finalise_of_job(pg, job, e) >= 0)
		return 0;
	if (patience < 0 || strcmp(pg_sqlstate(pg), "55P03") != 0)
		return -1;
	*e = (struct err){0};
	return 1;
}

int
control_cancel(struct pg *pg, int64_t job, int64_t patience, struct err *e)
{
	int result;

	if (check_stoppable(pg, job, "cancel", true, e) != 0 || job_set_cancelled(pg, job, e) != 0)
		return -1;
	result = wait_for_holders(pg, job, patience, e);
	return result == 0 ? build_key(pg, job, patience, e) : result;
}

int
control_pause(struct pg *pg, int64_t job, int64_t patience, struct err *e)
{
	if (check_stoppable(pg, job, "pause", false, e) != 0 || job_set_paused(pg, job, true, e) != 0)
		return -1;
	return wait_for_holders(pg, job, patience, e);
}

int
control_resume(struct pg *pg, struct queue *queue, int64_t id, struct err *e)
{
	struct job job;
	bool paused;
	int result;

	if (job_load(pg, id, &job, e) != 0)
		return -1;
	paused = job.paused;
	if (job.cancelled)
		result = err_set(e, ERR_DATA, "job %" PRId64 " is cancelled, which is for good; hint: upload %s again",
		    id, job.file);
	else
		result = job_set_paused(pg, id, false, e);
	job_fini(&job);
	if (result == 0 && paused)
		result = handoff_resumed(pg, queue, id, e);
	return result;
}
