#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "flow/desk.h"
#include "flow/drain.h"
#include "flow/index.h"
#include "flow/site.h"
#include "flow/stage.h"
#include "flow/verdict.h"
#include "flow/worker.h"
#include "search/search.h"

struct worker {
	struct desk desk;
	struct search *search;
};

static void
close_worker(void *ctx)
{
	struct worker *w = ctx;

	search_close(w->search);
	desk_close(&w->desk);
	free(w);
}

static void *
open_worker(void *ctx, const struct site *site, struct progress *progress, struct err *e)
{
	struct worker *w = buf_calloc(1, sizeof *w);

	(void)ctx;
	if (desk_open(&w->desk, site, e) == 0 && (w->search = site_search(site, e)) != NULL) {
		w->desk.progress = progress;
		return w;
	}
	close_worker(w);
	return NULL;
}

/* What is not loaded yet will come, too. */
static bool
to_do(const struct chunk *c)
{
	return c->state == CHUNK_PENDING || chunk_to_index(c);
}

static int
admit(void *ctx, const struct ref *ref, struct err *e)
{
	return desk_admit(&((struct worker *)ctx)->desk, THROTTLE_INDEX, ref->job, ref->chunk, e);
}

static int
index_ref(void *ctx, struct stage *stage, const struct ref *ref, bool last, struct err *e)
{
	struct worker *w = ctx;

	/* Only workers have no stage. */
	if (ref->chunk < 0)
		return index_empty_job(&w->desk, w->search, ref->job, last, stage != NULL, e);
	return index_chunk(&w->desk, w->search, ref->job, ref->chunk, last, stage != NULL, e);
}

static struct pg *
session(void *ctx)
{
	return ((struct worker *)ctx)->desk.pg;
}

/* Edits made outside jobs. */
static int
drain(void *ctx, struct err *e)
{
	struct worker *w = ctx;

	return drain_all(&w->desk, w->search, e) < 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	uint64_t threads = (uint64_t)stage_threads();
	struct worker_options how = {.worker = false};
	const struct option options[] = {
	    {"jobs", 'j', "N", OPTION_COUNT, &threads, "chunks to index at a time (default: the cores)"},
	    WORKER_OPTIONS(how),
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_SEARCH_URL", "CSVP_HOME",
	    "CSVP_AUTOSTART", "CSVP_QUEUE_URL", "CSVP_VISIBILITY", "CSVP_INDEX_RATE", "CSVP_CONFIG", NULL};
	const struct program program = {
	    "csvp-index", "[-j N] [REF...]", "Make loaded chunks searchable.", options, environment};
	struct stage_plan plan = {
	    .verb = "index",
	    .to_do = to_do,
	    .open = open_worker,
	    .close = close_worker,
	    .admit = admit,
	    .work = index_ref,
	    .session = session,
	    .idle = drain,
	    .conclude = verdict_after_index,
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
	else if ((site = site_open(&e)) != NULL &&
		 worker_program(&plan, site, QUEUE_INDEX, &how, operands, count, &e) != 0 && e.code == ERR_NONE)
		e.code = ERR_BUG;
	if (site == NULL)
		return stage_refuse(&e);
	site_close(site);
	return options_exit(&e);
}
