#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/desk.h"
#include "flow/handoff.h"
#include "flow/load.h"
#include "flow/site.h"
#include "flow/stage.h"
#include "flow/verdict.h"
#include "flow/worker.h"
#include "ledger/job.h"

static void
close_worker(void *ctx)
{
	desk_close(ctx);
	free(ctx);
}

static void *
open_worker(void *ctx, const struct site *site, struct progress *progress, struct err *e)
{
	struct desk *desk = buf_calloc(1, sizeof *desk);

	(void)ctx;
	if (desk_open(desk, site, e) != 0) {
		free(desk);
		return NULL;
	}
	desk->progress = progress;
	return desk;
}

static int
admit(void *ctx, const struct ref *ref, struct err *e)
{
	return desk_admit(ctx, THROTTLE_LOAD, ref->job, ref->chunk, e);
}

static int
load_ref(void *ctx, struct stage *stage, const struct ref *ref, bool last, struct err *e)
{
	(void)stage;
	(void)last;
	if (ref->chunk < 0)
		return load_empty_job(ctx, ref->job, e);
	return load_chunk(ctx, ref->job, ref->chunk, e);
}

static struct pg *
session(void *ctx)
{
	return ((struct desk *)ctx)->pg;
}

static int
hand_on(void *ctx, struct queue *queue, const struct ref *ref, struct err *e)
{
	const struct desk *desk = ctx;

	return handoff_loaded(desk->pg, queue, ref->job, ref->chunk, desk->dataset.state == DATASET_BUILDING, e);
}

/* --max-rejects N JOB: another verdict of jobs that are loaded. */
static int
change_limits(const struct site *site, const char *limit, char **operands, size_t count, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	int result = pg != NULL ? 0 : -1;

	for (size_t i = 0; result == 0 && i < count; i++) {
		struct job job;
		struct ref ref;

		if (refs_parse(operands[i], &ref, e) != 0) {
			result = -1;
		} else if (ref.chunk >= 0 || ref.failure != ERR_NONE) {
			result = err_set(e, ERR_USAGE, "--max-rejects takes jobs, not '%s'", operands[i]);
		} else {
			result = job_load(pg, ref.job, &job, e);
			job_fini(&job);
			if (result == 0)
				result = job_set_limit(pg, ref.job, limit, e);
		}
	}
	pg_close(pg);
	return result;
}

int
main(int argc, char **argv)
{
	uint64_t threads = (uint64_t)stage_threads();
	const char *limit = NULL;
	struct worker_options how = {.worker = false};
	const struct option options[] = {
	    {"jobs", 'j', "N", OPTION_COUNT, &threads, "chunks to load at a time (default: the cores)"},
	    {"max-rejects", 0, "N|N%", OPTION_STRING, &limit, "change the limit of rejects of the JOBs given"},
	    WORKER_ENQUEUE(how),
	    WORKER_OPTIONS(how),
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_AUTOSTART",
	    "CSVP_QUEUE_URL", "CSVP_VISIBILITY", "CSVP_LOAD_RATE", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-load", "[-j N] [REF...]",
	    "Load chunks into their datasets' tables, each exactly once.", options, environment};
	struct stage_plan plan = {
	    .verb = "load",
	    .to_do = chunk_to_load,
	    .open = open_worker,
	    .close = close_worker,
	    .admit = admit,
	    .work = load_ref,
	    .session = session,
	    .hand_on = hand_on,
	    .conclude = verdict_after_load,
	};
	struct site *site = NULL;
	struct err e = {0};
	char **operands;
	size_t count;

	if (options_parse(&program, argc, argv, &operands, &count, &e) != 0)
		return stage_refuse(&e);
	plan.threads = (int)threads;
	if (threads < 1 || threads > 64)
		err_set(&e, ERR_USAGE, "--jobs must be from 1 to 64");
	else if (limit != NULL && count == 0)
		err_set(&e, ERR_USAGE, "--max-rejects needs the jobs whose limit it changes");
	else if (limit != NULL && job_check_limit(limit, &e) != 0)
		;
	else if ((site = site_open(&e)) != NULL &&
		 (limit == NULL || change_limits(site, limit, operands, count, &e) == 0) &&
		 worker_program(&plan, site, QUEUE_LOAD, &how, operands, count, &e) != 0 && e.code == ERR_NONE)
		e.code = ERR_BUG;
	if (site == NULL)
		return stage_refuse(&e);
	site_close(site);
	return options_exit(&e);
}
