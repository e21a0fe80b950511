#include "flow/verdict.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/job.h"

static enum err_code
conclude_job(struct pg *pg, int64_t id, bool after_index, struct err *e)
{
	struct job_verdict v;

	if (job_verdict(pg, id, &v, e) != 0)
		return e->code;
	if (strcmp(v.state, "uploading") == 0 || strcmp(v.state, "waiting") == 0)
		return ERR_AGAIN;
	if (v.pending + v.held > 0)
		return after_index && v.held == 0 && v.code != ERR_DATA ? ERR_AGAIN : v.code == ERR_DATA ? ERR_DATA : ERR_NONE;
	if (v.open_rejects > 0)
		log_notice("job %" PRId64 ": %" PRId64 " of %" PRId64 " records rejected (%s); hint: csvp-status --rejects %" PRId64, id,
		    v.open_rejects, v.records, v.code == ERR_DATA ? "over its limit" : "inside its limit", id);
	if (v.to_index == 0 && job_set_finished(pg, id, e) != 0)
		return e->code;
	return v.code;
}

static int
conclude(const struct site *site, const long long *jobs, size_t count, bool after_index, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	enum err_code worst = ERR_NONE;

	if (pg == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		enum err_code code = conclude_job(pg, jobs[i], after_index, e);

		if (code == ERR_NOINPUT) {
			/* Its reference failed with this already. */
			e->message[0] = '\0';
		}
		worst = err_worse(worst, code);
	}
	pg_close(pg);
	e->code = worst;
	if (worst == ERR_NONE || e->code != worst)
		e->message[0] = '\0';
	return worst == ERR_NONE ? 0 : -1;
}

int
verdict_after_load(const struct site *site, const long long *jobs, size_t count, struct err *e)
{
	return conclude(site, jobs, count, false, e);
}

int
verdict_after_index(const struct site *site, const long long *jobs, size_t count, struct err *e)
{
	return conclude(site, jobs, count, true, e);
}
