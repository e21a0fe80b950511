#include "flow/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/progress.h"
#include "csv/record.h"
#include "db/pg.h"
#include "flow/desk.h"
#include "flow/documents.h"
#include "flow/drain.h"
#include "flow/finalise.h"
#include "flow/refill.h"
#include "ledger/chunk.h"
#include "ledger/index_generation.h"
#include "ledger/ledger.h"
#include "search/search.h"
#include "table/encode.h"
#include "table/rows.h"

/* Documents sent at a time: enough to hide the round trip, few enough to keep a signal's wait short. */
#define BULK 10000

/*
 * Blocks below those that a load has added, where it may have put rows, too:
 * the last one had room, and a server that adds many at a time (up to 512)
 * has some left for others. Seen: 590; to read so many more takes 5 ms.
 */
#define FREE_BLOCKS 2048

/* The documents of a chunk as they are gathered: key texts one behind the other, then pointers to them. */
struct docs {
	struct desk *desk;
	struct search *search;
	struct search_index index;
	size_t key_count;
	struct buf texts;
	size_t *places; /* key_count for each document, in texts */
	int64_t *versions;
	size_t count;
	struct documents_seen seen; /* what is sent already */
	uint64_t refused;
};

static int
send(struct docs *docs, struct err *e)
{
	const char **keys = buf_calloc(docs->count * docs->key_count, sizeof *keys);
	struct search_doc *list = buf_calloc(docs->count, sizeof *list);
	uint64_t refused = 0;
	int result = 0;

	for (size_t i = 0; i < docs->count * docs->key_count; i++)
		keys[i] = docs->texts.bytes + docs->places[i];
	for (size_t i = 0; i < docs->count; i++)
		list[i] = (struct search_doc){.key = keys + i * docs->key_count, .version = docs->versions[i]};
	if (docs->count > 0)
		result = documents_send(docs->desk->pg, docs->search, &docs->desk->dataset, &docs->desk->shape, list,
		    docs->count, &refused, e);
	docs->refused += refused;
	free(list);
	free(keys);
	buf_reset(&docs->texts);
	docs->count = 0;
	return result;
}

static int
compare_versions(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int
gather(void *ctx, const struct record *r, int64_t version, struct err *e)
{
	struct docs *docs = ctx;
	size_t *places = docs->places + docs->count * docs->key_count;

	if (docs->seen.count > 0 &&
	    bsearch(&version, docs->seen.versions, docs->seen.count, sizeof version, compare_versions) != NULL)
		return 0;
	for (size_t i = 0; i < docs->key_count; i++) {
		places[i] = docs->texts.length;
		if (docs->desk->shape.key_count == 0)
			buf_printf(&docs->texts, "%" PRId64, version);
		else
			encode_key_text(docs->desk->encoder, r, i, &docs->texts);
		buf_byte(&docs->texts, '\0');
	}
	docs->versions[docs->count++] = version;
	return docs->count == BULK ? send(docs, e) : 0;
}

/*
 * Where the chunk's load has put rows, they are read at once; those with its
 * versions are its own. Not from so many blocks that probing for keys is less
 * work, as when many loaded at a time.
 */
static int
send_part(struct docs *docs, const struct chunk *c, struct err *e)
{
	struct desk *d = docs->desk;
	const struct rows_part part = {
	    .first_version = ledger_version(d->job.seq, c->byte),
	    .end_version = ledger_version(d->job.seq, c->byte + c->length),
	    .first_block = c->first_block > FREE_BLOCKS ? c->first_block - FREE_BLOCKS : 0,
	    .end_block = c->end_block,
	};

	if ((search_capabilities(docs->search) & SEARCH_WANTS_VALUES) == 0 || c->end_block == c->first_block ||
	    (uint64_t)(part.end_block - part.first_block) > c->records)
		return 0;
	if (documents_send_part(d->pg, docs->search, &d->dataset, &d->shape, &part, &docs->seen, &docs->refused, e) !=
	    0)
		return -1;
	log_detail("%" PRId64 "/%" PRId64 ": %zu of %" PRIu64 " records read from where their load had put them",
	    c->job, c->number, docs->seen.count, c->records);
	if (docs->seen.count > 0)
		qsort(docs->seen.versions, docs->seen.count, sizeof *docs->seen.versions, compare_versions);
	return 0;
}

/* By the chunk's own keys, which is right whatever became of the rows. */
static int
send_rest(struct docs *docs, const struct chunk *c, struct err *e)
{
	int result;

	docs->places = buf_calloc(BULK * docs->key_count, sizeof *docs->places);
	docs->versions = buf_calloc(BULK, sizeof *docs->versions);
	result = desk_read_chunk(docs->desk, c, gather, docs, e);
	if (result == 0)
		result = send(docs, e);
	buf_fini(&docs->texts);
	free(docs->places);
	free(docs->versions);
	return result;
}

static int
send_chunk(struct desk *d, struct search *search, const struct chunk *c, uint64_t *indexed, struct err *e)
{
	struct docs docs = {.desk = d, .search = search, .index = documents_index(&d->dataset, &d->shape)};
	int result;

	docs.key_count = shape_key_parts(&d->shape);
	result = send_part(&docs, c, e);
	/* All its records, as they were loaded: nothing is missing. With a reject, a replay's row may stand for another. */
	if (result == 0 && !(c->changed == c->records && docs.seen.count == c->records))
		result = send_rest(&docs, c, e);
	if (result == 0)
		result = search_refresh(search, &docs.index, e);
	*indexed = c->changed > docs.refused ? c->changed - docs.refused : 0;
	free(docs.seen.versions);
	return result;
}

/* The dataset's key is built, and it has an index: 1, else 0 to be tried again, -1. */
static int
dataset_ready(struct desk *d, struct search *search, bool last, struct err *e)
{
	struct job_verdict v;
	int ready;

	ready = d->dataset.state == DATASET_READY ? 1 : finalise_dataset(d->pg, d->dataset.id, false, e);
	if (ready > 0)
		return refill_create(d->pg, search, &d->dataset, &d->shape, e) < 0 ? -1 : 1;
	if (ready < 0 || !last)
		return ready;
	if (job_verdict(d->pg, d->dataset.builder, &v, e) != 0)
		return -1;
	if (v.pending > 0 && v.held == 0)
		return err_set(e, ERR_AGAIN,
		    "dataset %s waits for %" PRId64 " chunks of job %" PRId64
		    " that nobody loads; hint: csvp-load %" PRId64,
		    d->dataset.name, v.pending, d->dataset.builder, d->dataset.builder);
	return 0;
}

/* Is the last chunk of a job in? Then build what makes queries fast, and close the job. */
static int
finish_job(struct desk *d, struct search *search, bool *finished, struct err *e)
{
	struct search_index index = documents_index(&d->dataset, &d->shape);
	int64_t key = ledger_lock_key(LEDGER_LOCK_INDEX, d->dataset.id, 0);
	struct job_verdict v;
	bool over;
	int result;

	if (job_verdict(d->pg, d->job.id, &v, e) != 0)
		return -1;
	/* Then nothing more is loaded. */
	over = strcmp(v.state, "cancelled") == 0 || strcmp(v.state, "failed") == 0;
	if (v.to_index > 0 || (v.pending + v.held > 0 && !over))
		return 0;
	if (pg_lock(d->pg, key, e) != 0)
		return -1;
	result = search_finish(search, &index, e);
	if (result == 0)
		result = index_generation_raise(d->pg, d->dataset.id, e);
	pg_unlock(d->pg, key);
	if (result != 0 || job_set_finished(d->pg, d->job.id, e) != 0)
		return -1;
	*finished = true;
	/* Edits made meanwhile: rows and documents are as many again. */
	return drain_dataset(d, search, d->dataset.id, e) < 0 ? -1 : 0;
}

static int
index_locked(struct desk *d, struct search *search, const struct chunk *c, bool *finished, struct err *e)
{
	uint64_t indexed = 0;
	int set;

	/* An index that lost its documents needs those of rows that this chunk found as they should be, too. */
	if ((c->changed > 0 || c->again > 0) &&
	    (send_chunk(d, search, c, &indexed, e) != 0 || index_generation_raise(d->pg, d->dataset.id, e) != 0))
		return -1;
	set = chunk_set_indexed(d->pg, c, indexed, e);
	if (set == 0)
		err_set(e, ERR_AGAIN, "the search index was lost at this moment");
	if (set <= 0)
		return -1;
	if (d->progress != NULL)
		progress_add(d->progress, c->length, c->records);
	return finish_job(d, search, finished, e);
}

/* *finished: the job is at its end. */
static int
index_one(struct desk *d, struct search *search, int64_t job, int64_t number, bool last, bool *finished, struct err *e)
{
	int64_t key = ledger_lock_key(LEDGER_LOCK_CHUNK, job, number);
	struct chunk c;
	int ready, result = -1;

	if (desk_take_loaded(d, job, e) != 0)
		return -1;
	ready = dataset_ready(d, search, last, e);
	if (ready <= 0)
		return ready < 0 ? -1 : 1;
	if (pg_lock(d->pg, key, e) != 0)
		return -1;
	if (chunk_load(d->pg, job, number, &c, e) != 0)
		goto done;
	*finished = c.state == CHUNK_INDEXED && d->job.finished;
	if (chunk_to_index(&c))
		result = index_locked(d, search, &c, finished, e);
	else if (c.state == CHUNK_INDEXED)
		/* Who indexed the job's last chunk may have died before it was closed. */
		result = *finished && !d->job.removed ? 0 : finish_job(d, search, finished, e);
	else if (d->job.cancelled)
		err_set(e, ERR_DATA, "job %" PRId64 " is cancelled", job);
	else
		err_set(e, ERR_AGAIN, "the chunk is not loaded; hint: csvp-load %" PRId64 "/%" PRId64, job, number);

done:
	pg_unlock(d->pg, key);
	return result;
}

static int
admit_and_index(struct desk *d, struct search *search, const struct chunk *c, struct err *e)
{
	int64_t key = ledger_lock_key(LEDGER_LOCK_CHUNK, c->job, c->number);
	bool finished;
	int result;

	if (desk_admit(d, THROTTLE_INDEX, c->job, c->number, e) != 0)
		return -1;
	result = pg_try_lock(d->pg, key, e);
	if (result <= 0)
		return result;
	result = index_one(d, search, c->job, c->number, true, &finished, e);
	pg_unlock(d->pg, key);
	return result < 0 ? -1 : 0;
}

/* A chunk that its index has lost, unless somebody else is at it, or its job was paused meanwhile. */
static int
index_again(struct desk *d, struct search *search, const struct chunk *c, struct err *e)
{
	struct err why;

	if (admit_and_index(d, search, c, e) == 0)
		return 0;
	if (!pg_lost(d->pg) && !sig_pending() && desk_take_loaded(d, c->job, &why) != 0 && why.code == ERR_AGAIN)
		return 0;
	return err_prefix(e, "%" PRId64 "/%" PRId64, c->job, c->number);
}

/* What the resume of another job will bring back. */
static int
tell_paused(struct desk *d, int64_t dataset, struct err *e)
{
	struct chunk *chunks;
	size_t count;

	if (chunk_list_again(d->pg, dataset, true, &chunks, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || chunks[i].job != chunks[i - 1].job)
			log_notice("dataset %s: not all records are searchable, since job %" PRId64
				   " is paused; hint: csvp-admin resume %" PRId64,
			    d->dataset.name, chunks[i].job, chunks[i].job);
	free(chunks);
	return 0;
}

/* What the dataset's index has lost, whatever job it is of. */
static int
refill(struct desk *d, struct search *search, int64_t dataset, struct err *e)
{
	struct chunk *chunks;
	size_t count;
	int result = 0;

	if (chunk_list_again(d->pg, dataset, false, &chunks, &count, e) != 0)
		return -1;
	for (size_t i = 0; d->progress != NULL && i < count; i++)
		progress_total(d->progress, chunks[i].length);
	for (size_t i = 0; result == 0 && i < count; i++)
		result = index_again(d, search, &chunks[i], e);
	free(chunks);
	return result == 0 ? tell_paused(d, dataset, e) : result;
}

int
index_chunk(struct desk *d, struct search *search, int64_t job, int64_t number, bool last, bool whole, struct err *e)
{
	bool finished = false;
	int result = index_one(d, search, job, number, last, &finished, e);

	return result == 0 && finished && whole ? refill(d, search, d->dataset.id, e) : result;
}

int
index_empty_job(struct desk *d, struct search *search, int64_t job, bool last, bool whole, struct err *e)
{
	bool finished = false;
	int ready;

	if (desk_take(d, job, e) != 0)
		return -1;
	ready = dataset_ready(d, search, last, e);
	if (ready <= 0)
		return ready < 0 ? -1 : 1;
	if (finish_job(d, search, &finished, e) != 0)
		return -1;
	return finished && whole ? refill(d, search, d->dataset.id, e) : 0;
}

static int
create_one(struct desk *d, struct search *search, int64_t dataset, struct err *e)
{
	struct search_index index;
	int64_t edits;
	int lost;

	if (desk_take_dataset(d, dataset, e) != 0)
		return -1;
	lost = refill_create(d->pg, search, &d->dataset, &d->shape, e);
	if (lost < 0 || refill(d, search, dataset, e) != 0)
		return -1;
	/* Its edits, too, may be all that it had; and who was at this before may have died between. */
	edits = drain_dataset(d, search, dataset, e);
	if (edits < 0 || (lost == 0 && edits == 0))
		return edits < 0 ? -1 : 0;
	index = documents_index(&d->dataset, &d->shape);
	return search_finish(search, &index, e);
}

int
index_create_all(struct desk *d, struct search *search, struct err *e)
{
	struct pg_rows *rows;
	int result = 0;

	/* Of a table that was dropped there is nothing to index. */
	if (pg_query(d->pg, &rows, e,
		"SELECT id FROM csvp.dataset WHERE state <> 'new'"
		" AND to_regclass(format('%I.%I', table_schema, table_name)) IS NOT NULL ORDER BY id",
		0, NULL) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < pg_rows_count(rows); i++)
		result = create_one(d, search, pg_rows_int(rows, i, 0), e);
	pg_rows_free(rows);
	return result;
}
