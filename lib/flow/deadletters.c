#include "flow/deadletters.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "db/pg.h"
#include "flow/handoff.h"
#include "ledger/chunk.h"
#include "ledger/delivery.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "queue/queue.h"

struct visit {
	struct pg *pg;
	struct queue *queue;
	int64_t job, chunk; /* which letters */
	deadletters_each *each;
	void *ctx;
	int64_t count;
};

static bool
wanted(const struct visit *v, const struct message *letter)
{
	return (v->job == 0 || v->job == letter->job) && (v->chunk < 0 || v->chunk == letter->chunk);
}

/* Does the ledger say, too, that it has failed, and may it still be done? 1, 0, -1. */
static int
has_failed(struct pg *pg, const struct message *letter, struct err *e)
{
	struct chunk chunk;
	struct job job;
	struct err why;
	int result = job_load(pg, letter->job, &job, &why);

	if (result == 0) {
		result = !job.cancelled && (letter->chunk >= 0 || job.error != NULL);
		job_fini(&job);
	}
	if (result == 1 && letter->chunk >= 0) {
		result = chunk_load(pg, letter->job, letter->chunk, &chunk, &why);
		if (result == 0)
			result = chunk.state == CHUNK_FAILED;
	}
	if (result < 0 && why.code == ERR_NOINPUT)
		return 0;
	if (result < 0)
		*e = why;
	return result;
}

static int
list_letter(void *ctx, const struct message *letter, struct err *e)
{
	struct visit *v = ctx;
	int failed = wanted(v, letter) ? has_failed(v->pg, letter, e) : 0;

	if (failed <= 0)
		return failed;
	return v->each(v->ctx, letter, e) != 0 ? -1 : 0;
}

int
deadletters_list(
    struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, deadletters_each *each, void *ctx, struct err *e)
{
	struct visit v = {.pg = pg, .job = job, .chunk = chunk, .each = each, .ctx = ctx};

	return queue_visit(queue, QUEUE_DEAD, list_letter, &v, e);
}

/*
 * Under the lock of the work: whoever writes the letter just now holds it until
 * the ledger says that the work has failed.
 */
static int
revive(struct visit *v, const struct message *letter, struct err *e)
{
	int64_t key = letter->chunk < 0 ? ledger_lock_key(LEDGER_LOCK_SPLIT, letter->job, 0)
					: ledger_lock_key(LEDGER_LOCK_CHUNK, letter->job, letter->chunk);
	struct err why;
	int revived;

	if (pg_lock(v->pg, key, e) != 0)
		return -1;
	revived = delivery_retry(v->pg, letter->job, letter->chunk, e);
	pg_unlock(v->pg, key);
	if (revived < 0)
		return -1;
	/* Also if it was undone already: an earlier call may have been ended just here. */
	if (handoff_again(v->pg, v->queue, letter->job, letter->chunk, &why) != 0 && why.code != ERR_NOINPUT) {
		*e = why;
		return -1;
	}
	v->count += revived;
	return revived > 0 && v->each != NULL ? v->each(v->ctx, letter, e) : 0;
}

static int
retry_letter(void *ctx, const struct message *letter, struct err *e)
{
	if (!wanted(ctx, letter))
		return 0;
	return revive(ctx, letter, e) != 0 ? -1 : 1;
}

/* What has failed without a letter. */
static int
retry_job(struct visit *v, struct err *e)
{
	struct chunk *chunks;
	size_t count;
	int result = 0;

	if (chunk_list(v->pg, v->job, &chunks, &count, e) != 0)
		return -1;
	if (v->chunk < 0)
		result = revive(v, &(struct message){.job = v->job, .chunk = -1}, e);
	for (size_t i = 0; result == 0 && i < count; i++)
		if (chunks[i].state == CHUNK_FAILED && (v->chunk < 0 || v->chunk == chunks[i].number))
			result = revive(v, &(struct message){.job = v->job, .chunk = chunks[i].number}, e);
	free(chunks);
	return result;
}

static int
check_job(const struct visit *v, struct err *e)
{
	struct chunk chunk;
	struct job job;
	int result = 0;

	if (job_load(v->pg, v->job, &job, e) != 0)
		return -1;
	if (job.cancelled)
		result = err_set(e, ERR_DATA, "job %" PRId64 " is cancelled, which is for good; hint: upload %s again",
		    v->job, job.file);
	job_fini(&job);
	if (result == 0 && v->chunk >= 0)
		result = chunk_load(v->pg, v->job, v->chunk, &chunk, e);
	return result;
}

int
deadletters_retry(
    struct pg *pg, struct queue *queue, int64_t job, int64_t chunk, deadletters_each *each, void *ctx, struct err *e)
{
	struct visit v = {.pg = pg, .queue = queue, .job = job, .chunk = chunk, .each = each, .ctx = ctx};

	if (job != 0 && check_job(&v, e) != 0)
		return -1;
	if (queue_visit(queue, QUEUE_DEAD, retry_letter, &v, e) != 0)
		return -1;
	return job != 0 ? retry_job(&v, e) : 0;
}

int
deadletters_revive(struct pg *pg, struct queue *queue, int64_t job, struct err *e)
{
	struct visit v = {.pg = pg, .queue = queue, .job = job, .chunk = -1};

	return retry_job(&v, e);
}

static int
purge_letter(void *ctx, const struct message *letter, struct err *e)
{
	struct visit *v = ctx;

	(void)e;
	v->count += wanted(v, letter);
	return wanted(v, letter);
}

int64_t
deadletters_purge(struct queue *queue, int64_t job, int64_t chunk, struct err *e)
{
	struct visit v = {.job = job, .chunk = chunk};

	return queue_visit(queue, QUEUE_DEAD, purge_letter, &v, e) == 0 ? v.count : -1;
}
