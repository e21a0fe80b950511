#include "flow/gc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/sig.h"
#include "db/pg.h"
#include "flow/collect.h"
#include "flow/site.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "ledger/owner.h"
#include "ledger/retire.h"
#include "schema/type_time.h"
#include "store/store.h"
#include "table/compare.h"
#include "table/target.h"

/* Objects that are looked up at once. */
#define BATCH 1000

/* A collection under way. */
struct garbage {
	const struct gc_request *request;
	struct pg *pg;
	struct store *store;
	gc_line *line;
	void *ctx;
	struct gc_result *result;
	char *prefix; /* of the site's objects */
	char *keys[BATCH];
	int64_t jobs[BATCH];
	size_t count;
};

static void __attribute__((format(printf, 2, 3))) say(struct garbage *g, const char *format, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	g->line(g->ctx, text.bytes);
	buf_fini(&text);
}

/* A dry run is all one transaction. */
static int
begin(struct garbage *g, struct err *e)
{
	return g->request->dry_run ? 0 : pg_begin(g->pg, e);
}

static int
commit(struct garbage *g, struct err *e)
{
	return g->request->dry_run ? 0 : pg_commit(g->pg, e);
}

static int
remove_job(struct garbage *g, const struct dataset *d, int64_t id, const struct pg_rows *counts, struct buf *lines,
    struct err *e)
{
	struct retired r;
	struct job job;
	int removed;

	if (sig_check(e) != 0 || job_load(g->pg, id, &job, e) != 0)
		return -1;
	removed = retire_job(g->pg, id, g->request->jobs_before,
	    counts != NULL ? (int64_t)compare_rows_of_job(counts, job.seq) : 0, &r, e);
	if (removed > 0) {
		buf_printf(lines,
		    "job %" PRId64 " of %s: %" PRId64 " chunks, %" PRId64
		    " rejects; these can no more be listed or replayed, nor its records be compared by verify",
		    id, d->name, r.chunks, r.rejects);
		buf_byte(lines, '\0');
		g->result->jobs++;
	}
	job_fini(&job);
	return removed < 0 ? -1 : 0;
}

/* In one transaction, under the locks of those who would have chunks of the dataset indexed again. */
static int
remove_jobs_of(struct garbage *g, struct dataset *d, struct err *e)
{
	const struct target target = {.dataset = d->id, .schema = d->table_schema, .name = d->table_name};
	struct pg_rows *counts = NULL;
	struct buf lines = {0};
	int64_t *ids = NULL;
	size_t count = 0;
	int dropped, result = -1;

	if (begin(g, e) != 0)
		return -1;
	dropped = d->state == DATASET_NEW ? 1 : dataset_dropped(g->pg, d, e);
	if (dropped < 0 || (dropped == 0 && compare_count_by_job(g->pg, &target, &counts, e) != 0))
		goto done;
	if (!g->request->dry_run && dataset_lock(g->pg, d, e) != 0)
		goto done;
	if (retire_jobs(g->pg, d->id, g->request->jobs_before, &ids, &count, e) != 0)
		goto done;
	for (size_t i = 0; i < count; i++)
		if (remove_job(g, d, ids[i], counts, &lines, e) != 0)
			goto done;
	result = commit(g, e);
	for (size_t at = 0; result == 0 && at < lines.length; at += strlen(lines.bytes + at) + 1)
		g->line(g->ctx, lines.bytes + at);

done:
	if (result != 0)
		pg_rollback(g->pg);
	free(ids);
	pg_rows_free(counts);
	buf_fini(&lines);
	return result;
}

static int
remove_jobs(struct garbage *g, struct err *e)
{
	int64_t *ids;
	size_t count;
	int result = 0;

	if (retire_datasets(g->pg, g->request->jobs_before, &ids, &count, e) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < count; i++) {
		int64_t key = ledger_lock_key(LEDGER_LOCK_INDEX, ids[i], 0);
		struct dataset d;

		result = pg_lock(g->pg, key, e);
		if (result != 0)
			break;
		result = dataset_load(g->pg, ids[i], &d, e);
		if (result == 0) {
			result = remove_jobs_of(g, &d, e);
			dataset_fini(&d);
		}
		pg_unlock(g->pg, key);
	}
	free(ids);
	return result;
}

/* The job of a key that the prefix begins: 0 if it is none of csvp's. */
static int64_t
job_of_key(const struct garbage *g, const char *key)
{
	const char *job = strrchr(key, '/') + 1;
	char dataset[32];
	int64_t number, id;
	int length = (int)(job - 1 - (key + strlen(g->prefix)));

	snprintf(dataset, sizeof dataset, "%.*s", length > 0 ? length : 0, key + strlen(g->prefix));
	return num_int64(dataset, &number) && number > 0 && num_int64(job, &id) && id > 0 ? id : 0;
}

static int
remove_object(struct garbage *g, const char *key, struct err *e)
{
	uint64_t bytes;

	if (store_size(g->store, key, &bytes, e) != 0) {
		/* Whoever has removed the job was just removing it. */
		if (e->code != ERR_NOINPUT)
			return -1;
		*e = (struct err){0};
		return 0;
	}
	if (!g->request->dry_run && store_remove(g->store, key, e) != 0)
		return -1;
	say(g, "object %s: %" PRIu64 " bytes", key, bytes);
	g->result->objects++;
	g->result->bytes += bytes;
	return 0;
}

/*
 * An uploader holds its job's lock from before the job can be seen. A database that was set back gives numbers for a
 * second time, so its lock is taken, and then the ledger asked once more.
 */
static int
remove_unreferenced(struct garbage *g, int64_t job, const char *key, struct err *e)
{
	int64_t lock = ledger_lock_key(LEDGER_LOCK_UPLOAD, job, 0), *gone = NULL;
	size_t found = 0;
	int result = pg_try_lock(g->pg, lock, e);

	if (result <= 0)
		return result;
	result = retire_unreferenced(g->pg, &job, 1, &gone, &found, e);
	if (result == 0 && found == 1)
		result = remove_object(g, key, e);
	free(gone);
	pg_unlock(g->pg, lock);
	return result;
}

/* The objects were listed before, the jobs are asked for now: those of uploads that have begun meanwhile are not listed. */
static int
look_up(struct garbage *g, struct err *e)
{
	int64_t *gone = NULL;
	size_t found = 0;
	int result = retire_unreferenced(g->pg, g->jobs, g->count, &gone, &found, e);

	for (size_t i = 0; result == 0 && i < found; i++)
		for (size_t k = 0; result == 0 && k < g->count; k++)
			if (g->jobs[k] == gone[i])
				result = remove_unreferenced(g, gone[i], g->keys[k], e);
	free(gone);
	while (g->count > 0)
		free(g->keys[--g->count]);
	return result;
}

static int
take_key(void *ctx, const char *key, struct err *e)
{
	struct garbage *g = ctx;
	int64_t job = job_of_key(g, key);

	if (sig_check(e) != 0)
		return -1;
	if (job == 0)
		return 0;
	g->jobs[g->count] = job;
	g->keys[g->count++] = buf_strdup(key);
	return g->count == BATCH ? look_up(g, e) : 0;
}

static int
remove_objects(struct garbage *g, struct err *e)
{
	int result = store_list(g->store, g->prefix, take_key, g, e);

	if (result == 0)
		result = look_up(g, e);
	while (g->count > 0)
		free(g->keys[--g->count]);
	return result;
}

static int
count_upload(void *ctx, const char *object, uint64_t bytes, struct err *e)
{
	struct garbage *g = ctx;

	say(g, "unfinished upload %s: %" PRIu64 " bytes", object, bytes);
	g->result->uploads++;
	g->result->bytes += bytes;
	return sig_check(e);
}

static int
remove_tombstones_of(struct garbage *g, int64_t id, struct err *e)
{
	struct dataset d = {0};
	int64_t count;
	int result = -1;

	if (dataset_load(g->pg, id, &d, e) != 0 || begin(g, e) != 0)
		goto done;
	count = retire_tombstones(g->pg, &d, e);
	if (count < 0 || commit(g, e) != 0) {
		pg_rollback(g->pg);
		goto done;
	}
	if (count > 0)
		say(g, "tombstones of %s: %" PRId64, d.name, count);
	g->result->tombstones += (uint64_t)count;
	result = 0;

done:
	dataset_fini(&d);
	return result;
}

static int
remove_tombstones(struct garbage *g, struct err *e)
{
	int64_t *ids;
	size_t count;
	int result = 0;

	if (retire_buried(g->pg, &ids, &count, e) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < count; i++)
		result = sig_check(e) == 0 ? remove_tombstones_of(g, ids[i], e) : -1;
	free(ids);
	return result;
}

static int
check_time(const char *text, struct err *e)
{
	struct moment m;

	if (text == NULL || type_time_scan(text, strlen(text), &m) == NULL)
		return 0;
	return err_set(e, ERR_USAGE, "--jobs-before '%s' is no time; hint: 2026-11-30, or 2026-11-30T12:00:00Z", text);
}

static int
collect(struct garbage *g, struct err *e)
{
	int got = pg_try_lock(g->pg, ledger_lock_key(LEDGER_LOCK_GC, 0, 0), e);

	if (got == 0)
		return err_set(e, ERR_AGAIN, "another csvp-admin gc is running");
	if (got < 0 || owner_check(g->pg, e) != 0 || job_objects(g->pg, 0, &g->prefix, e) != 0)
		return -1;
	if (g->request->dry_run && pg_begin(g->pg, e) != 0)
		return -1;
	/* Uploads behind objects, or a dry run would count what they have stored twice. */
	if (g->request->jobs_before != NULL && remove_jobs(g, e) != 0)
		return -1;
	if (remove_objects(g, e) != 0 ||
	    collect_uploads(g->pg, g->store, 0, g->request->dry_run, count_upload, g, e) != 0)
		return -1;
	return remove_tombstones(g, e);
}

int
gc_run(const struct site *site, const struct gc_request *request, gc_line *line, void *ctx, struct gc_result *result,
    struct err *e)
{
	struct garbage *g = buf_calloc(1, sizeof *g);
	int status = -1;

	*result = (struct gc_result){0};
	*g = (struct garbage){.request = request, .line = line, .ctx = ctx, .result = result};
	if (check_time(request->jobs_before, e) != 0)
		goto done;
	g->pg = site_connect(site, e);
	g->store = g->pg != NULL ? site_store(site, e) : NULL;
	if (g->store != NULL)
		status = collect(g, e);
	if (g->pg != NULL)
		pg_rollback(g->pg);

done:
	store_close(g->store);
	pg_close(g->pg);
	free(g->prefix);
	free(g);
	return status;
}

int
gc_adopt(const struct site *site, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	int result = pg != NULL ? owner_adopt(pg, e) : -1;

	pg_close(pg);
	return result;
}
