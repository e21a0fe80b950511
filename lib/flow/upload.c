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
#include "flow/site.h"
#include "io/input.h"
#include "ledger/dataset.h"
#include "ledger/intake.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
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
	int64_t job;
	char *object;
	bool stored; /* the object is there, by this upload */
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
	bool created = false;
	int found;

	if (u->existing) {
		found = dataset_find(t->pg, u->dataset, &t->dataset, e);
		if (found == 0)
			return err_set(e, ERR_NOINPUT,
			    "there is no dataset %s; hint: leave out --existing, or csvp-admin dataset list",
			    u->dataset);
		if (found < 0)
			return -1;
	} else if (dataset_ensure(t->pg, u->dataset, site_schema(site), &t->dataset, &created, e) != 0) {
		return -1;
	}
	log_notice("dataset %s (%s)", u->dataset, created ? "new" : "existing");
	return intake_check_key(t->pg, &t->dataset, u->key, u->key_count, e);
}

/* Uploads of this dataset whose process is gone hold no lock: forget them and what they stored. */
static int
collect_dead(struct transfer *t, struct err *e)
{
	int64_t *ids;
	size_t count;
	int result = 0;

	if (job_uploading(t->pg, t->dataset.id, &ids, &count, e) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < count; i++) {
		int64_t key = ledger_lock_key(LEDGER_LOCK_UPLOAD, ids[i], 0);
		struct job job;

		result = pg_try_lock(t->pg, key, e);
		if (result <= 0)
			continue;
		result = job_load(t->pg, ids[i], &job, e);
		if (result == 0 && job.state == JOB_UPLOADING)
			result =
			    store_remove(t->store, job.object, e) != 0 || job_discard(t->pg, ids[i], e) != 0 ? -1 : 0;
		else if (result != 0 && e->code == ERR_NOINPUT)
			result = 0;
		job_fini(&job);
		pg_unlock(t->pg, key);
	}
	free(ids);
	return result < 0 ? -1 : 0;
}

static int
open_job(struct transfer *t, struct err *e)
{
	const struct upload *u = t->upload;
	struct buf options = {0};
	int result;

	reading_to_json(u->reading, &options);
	/* One transaction, so that nobody sees an uploading job whose lock is not held. */
	result = pg_begin(t->pg, e);
	if (result == 0)
		result = job_open(t->pg, t->dataset.id, u->path, options.bytes,
		    u->max_rejects != NULL ? u->max_rejects : "0", u->fail_fast, &t->job, &t->object, e);
	if (result == 0)
		result = pg_lock(t->pg, ledger_lock_key(LEDGER_LOCK_UPLOAD, t->job, 0), e);
	if (result == 0)
		result = pg_commit(t->pg, e);
	if (result != 0)
		pg_rollback(t->pg);
	buf_fini(&options);
	return result;
}

/* The bytes turned out to be known, or the upload failed: forget it. An object that it has not made is not its own. */
static int
discard(struct transfer *t, struct err *e)
{
	if (job_discard(t->pg, t->job, e) != 0)
		return -1;
	return t->stored ? store_remove(t->store, t->object, e) : 0;
}

static int
take_in(struct transfer *t, struct upload_result *result, struct err *e)
{
	const struct upload *u = t->upload;
	struct intake_result outcome;
	struct input_digest digest;
	uint64_t size;
	int status;

	if (store_put(t->store, t->object, read_input, t, &size, e) != 0)
		return -1;
	t->stored = true;
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
	    },
	    &outcome, e);
	/* A job that failed by its rejects stands for the bytes all the same. */
	if (outcome.finished)
		result->job = outcome.job;
	if (status != 0)
		return -1;
	if (outcome.notice[0] != '\0')
		log_notice("%s", outcome.notice);
	if (outcome.reused && discard(t, e) != 0)
		return -1;
	result->job = outcome.job;
	result->reused = outcome.reused;
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
	struct err ignored;
	int status = -1;

	*result = (struct upload_result){0};
	t.input = input_open(u->path, u->reading->encoding, e);
	if (t.input == NULL)
		return -1;
	if (progress != NULL)
		progress_total(progress, input_size(t.input));
	t.pg = site_connect(site, e);
	t.store = t.pg != NULL ? site_store(site, e) : NULL;
	if (t.store == NULL || find_dataset(site, &t, e) != 0 || collect_dead(&t, e) != 0 || open_job(&t, e) != 0)
		goto done;
	status = take_in(&t, result, e);
	/* What failed leaves nothing, also after a signal; if even that fails, the next upload collects it. */
	pg_shield(t.pg, true);
	store_shield(t.store, true);
	if (status != 0 && !pg_lost(t.pg) && discard(&t, &ignored) != 0)
		log_detail("left behind by the failed upload: %s", ignored.message);

done:
	free(t.object);
	dataset_fini(&t.dataset);
	store_close(t.store);
	pg_close(t.pg);
	input_close(t.input);
	return status;
}
