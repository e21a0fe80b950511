#include "flow/collect.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "ledger/unfinished.h"
#include "store/store.h"

/* What is collected, for whom. */
struct collection {
	struct pg *pg;
	struct store *store;
	bool dry_run;
	collect_each *each;
	void *ctx;
};

/* The object, if it is whole, or the parts that the store has said it has. */
static int
measure(const struct collection *c, const struct job *job, uint64_t *bytes, struct err *e)
{
	struct unfinished u;
	int status = store_size(c->store, job->object, bytes, e);

	if (status == 0 || e->code != ERR_NOINPUT)
		return status;
	*e = (struct err){0};
	*bytes = 0;
	status = unfinished_load(c->pg, job->id, &u, e);
	for (size_t i = 0; status == 1 && i < u.count; i++)
		*bytes += u.parts[i].length;
	unfinished_fini(&u);
	return status < 0 ? -1 : 0;
}

/* The ledger last: what a crash leaves behind is still known. */
static int
forget(const struct collection *c, const struct job *job, struct err *e)
{
	uint64_t bytes = 0;

	if (c->each != NULL && measure(c, job, &bytes, e) != 0)
		return -1;
	if (!c->dry_run && store_remove(c->store, job->object, e) != 0)
		return -1;
	if (job_discard(c->pg, job->id, e) != 0)
		return -1;
	return c->each != NULL ? c->each(c->ctx, job->object, bytes, e) : 0;
}

/* The lock is held: its uploader is gone. */
static int
look(const struct collection *c, int64_t id, struct err *e)
{
	struct job job;
	int recent, result = 0;

	if (job_load(c->pg, id, &job, e) != 0) {
		if (e->code != ERR_NOINPUT)
			return -1;
		*e = (struct err){0};
		return 0;
	}
	if (job.state == JOB_UPLOADING) {
		recent = unfinished_recent(c->pg, id, e);
		if (recent > 0)
			log_detail("job %" PRId64 ": its upload has broken off, and can go on for a day", id);
		result = recent == 0 ? forget(c, &job, e) : recent < 0 ? -1 : 0;
	}
	job_fini(&job);
	return result;
}

int
collect_uploads(
    struct pg *pg, struct store *store, int64_t dataset, bool dry_run, collect_each *each, void *ctx, struct err *e)
{
	const struct collection c = {pg, store, dry_run, each, ctx};
	int64_t *ids;
	size_t count;
	int result = 0;

	if (job_uploading(pg, dataset, &ids, &count, e) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < count; i++) {
		int64_t key = ledger_lock_key(LEDGER_LOCK_UPLOAD, ids[i], 0);
		int got = pg_try_lock(pg, key, e);

		result = got > 0 ? look(&c, ids[i], e) : got;
		if (got > 0)
			pg_unlock(pg, key);
	}
	free(ids);
	return result;
}
