#include "flow/load.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/progress.h"
#include "db/pg.h"
#include "flow/desk.h"
#include "flow/finalise.h"
#include "ledger/chunk.h"
#include "ledger/ledger.h"
#include "table/encode.h"
#include "table/merge.h"

/* What a work transaction ended with, besides 0 and -1. */
enum { LOADED = 0, AGAIN = 1, PASS = 2 };

/*
 * From now on nothing older can come, so that equal rows may be left alone: a
 * short transaction whose lock waits for open loads and edits. Failing to get
 * it is no error: this chunk rewrites equal rows, and the next one tries again.
 */
static int
try_seal(struct desk *d, struct err *e)
{
	int finished;

	if (!d->job.unique_keys || d->dataset.seal >= d->job.seq || d->dataset.state != DATASET_READY ||
	    !d->dataset.keyed)
		return 0;
	finished = job_earlier_finished(d->pg, &d->job, e);
	if (finished <= 0)
		return finished;
	if (pg_begin(d->pg, e) != 0 || pg_exec(d->pg, "SET LOCAL lock_timeout = '10s'", e) != 0)
		goto fail;
	if (target_lock(d->pg, &d->target, "SHARE", e) != 0) {
		if (strcmp(pg_sqlstate(d->pg), "55P03") != 0 && strcmp(pg_sqlstate(d->pg), "40P01") != 0)
			goto fail;
		log_detail("job %" PRId64 ": rows that are equal already are rewritten, since others work on the table",
		    d->job.id);
		pg_rollback(d->pg);
		return 0;
	}
	finished = job_earlier_finished(d->pg, &d->job, e);
	if (finished < 0 || (finished == 1 && dataset_set_seal(d->pg, d->dataset.id, d->job.seq, e) != 0) ||
	    pg_commit(d->pg, e) != 0)
		goto fail;
	return 0;

fail:
	pg_rollback(d->pg);
	return -1;
}

/*
 * Rows of an appended chunk that are there already, or were and have been deleted: somebody put its state back by hand.
 * 1, 0, -1.
 */
static int
appended_before(struct desk *d, const struct chunk *c, struct err *e)
{
	char *table = dataset_table(&d->dataset);
	char first[24], end[24];
	struct buf sql = {0};
	struct pg_rows *rows;
	int result = -1;

	snprintf(first, sizeof first, "%" PRId64, ledger_version(d->job.seq, c->byte));
	snprintf(end, sizeof end, "%" PRId64, ledger_version(d->job.seq, c->byte + c->length));
	buf_printf(&sql,
	    "SELECT EXISTS (SELECT FROM %s WHERE _id >= %s AND _id < %s) OR EXISTS (SELECT FROM csvp.tombstone"
	    " WHERE dataset = %" PRId64 " AND key[1]::bigint >= %s AND key[1]::bigint < %s",
	    table, first, end, d->dataset.id, first, end);
	/* By the key's index, where numbers are in the order of their texts. */
	if (strlen(first) == strlen(end))
		buf_printf(&sql, " AND key >= '{%s}' AND key < '{%s}'", first, end);
	buf_byte(&sql, ')');
	if (pg_query(d->pg, &rows, e, sql.bytes, 0, NULL) == 0) {
		result = pg_rows_bool(rows, 0, 0);
		pg_rows_free(rows);
	}
	buf_fini(&sql);
	free(table);
	return result;
}

/*
 * Read mode and seal under the table's lock, in a fresh statement. LOADED with
 * *mode set, or AGAIN when what is on the desk is out of date.
 */
static int
choose_mode(struct desk *d, const struct chunk *c, enum merge_mode *mode, struct err *e)
{
	struct dataset now;
	int before, result = LOADED;

	if (dataset_load(d->pg, d->dataset.id, &now, e) != 0)
		return -1;
	if (now.generation != d->dataset.generation || now.state != d->dataset.state) {
		result = AGAIN;
	} else if (now.seal > d->job.seq) {
		result = err_set(e, ERR_DATA,
		    "job %" PRId64 " is older than what dataset %s has settled; hint: upload %s again with --force",
		    d->job.id, now.name, d->job.file);
	} else if (now.state == DATASET_BUILDING) {
		*mode = MERGE_APPEND;
	} else if (now.keyed) {
		*mode = d->job.unique_keys && now.seal == d->job.seq ? MERGE_LEAVE : MERGE_UPSERT;
	} else {
		before = appended_before(d, c, e);
		*mode = before == 0 ? MERGE_APPEND : MERGE_UPSERT;
		result = before < 0 ? -1 : LOADED;
	}
	dataset_fini(&now);
	return result;
}

static int
still_to_load(struct desk *d, const struct chunk *c, struct err *e)
{
	struct chunk now;

	if (chunk_load(d->pg, c->job, c->number, &now, e) != 0)
		return -1;
	return chunk_to_load(&now) ? LOADED : PASS;
}

/* The records that the server refused join the client's rejects. */
static void
collect_refused(struct desk *d)
{
	for (size_t i = 0; i < d->batch.count; i++) {
		const struct batch_entry *entry = &d->batch.entries[i];

		if (entry->fault != NULL)
			reject_add(&d->rejects, entry->byte, entry->line, entry->length, NULL, "server", entry->fault);
	}
}

/* Data, rejects and books, in the open transaction. */
static int
write_chunk(struct desk *d, const struct chunk *c, int64_t began, struct err *e)
{
	struct merge_result merged = {0};
	struct chunk loaded = *c;
	enum merge_mode mode = MERGE_APPEND;
	int result = target_lock(d->pg, &d->target, "ROW EXCLUSIVE", e);

	if (result == 0)
		result = choose_mode(d, c, &mode, e);
	if (result == LOADED)
		result = still_to_load(d, c, e);
	if (result != LOADED)
		return result;
	if (mode == MERGE_APPEND || !d->dataset.keyed)
		batch_group_each(&d->batch);
	else
		batch_group_by_key(&d->batch);
	if (target_blocks(d->pg, &d->target, &loaded.first_block, e) != 0 ||
	    merge_batch(d->pg, &d->target, mode, d->guess, &d->batch, &merged, e) != 0 ||
	    target_blocks(d->pg, &d->target, &loaded.end_block, e) != 0)
		return -1;
	d->guess = merge_guess(&merged);
	collect_refused(d);
	if (reject_write(d->pg, c->job, c->number, &d->rejects, e) != 0)
		return -1;
	result = chunk_set_loaded(d->pg, &loaded,
	    &(struct books){merged.inserted, merged.updated, merged.unchanged, merged.superseded, d->rejects.count},
	    clk_now(clk_system()) - began, e);
	if (result < 0)
		return -1;
	if (result == 0)
		return PASS;
	/* The last statement: a cancel or pause waits for this row, or is seen here. */
	return job_check_wanted(d->pg, d->job.id, e);
}

static int
work_transaction(struct desk *d, const struct chunk *c, struct err *e)
{
	int64_t began = clk_now(clk_system());
	int result;

	if (desk_read_chunk(d, c, NULL, NULL, e) != 0 || merge_prepare(d->pg, &d->target, e) != 0)
		return -1;
	if (pg_begin(d->pg, e) != 0)
		return -1;
	result = write_chunk(d, c, began, e);
	if (result == LOADED)
		result = pg_commit(d->pg, e);
	if (result < 0 && (strcmp(pg_sqlstate(d->pg), "40P01") == 0 || strcmp(pg_sqlstate(d->pg), "40001") == 0))
		result = AGAIN;
	if (result != LOADED)
		pg_rollback(d->pg);
	return result;
}

/* --fail-fast: no chunk is begun once the job is over its limit. */
static int
check_fail_fast(struct desk *d, struct err *e)
{
	int given_up = d->job.fail_fast ? job_given_up(d->pg, d->job.id, e) : 0;

	if (given_up == 1)
		return err_set(
		    e, ERR_DATA, "job %" PRId64 " is over its limit of rejects and was to fail fast", d->job.id);
	return given_up;
}

static int
load_locked(struct desk *d, int64_t job, int64_t number, struct err *e)
{
	struct chunk c;
	struct err why;
	int result;

	do {
		if (chunk_load(d->pg, job, number, &c, e) != 0)
			return -1;
		/* To be indexed, also when its job was cancelled meanwhile. */
		if (c.state == CHUNK_LOADED)
			return desk_take_loaded(d, job, e);
		if (desk_take(d, job, e) != 0)
			return -1;
		if (!chunk_to_load(&c))
			return 0;
		if (check_fail_fast(d, e) != 0)
			return -1;
		if (d->dataset.state == DATASET_BUILDING && d->dataset.builder != job) {
			if (finalise_dataset(d->pg, d->dataset.id, true, e) < 0)
				return -1;
			result = AGAIN;
			continue;
		}
		if (try_seal(d, e) != 0)
			return -1;
		result = work_transaction(d, &c, e);
	} while (result == AGAIN);
	/* Somebody has cancelled the statement: the job says why. */
	if (result < 0 && strcmp(pg_sqlstate(d->pg), "57014") == 0 && !sig_pending() && desk_take(d, job, e) == 0)
		return err_set(e, ERR_AGAIN, "the statement was cancelled in the database");
	/* What must not happen: unless somebody has just changed the table. */
	if (result < 0 && e->code == ERR_BUG && !pg_lost(d->pg) && desk_take_dataset(d, d->dataset.id, &why) != 0)
		*e = why;
	if (result == LOADED && d->progress != NULL)
		progress_add(d->progress, c.length, c.records);
	return result < 0 ? -1 : 0;
}

int
load_chunk(struct desk *d, int64_t job, int64_t number, struct err *e)
{
	int64_t key = ledger_lock_key(LEDGER_LOCK_CHUNK, job, number);
	int result;

	if (pg_lock(d->pg, key, e) != 0)
		return -1;
	result = load_locked(d, job, number, e);
	pg_unlock(d->pg, key);
	if (result == 0 && d->dataset.state != DATASET_READY)
		result = finalise_dataset(d->pg, d->dataset.id, false, e) < 0 ? -1 : 0;
	return result;
}

int
load_empty_job(struct desk *d, int64_t job, struct err *e)
{
	if (desk_take(d, job, e) != 0)
		return -1;
	return finalise_dataset(d->pg, d->dataset.id, false, e) < 0 ? -1 : 0;
}
