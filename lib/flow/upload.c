#include "flow/upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/progress.h"
#include "db/pg.h"
#include "flow/collect.h"
#include "flow/datasets.h"
#include "flow/deadletters.h"
#include "flow/handoff.h"
#include "flow/site.h"
#include "io/input.h"
#include "ledger/dataset.h"
#include "ledger/intake.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "ledger/owner.h"
#include "ledger/unfinished.h"
#include "queue/queue.h"
#include "store/store.h"
#include "table/reading.h"

/* An upload under way: what has to be closed again. */
struct transfer {
	const struct upload *upload;
	struct pg *pg;
	struct store *store;
	struct input *input;
	struct progress *progress;
	struct dataset dataset;
	bool created; /* the dataset, for this upload */
	int64_t job;
	char *object;
	bool stored;              /* the object is there, by this upload */
	struct unfinished before; /* an earlier attempt that is continued */
	bool resumable;           /* the store has parts that a later attempt can use */
	bool owner;               /* what earlier attempts have left in the store is this database's */
	uint64_t reported;
};

static ssize_t
read_input(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct transfer *t = ctx;
	ssize_t n;

	if (sig_check(e) != 0)
		return -1;
	n = input_read(t->input, bytes, capacity, e);
	if (t->progress != NULL && n >= 0) {
		progress_add(t->progress, input_received(t->input) - t->reported, 0);
		t->reported = input_received(t->input);
	}
	return n;
}

static int
find_dataset(const struct site *site, struct transfer *t, struct err *e)
{
	const struct upload *u = t->upload;
	int found;

	if (u->existing) {
		found = dataset_find(t->pg, u->dataset, &t->dataset, e);
		if (found == 0)
			return err_set(e, ERR_NOINPUT,
			    "there is no dataset %s; hint: leave out --existing, or csvp-admin dataset list",
			    u->dataset);
		if (found < 0)
			return -1;
	} else if (dataset_ensure(t->pg, u->dataset, site_schema(site), &t->dataset, &t->created, e) != 0) {
		return -1;
	}
	if (datasets_renew(site, t->pg, &t->dataset, e) != 0)
		return -1;
	log_notice("dataset %s (%s)", u->dataset, t->created ? "new" : "existing");
	return intake_check_key(t->pg, &t->dataset, u->key, u->key_count, e);
}

static int64_t
lock_of(int64_t job)
{
	return ledger_lock_key(LEDGER_LOCK_UPLOAD, job, 0);
}

static int
new_job(struct transfer *t, const char *options, const char *max_rejects, struct err *e)
{
	/* One transaction, so that nobody sees an uploading job whose lock is not held. */
	int result = pg_begin(t->pg, e);

	if (result == 0)
		result = job_open(t->pg, t->dataset.id, t->upload->path, options, max_rejects, t->upload->fail_fast,
		    &t->job, &t->object, e);
	if (result == 0)
		result = pg_lock(t->pg, lock_of(t->job), e);
	if (result == 0)
		result = pg_commit(t->pg, e);
	if (result != 0)
		pg_rollback(t->pg);
	return result;
}

/* With the lock of an unfinished upload: 1, or 0 if there is nothing to go on with. */
static int
continue_job(struct transfer *t, int64_t job, struct err *e)
{
	uint64_t stored = 0;
	struct err none;
	int result = unfinished_load(t->pg, job, &t->before, e);

	if (result <= 0)
		return result;
	if (store_size(t->store, t->before.object, &stored, &none) == 0) {
		/* It died between the whole object and its job's next state: what is there is not proven. */
		return store_remove(t->store, t->before.object, e) != 0 || job_discard(t->pg, job, e) != 0 ? -1 : 0;
	}
	for (size_t i = 0; i < t->before.count; i++)
		stored += t->before.parts[i].length;
	log_notice("job %" PRId64 ": the upload that broke off goes on, %" PRIu64 " bytes are stored", job, stored);
	t->job = job;
	t->object = buf_strdup(t->before.object);
	t->resumable = true;
	return 1;
}

/* Go on with an upload of this file that broke off: 1, or 0 if there is none. */
static int
old_job(struct transfer *t, const char *options, const char *max_rejects, struct err *e)
{
	const struct unfinished_command command = {t->dataset.id, options, max_rejects, t->upload->fail_fast};
	const struct stat *file = input_file(t->input);
	int64_t job = file != NULL ? unfinished_find(t->pg, &command, file, e) : 0;
	int result;

	if (job <= 0 || !t->owner)
		return job < 0 ? -1 : 0;
	result = pg_try_lock(t->pg, lock_of(job), e);
	if (result <= 0)
		return result;
	result = continue_job(t, job, e);
	if (result == 0) {
		unfinished_fini(&t->before);
		pg_unlock(t->pg, lock_of(job));
	}
	return result;
}

/* What earlier uploads of this dataset have left is collected, unless it may be another database's. */
static int
clear_up(struct transfer *t, struct err *e)
{
	int owner = owner_here(t->pg, e);

	t->owner = owner == 1;
	return owner <= 0 ? owner : collect_uploads(t->pg, t->store, t->dataset.id, false, NULL, NULL, e);
}

static int
open_job(struct transfer *t, struct err *e)
{
	const char *max_rejects = t->upload->max_rejects != NULL ? t->upload->max_rejects : "0";
	struct buf options = {0};
	int result;

	reading_to_json(t->upload->reading, &options);
	result = old_job(t, options.bytes, max_rejects, e);
	if (result == 0)
		result = new_job(t, options.bytes, max_rejects, e);
	buf_fini(&options);
	return result < 0 ? -1 : 0;
}

static int
keep_upload(void *ctx, const char *upload, struct err *e)
{
	struct transfer *t = ctx;

	t->resumable = true;
	return unfinished_begin(t->pg, t->job, input_file(t->input), upload, e);
}

static int
keep_part(void *ctx, size_t number, const struct store_part *part, struct err *e)
{
	struct transfer *t = ctx;

	return unfinished_part(t->pg, t->job, number, part, e);
}

static void
hash_so_far(void *ctx, unsigned char sha256[32])
{
	struct transfer *t = ctx;

	input_sha256(t->input, sha256);
}

static int
store_input(struct transfer *t, uint64_t *size, struct err *e)
{
	const struct store_resume resume = {
	    .upload = t->before.upload,
	    .parts = t->before.parts,
	    .count = t->before.count,
	    .on_upload = keep_upload,
	    .on_part = keep_part,
	    .so_far = hash_so_far,
	    .ctx = t,
	};
	/* What comes through a pipe cannot be read again. */
	bool again = input_file(t->input) != NULL;

	if (store_put_resumed(t->store, t->object, read_input, t, again ? &resume : NULL, size, e) != 0) {
		t->resumable =
		    t->resumable && (e->code == ERR_AGAIN || e->code == ERR_SIGINT || e->code == ERR_SIGTERM);
		return -1;
	}
	t->stored = true;
	if (t->resumable && unfinished_forget(t->pg, t->job, e) != 0)
		return -1;
	t->resumable = false;
	return 0;
}

/*
 * The bytes turned out to be known, or the upload failed: forget it. An object that it has not made is not its own. The
 * ledger last: what a crash leaves behind is still known, and collected.
 */
static int
discard(struct transfer *t, struct err *e)
{
	if (t->stored && store_remove(t->store, t->object, e) != 0)
		return -1;
	return job_discard(t->pg, t->job, e);
}

/* What failed and cannot go on leaves nothing, also after a signal; if even that fails, the next upload collects it. */
static void
take_back(struct transfer *t)
{
	struct err e;

	if (t->store == NULL || t->resumable || pg_lost(t->pg))
		return;
	if (store_left(t->store)) {
		/* Only its job says where: the next upload of the dataset, or gc, collects both. */
		log_notice("job %" PRId64 ": what the store has of it stays, unfinished; hint: csvp-admin gc", t->job);
		return;
	}
	pg_shield(t->pg, true);
	store_shield(t->store, true);
	if ((t->job != 0 && discard(t, &e) != 0) || (t->created && dataset_forget(t->pg, t->dataset.id, &e) != 0))
		log_detail("left behind by the failed upload: %s", e.message);
}

/* The dataset and a job in it. Who made the dataset for an upload that failed may take it away at this moment. */
static int
begin(const struct site *site, struct transfer *t, struct err *e)
{
	enum { TRIES = 5 };

	for (int i = 1;; i++) {
		if (find_dataset(site, t, e) != 0 || clear_up(t, e) != 0)
			return -1;
		if (open_job(t, e) == 0)
			return 0;
		if (e->code != ERR_NOINPUT || i == TRIES)
			return -1;
		dataset_fini(&t->dataset);
	}
}

static int
take_in(struct transfer *t, struct upload_result *result, struct err *e)
{
	const struct upload *u = t->upload;
	struct intake_result outcome;
	struct input_digest digest;
	uint64_t size;
	int status;

	if (store_input(t, &size, e) != 0)
		return -1;
	if (input_finish(t->input, &digest, e) != 0)
		return -1;
	status = intake_store(t->pg, &t->dataset,
	    &(struct intake){
		.job = t->job,
		.sha256 = digest.sha256,
		.bytes = digest.received,
		.object_bytes = size,
		.key = u->key,
		.key_count = u->key_count,
		.max_rejects = u->max_rejects,
		.force = u->force,
		.request = u->request,
	    },
	    &outcome, e);
	if (status != 0) {
		/* A job that failed by its rejects, or is paused, stands for the bytes all the same. */
		result->conflict = outcome.finished || (outcome.reused && e->code == ERR_AGAIN);
		if (result->conflict)
			result->job = outcome.job;
		return -1;
	}
	if (outcome.notice[0] != '\0')
		log_notice("%s", outcome.notice);
	if (outcome.reused && discard(t, e) != 0)
		return -1;
	result->job = outcome.job;
	result->reused = outcome.reused;
	result->failed = outcome.failed;
	result->bytes = digest.received;
	for (size_t i = 0; i < sizeof digest.sha256; i++)
		snprintf(result->sha256 + 2 * i, 3, "%02x", digest.sha256[i]);
	return 0;
}

int
upload_file(const struct site *site, const struct upload *u, struct progress *progress, struct upload_result *result,
    struct err *e)
{
	struct transfer t = {.upload = u, .progress = progress};
	int status = -1;

	*result = (struct upload_result){0};
	t.input = u->source != NULL ? input_open_source(u->source, u->reading->encoding, e)
				    : input_open(u->path, u->reading->encoding, e);
	if (t.input == NULL)
		return -1;
	if (progress != NULL)
		progress_total(progress, input_size(t.input));
	t.pg = site_connect(site, e);
	t.store = t.pg != NULL ? site_store(site, e) : NULL;
	if (t.store != NULL && begin(site, &t, e) == 0)
		status = take_in(&t, result, e);
	if (status != 0)
		take_back(&t);
	free(t.object);
	unfinished_fini(&t.before);
	dataset_fini(&t.dataset);
	store_close(t.store);
	/* Without its lock the job's uploader is not alive any more. */
	if (status == 0) {
		pg_unlock(t.pg, lock_of(t.job));
		site_release(site, t.pg);
	} else {
		pg_close(t.pg);
	}
	input_close(t.input);
	return status;
}

int
upload_enqueue(const struct site *site, const struct upload_result *result, struct err *e)
{
	struct queue *queue = site_queue(site, e);
	struct pg *pg = queue != NULL && result->failed ? site_connect(site, e) : NULL;
	int status = queue != NULL && (pg != NULL || !result->failed) ? 0 : -1;

	if (status == 0 && pg != NULL)
		status = deadletters_revive(pg, queue, result->job, e);
	if (status == 0)
		status = handoff_job(queue, result->job, e);
	site_release(site, pg);
	if (status == 0)
		site_release_queue(site, queue);
	else
		queue_close(queue);
	return status;
}
