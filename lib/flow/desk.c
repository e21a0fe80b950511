#include "flow/desk.h"

#include <inttypes.h>

#include "base/err.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "db/pg.h"
#include "flow/object.h"
#include "flow/site.h"
#include "ledger/chunk.h"
#include "ledger/ledger.h"
#include "store/store.h"
#include "table/encode.h"

int
desk_open(struct desk *d, const struct site *site, struct err *e)
{
	*d = (struct desk){0};
	d->pg = site_connect(site, e);
	d->store = d->pg != NULL ? site_store(site, e) : NULL;
	if (d->store == NULL) {
		desk_close(d);
		return -1;
	}
	return 0;
}

static void
clear(struct desk *d)
{
	encode_free(d->encoder);
	d->encoder = NULL;
	reading_fini(&d->reading);
	shape_fini(&d->shape);
	dataset_fini(&d->dataset);
	job_fini(&d->job);
	d->guess = MERGE_MIXED;
}

void
desk_close(struct desk *d)
{
	clear(d);
	batch_fini(&d->batch);
	reject_fini(&d->rejects);
	store_close(d->store);
	pg_close(d->pg);
	*d = (struct desk){0};
}

/*
 * What a job is on the desk for: to load it, to index what is loaded (that of a cancelled job stays), to read what the
 * ledger says of its records, or to look.
 */
enum purpose { TO_LOAD, TO_INDEX, TO_READ, TO_LOOK };

static int
check_workable(const struct job *job, enum purpose purpose, struct err *e)
{
	if (purpose == TO_LOOK)
		return 0;
	/* Its one chunk is done, for those who load and index. */
	if (purpose == TO_READ && job_check_kept(job, e) != 0)
		return -1;
	if (job->cancelled && purpose != TO_INDEX)
		return err_set(e, ERR_DATA, "job %" PRId64 " is cancelled", job->id);
	if (job->paused && purpose != TO_READ)
		return err_set(
		    e, ERR_AGAIN, "job %" PRId64 " is paused; hint: csvp-admin resume %" PRId64, job->id, job->id);
	if (job->error != NULL)
		return err_set(e, job->error_code, "job %" PRId64 " could not be split: %s", job->id, job->error);
	if (job->state != JOB_SPLIT)
		return err_set(
		    e, ERR_AGAIN, "job %" PRId64 " is not split yet; hint: csvp-split %" PRId64, job->id, job->id);
	return 0;
}

static void
aim(struct desk *d)
{
	d->target = (struct target){
	    .dataset = d->dataset.id,
	    .generation = d->dataset.generation,
	    .schema = d->dataset.table_schema,
	    .name = d->dataset.table_name,
	    .shape = &d->shape,
	};
}

static int
take(struct desk *d, int64_t id, enum purpose purpose, struct err *e)
{
	struct dataset dataset;
	struct job job;

	if (job_load(d->pg, id, &job, e) != 0)
		return -1;
	if (check_workable(&job, purpose, e) != 0 || dataset_load(d->pg, job.dataset, &dataset, e) != 0) {
		job_fini(&job);
		return -1;
	}
	if (d->encoder != NULL && d->job.id == job.id && d->dataset.generation == dataset.generation) {
		job_fini(&d->job);
		dataset_fini(&d->dataset);
		d->job = job;
		d->dataset = dataset;
	} else {
		clear(d);
		d->job = job;
		d->dataset = dataset;
		if (reading_from_json(&d->reading, d->job.options, e) != 0 ||
		    dataset_shape(d->pg, &d->dataset, &d->shape, e) != 0) {
			clear(d);
			return -1;
		}
		d->encoder = encode_new(&d->shape, d->job.columns, d->job.column_count, &d->reading);
	}
	aim(d);
	return 0;
}

int
desk_take(struct desk *d, int64_t job, struct err *e)
{
	return take(d, job, TO_LOAD, e);
}

int
desk_take_loaded(struct desk *d, int64_t job, struct err *e)
{
	return take(d, job, TO_INDEX, e);
}

int
desk_take_to_read(struct desk *d, int64_t job, struct err *e)
{
	return take(d, job, TO_READ, e);
}

int
desk_take_any(struct desk *d, int64_t job, struct err *e)
{
	return take(d, job, TO_LOOK, e);
}

int
desk_take_dataset(struct desk *d, int64_t dataset, struct err *e)
{
	clear(d);
	if (dataset_load(d->pg, dataset, &d->dataset, e) != 0 || dataset_shape(d->pg, &d->dataset, &d->shape, e) != 0)
		return -1;
	aim(d);
	return 0;
}

/* What is waited for, and whether there is still something to wait for. */
struct wanted {
	struct desk *desk;
	enum throttle_resource resource;
	struct chunk chunk;
};

/* 1 it is to be done, 0 it is done, -1. */
static int
look(struct wanted *w, struct err *e)
{
	if (chunk_load(w->desk->pg, w->chunk.job, w->chunk.number, &w->chunk, e) != 0)
		return -1;
	return w->resource == THROTTLE_LOAD ? chunk_to_load(&w->chunk) : chunk_to_index(&w->chunk);
}

static int
still_wanted(void *ctx, struct err *e)
{
	struct wanted *w = ctx;
	struct job job;
	int result;

	if (job_load(w->desk->pg, w->chunk.job, &job, e) != 0)
		return -1;
	result = check_workable(&job, w->resource == THROTTLE_INDEX ? TO_INDEX : TO_LOAD, e);
	job_fini(&job);
	if (result == 0)
		result = look(w, e);
	return result < 0 ? -1 : !result;
}

int
desk_admit(struct desk *d, enum throttle_resource resource, int64_t job, int64_t number, struct err *e)
{
	struct wanted wanted = {d, resource, {.job = job, .number = number}};
	int result;

	if (number < 0)
		return 0;
	result = look(&wanted, e);
	if (result <= 0)
		return result;
	return throttle_take(d->pg, resource, wanted.chunk.records, wanted.chunk.length, still_wanted, &wanted, e);
}

static int
take_record(struct desk *d, const struct record *r, desk_each *each, void *ctx, struct err *e)
{
	int64_t version = ledger_version(d->job.seq, r->offset);
	size_t text = d->batch.texts.length, key = d->batch.keys.length;
	struct encode_fault fault;

	if (encode_record(d->encoder, r, version, &d->batch.texts, &d->batch.keys, &fault) != 0) {
		reject_add(&d->rejects, r->offset, r->line, r->length, fault.header, fault.code, fault.reason);
		return 0;
	}
	if (batch_add(&d->batch, r->offset, r->line, (uint32_t)r->length, text, key) != 0)
		return err_set(e, ERR_BUG, "a chunk of more than 4 GiB");
	return each != NULL ? each(ctx, r, version, e) : 0;
}

int
desk_read_chunk(struct desk *d, const struct chunk *c, desk_each *each, void *ctx, struct err *e)
{
	struct object_source source = {.store = d->store, .key = d->job.object, .offset = c->byte, .length = c->length};
	struct reader *reader = NULL;
	struct record r;
	uint64_t records = 0;
	int got, result = -1;

	batch_reset(&d->batch);
	reject_fini(&d->rejects);
	if (object_open(&source, e) != 0)
		return -1;
	reader = reader_new(&d->reading.dialect, c->byte, c->line, object_read, &source);
	while ((got = reader_next(reader, &r, true, e)) == 1) {
		records++;
		if (take_record(d, &r, each, ctx, e) != 0)
			goto done;
	}
	if (got < 0)
		goto done;
	if (records != c->records) {
		err_set(e, ERR_IO,
		    "chunk %" PRId64 "/%" PRId64 " has %" PRIu64 " records instead of %" PRIu64
		    "; hint: the stored object was damaged: csvp-admin verify %" PRId64,
		    c->job, c->number, records, c->records, c->job);
		goto done;
	}
	result = 0;

done:
	reader_free(reader);
	object_close(&source);
	return result;
}
