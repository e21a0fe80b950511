#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/handoff.h"
#include "flow/site.h"
#include "flow/split.h"
#include "flow/stage.h"
#include "flow/worker.h"
#include "ledger/chunk.h"
#include "store/store.h"

struct worker {
	struct pg *pg;
	struct store *store;
	struct progress *progress;
	uint64_t chunk_bytes;
};

static void
close_worker(void *ctx)
{
	struct worker *w = ctx;

	if (w == NULL)
		return;
	store_close(w->store);
	pg_close(w->pg);
	free(w);
}

static void *
open_worker(void *ctx, const struct site *site, struct progress *progress, struct err *e)
{
	struct worker *w = buf_calloc(1, sizeof *w);

	w->chunk_bytes = *(const uint64_t *)ctx;
	w->progress = progress;
	w->pg = site_connect(site, e);
	w->store = w->pg != NULL ? site_store(site, e) : NULL;
	if (w->store != NULL)
		return w;
	close_worker(w);
	return NULL;
}

/* Split a job and print its chunks; a job without chunks travels as its id. */
static int
split_ref(void *ctx, struct stage *stage, const struct ref *ref, bool last, struct err *e)
{
	struct worker *w = ctx;
	struct chunk *chunks;
	size_t count;

	(void)last;
	if (ref->chunk >= 0)
		return err_set(e, ERR_USAGE, "a chunk is split already; hint: csvp-split %" PRId64, ref->job);
	if (split_job(w->pg, w->store, ref->job, w->chunk_bytes, w->progress, e) != 0 ||
	    chunk_list(w->pg, ref->job, &chunks, &count, e) != 0)
		return -1;
	if (count == 0)
		stage_print(stage, ref);
	for (size_t i = 0; i < count; i++)
		if (!stage_print(stage, &(struct ref){.job = ref->job, .chunk = chunks[i].number}))
			break;
	free(chunks);
	return 0;
}

static struct pg *
session(void *ctx)
{
	return ((struct worker *)ctx)->pg;
}

static int
hand_on(void *ctx, struct queue *queue, const struct ref *ref, struct err *e)
{
	return handoff_split(session(ctx), queue, ref->job, e);
}

int
main(int argc, char **argv)
{
	uint64_t chunk_bytes = SPLIT_CHUNK_BYTES;
	struct worker_options how = {.worker = false};
	const struct option options[] = {
	    {"chunk-bytes", 0, "N", OPTION_BYTES, &chunk_bytes, "about how large a chunk is (default: 8M)"},
	    WORKER_ENQUEUE(how),
	    WORKER_OPTIONS(how),
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_AUTOSTART",
	    "CSVP_QUEUE_URL", "CSVP_VISIBILITY", "CSVP_CONFIG", NULL};
	const struct program program = {
	    "csvp-split", "[JOB...]", "Find the chunks of jobs, without cutting a record.", options, environment};
	struct stage_plan plan = {
	    .verb = "split",
	    .threads = 1,
	    .whole_jobs = true,
	    .ctx = &chunk_bytes,
	    .open = open_worker,
	    .close = close_worker,
	    .work = split_ref,
	    .session = session,
	    .hand_on = hand_on,
	};
	struct site *site = NULL;
	struct err e = {0};
	char **operands;
	size_t count;

	if (options_parse(&program, argc, argv, &operands, &count, &e) != 0)
		return stage_refuse(&e);
	if (chunk_bytes < 1 || chunk_bytes > SPLIT_MAX_CHUNK_BYTES)
		err_set(&e, ERR_USAGE, "--chunk-bytes must be from 1 to 16M: a worker holds a chunk in memory");
	else if ((site = site_open(&e)) != NULL &&
		 worker_program(&plan, site, QUEUE_SPLIT, &how, operands, count, &e) != 0 && e.code == ERR_NONE)
		e.code = ERR_BUG;
	if (site == NULL)
		return stage_refuse(&e);
	site_close(site);
	return options_exit(&e);
}
