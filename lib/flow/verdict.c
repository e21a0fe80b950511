#include "flow/verdict.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "db/pg.h"
#include "flow/finalise.h"
#include "flow/site.h"
#include "ledger/job.h"
#include "ledger/reject.h"

#define LOOK_MS 100
#define IDLE_LOOKS 10

/* Who is asking. */
struct asker {
	bool index;
	bool tell_rejects;
};

static enum err_code
tell_rejects(struct pg *pg, int64_t id, bool failed, struct err *e)
{
	struct buf words = {0};
	enum err_code code = ERR_NONE;

	if (reject_explain(pg, id, &words, e) != 0)
		code = e->code;
	else if (failed)
		log_error("job %" PRId64 ": %s; hint: csvp-status --rejects %" PRId64, id, words.bytes, id);
	else
		log_notice("job %" PRId64 ": %s; hint: csvp-status --rejects %" PRId64, id, words.bytes, id);
	buf_fini(&words);
	return code;
}

/*
 * A chunk may be held by the session of a load that was killed: it lives until
 * the server notices, and at most finishes what it holds. So wait until nobody
 * holds one, or more was loaded than was held: then somebody is alive.
 */
static int
wait_for_holders(struct pg *pg, int64_t id, struct job_verdict *v, struct err *e)
{
	int64_t left = v->pending + v->held, held = v->held;

	while (v->held > 0 && left - v->pending - v->held <= held) {
		clk_sleep(clk_system(), LOOK_MS);
		if (sig_check(e) != 0 || job_verdict(pg, id, v, e) != 0)
			return -1;
	}
	return 0;
}

/* Chunks are still to be loaded. */
static enum err_code
conclude_unfinished(int64_t id, const struct job_verdict *v, const struct asker *asker)
{
	if (v->code == ERR_DATA)
		return ERR_DATA;
	if (!asker->index || v->held > 0)
		return ERR_NONE;
	log_error("job %" PRId64 ": %" PRId64
		  " chunks are not loaded, and nobody is loading them; hint: csvp-load %" PRId64,
	    id, v->pending, id);
	return ERR_AGAIN;
}

/*
 * Chunks are loaded that were never passed on to be indexed: their load was
 * killed in between. Others may be about to take them: they have a moment.
 */
static enum err_code
conclude_unindexed(struct pg *pg, int64_t id, struct job_verdict *v, struct err *e)
{
	int64_t left = v->to_index;

	for (int looks = 0; looks < IDLE_LOOKS; looks++) {
		if (v->indexing > 0 || v->to_index < left)
			return v->code;
		clk_sleep(clk_system(), LOOK_MS);
		if (sig_check(e) != 0 || job_verdict(pg, id, v, e) != 0)
			return e->code;
	}
	log_error("job %" PRId64 ": %" PRId64
		  " chunks are not indexed, and nobody is indexing them; hint: csvp-index %" PRId64,
	    id, v->to_index, id);
	return ERR_AGAIN;
}

static enum err_code
conclude_job(struct pg *pg, int64_t id, const struct asker *asker, struct err *e)
{
	struct job_verdict v;
	enum err_code code;

	if (job_verdict(pg, id, &v, e) != 0)
		return e->code;
	if (asker->index && v.code != ERR_DATA && wait_for_holders(pg, id, &v, e) != 0)
		return e->code;
	if (strcmp(v.state, "uploading") == 0 || strcmp(v.state, "waiting") == 0) {
		log_error("job %" PRId64 " is not split yet; hint: csvp-split %" PRId64, id, id);
		return ERR_AGAIN;
	}
	if (v.pending + v.held > 0)
		return conclude_unfinished(id, &v, asker);
	/* All chunks are in, but the dataset has no key: whoever was to build it may be gone. */
	if (strcmp(v.state, "loading") == 0 && (finalise_of_job(pg, id, e) < 0 || job_verdict(pg, id, &v, e) != 0))
		return e->code;
	if (v.failed > 0)
		log_error("job %" PRId64 ": %" PRId64
			  " chunks have failed for good; hint: csvp-admin dead list %" PRId64,
		    id, v.failed, id);
	if (v.open_rejects > 0 && asker->tell_rejects &&
	    (code = tell_rejects(pg, id, v.code == ERR_DATA, e)) != ERR_NONE)
		return code;
	if (v.unindexed > 0 && asker->index)
		log_notice("job %" PRId64 ": the search engine refuses %" PRId64
			   " of its records; hint: csvp-status %" PRId64,
		    id, v.unindexed, id);
	if (asker->index && strcmp(v.state, "indexing") == 0)
		return conclude_unindexed(pg, id, &v, e);
	return v.code;
}

static int
conclude(const struct site *site, const long long *jobs, size_t count, const struct asker *asker, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	enum err_code worst = ERR_NONE;

	if (pg == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		enum err_code code = conclude_job(pg, jobs[i], asker, e);

		if (code == ERR_NOINPUT) {
			/* Its reference failed with this already. */
			e->message[0] = '\0';
		}
		worst = err_worse(worst, code);
	}
	site_release(site, pg);
	e->code = worst;
	return worst == ERR_NONE ? 0 : -1;
}

int
verdict_after_load(const struct site *site, const long long *jobs, size_t count, bool piped, struct err *e)
{
	(void)piped;
	return conclude(site, jobs, count, &(struct asker){.tell_rejects = true}, e);
}

int
verdict_after_index(const struct site *site, const long long *jobs, size_t count, bool piped, struct err *e)
{
	return conclude(site, jobs, count, &(struct asker){.index = true, .tell_rejects = !piped}, e);
}
