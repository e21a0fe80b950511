#include "flow/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/progress.h"
#include "db/pg.h"
#include "flow/desk.h"
#include "flow/documents.h"
#include "flow/site.h"
#include "ledger/chunk.h"
#include "ledger/index_reject.h"
#include "ledger/ledger.h"
#include "search/search.h"
#include "table/compare.h"

/* A proof under way. */
struct proof_reading {
	struct desk desk;
	struct search *search;
	struct verify_result *result;
	verify_finding *finding;
	void *ctx;
	uint64_t present; /* rows that a record accounts for */
};

static void __attribute__((format(printf, 2, 3))) find(struct proof_reading *p, const char *format, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	p->result->findings++;
	p->finding(p->ctx, text.bytes);
	buf_fini(&text);
}

/* A statement that gives one number for a job. */
static int
number_for_job(struct proof_reading *p, const char *sql, int64_t job, int64_t *out, struct err *e)
{
	struct pg_rows *rows;
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, job);
	if (PG_QUERY(p->desk.pg, &rows, e, sql, id) != 0)
		return -1;
	*out = pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return 0;
}

/* The ledger against itself: every chunk's sum, its rejects, the job's records, no gap or overlap of ranges. */
static int
check_books(struct proof_reading *p, int64_t job, struct err *e)
{
	static const struct {
		const char *sql, *text;
	} checks[] = {
	    {"SELECT count(*) FROM csvp.chunk WHERE job = $1 AND state IN ('loaded', 'indexed')"
	     " AND records <> inserted + updated + unchanged + superseded + rejected",
		"chunks whose books do not close"},
	    {"SELECT count(*) FROM csvp.chunk c WHERE job = $1 AND state IN ('loaded', 'indexed') AND rejected <>"
	     " (SELECT count(*) FROM csvp.reject r WHERE r.job = c.job AND r.chunk = c.number)",
		"chunks whose rejects are not all known"},
	    {"SELECT count(*) FROM csvp.job j WHERE id = $1 AND records <>"
	     " (SELECT coalesce(sum(records), 0) FROM csvp.chunk WHERE job = j.id)",
		"jobs whose records are not those of their chunks"},
	    {"SELECT count(*) FROM (SELECT byte + length AS ends, lead(byte) OVER (ORDER BY number) AS next FROM "
	     "csvp.chunk"
	     " WHERE job = $1) c WHERE ends > next",
		"chunks that overlap"},
	};

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		int64_t count;

		if (number_for_job(p, checks[i].sql, job, &count, e) != 0)
			return -1;
		if (count > 0)
			find(p, "job %" PRId64 ": %" PRId64 " %s", job, count, checks[i].text);
	}
	return 0;
}

/* Records that the server refused are good to the encoder; their rejects say so. */
static int
drop_refused(struct proof_reading *p, const struct chunk *c, struct err *e)
{
	struct batch *b = &p->desk.batch;
	struct pg_rows *rows;
	char id[24], number[24];
	size_t entry = 0;

	snprintf(id, sizeof id, "%" PRId64, c->job);
	snprintf(number, sizeof number, "%" PRId64, c->number);
	if (PG_QUERY(p->desk.pg, &rows, e, "SELECT byte FROM csvp.reject WHERE job = $1 AND chunk = $2 ORDER BY byte",
		id, number) != 0)
		return -1;
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		uint64_t byte = (uint64_t)pg_rows_int(rows, i, 0);

		while (entry < b->count && b->entries[entry].byte < byte)
			entry++;
		if (entry < b->count && b->entries[entry].byte == byte)
			b->entries[entry].fault = buf_strdup("refused");
	}
	pg_rows_free(rows);
	return 0;
}

static int
check_chunk(struct proof_reading *p, const struct chunk *c, struct err *e)
{
	struct compare_result found;

	if (desk_read_chunk(&p->desk, c, NULL, NULL, e) != 0)
		return -1;
	if (drop_refused(p, c, e) != 0)
		return -1;
	if (p->desk.shape.key_count > 0)
		batch_group_by_key(&p->desk.batch);
	else
		batch_group_each(&p->desk.batch);
	if (compare_batch(p->desk.pg, &p->desk.target, &p->desk.batch, &found, e) != 0)
		return -1;
	p->present += found.present;
	p->result->chunks++;
	p->result->records += c->records;
	if (found.missing > 0)
		find(p,
		    "chunk %" PRId64 "/%" PRId64 ": %" PRIu64
		    " records are not in the table (the first at byte %" PRId64 ")",
		    c->job, c->number, found.missing, found.example & (LEDGER_EDIT_BIT - 1));
	if (found.different > 0)
		find(p,
		    "chunk %" PRId64 "/%" PRId64 ": %" PRIu64
		    " rows differ from their records (the first at byte %" PRId64 ")",
		    c->job, c->number, found.different, found.example & (LEDGER_EDIT_BIT - 1));
	if (p->desk.progress != NULL)
		progress_add(p->desk.progress, c->length, c->records);
	return sig_check(e);
}

static int
check_job(struct proof_reading *p, int64_t job, struct err *e)
{
	struct chunk *chunks = NULL;
	size_t count = 0;
	int result = -1;

	if (desk_take_any(&p->desk, job, e) != 0 || check_books(p, job, e) != 0 ||
	    chunk_list(p->desk.pg, job, &chunks, &count, e) != 0)
		return -1;
	p->result->jobs++;
	for (size_t i = 0; i < count; i++)
		if ((chunks[i].state == CHUNK_LOADED || chunks[i].state == CHUNK_INDEXED) &&
		    check_chunk(p, &chunks[i], e) != 0)
			goto done;
	result = 0;

done:
	free(chunks);
	return result;
}

/* Rows that no record and no edit made; documents. */
static int
check_rows(struct proof_reading *p, struct err *e)
{
	const struct search_index index = documents_index(&p->desk.dataset, &p->desk.shape);
	uint64_t edited;
	int64_t changes, unindexed, refused;

	if (compare_count(p->desk.pg, &p->desk.target, &p->result->rows, &edited, e) != 0 ||
	    search_count(p->search, &index, &p->result->documents, e) != 0 ||
	    number_for_job(p, "SELECT count(*) FROM csvp.change WHERE dataset = $1", p->desk.dataset.id, &changes, e) !=
		0 ||
	    number_for_job(p,
		"SELECT count(*) FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job WHERE j.dataset = $1 AND c.state = "
		"'loaded'",
		p->desk.dataset.id, &unindexed, e) != 0 ||
	    (refused = index_reject_count(p->desk.pg, p->desk.dataset.id, e)) < 0)
		return -1;
	p->result->changes = (uint64_t)changes;
	if (p->result->rows != p->present + edited)
		find(p, "table %s.%s has %" PRIu64 " rows, but records account for %" PRIu64 " and edits for %" PRIu64,
		    p->desk.dataset.table_schema, p->desk.dataset.table_name, p->result->rows, p->present, edited);
	/* Before edits and chunks have reached the index the numbers may differ; then there is nothing to prove. */
	if (changes == 0 && unindexed == 0 && p->result->documents + (uint64_t)refused != p->result->rows)
		find(p, "the index has %" PRIu64 " documents for %" PRIu64 " rows, and has refused %" PRId64,
		    p->result->documents, p->result->rows, refused);
	if (refused > 0)
		log_notice("dataset %s: the search engine refuses %" PRId64
			   " rows; hint: csvp-admin dataset unindexed %s",
		    p->desk.dataset.name, refused, p->desk.dataset.name);
	return 0;
}

/* The dataset's jobs whose records went into the table that is there now. */
static int
list_jobs(struct proof_reading *p, const struct dataset *d, struct pg_rows **rows, struct err *e)
{
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, d->id);
	return PG_QUERY(p->desk.pg, rows, e,
	    "SELECT j.id, j.removed_at IS NOT NULL, j.seq, j.removed_rows FROM csvp.job j"
	    "  JOIN csvp.dataset d ON d.id = j.dataset"
	    " WHERE d.id = $1 AND j.state = 'split' AND j.seq >= d.since ORDER BY j.seq",
	    id);
}

/* Of a removed job there are no records to compare; but it cannot have got more rows since. */
static int
check_removed(struct proof_reading *p, const struct pg_rows *jobs, struct err *e)
{
	struct pg_rows *counts = NULL;
	int64_t jobs_removed = 0;
	uint64_t rows = 0;

	for (size_t i = 0; i < pg_rows_count(jobs); i++) {
		uint64_t now, then = (uint64_t)pg_rows_int(jobs, i, 3);

		if (!pg_rows_bool(jobs, i, 1))
			continue;
		if (counts == NULL && compare_count_by_job(p->desk.pg, &p->desk.target, &counts, e) != 0)
			return -1;
		now = compare_rows_of_job(counts, pg_rows_int(jobs, i, 2));
		if (now > then)
			find(p, "job %" PRId64 ": %" PRIu64 " rows, but %" PRIu64 " when it was removed",
			    pg_rows_int(jobs, i, 0), now, then);
		jobs_removed++;
		rows += now;
	}
	pg_rows_free(counts);
	p->present += rows;
	p->result->jobs += (uint64_t)jobs_removed;
	if (jobs_removed > 0)
		log_notice("dataset %s: %" PRId64 " jobs were removed by gc; their %" PRIu64
			   " rows are counted, not compared",
		    p->desk.dataset.name, jobs_removed, rows);
	return 0;
}

static int
check_dataset(struct proof_reading *p, const struct dataset *d, struct err *e)
{
	struct pg_rows *rows = NULL;
	int result = -1;

	if (list_jobs(p, d, &rows, e) != 0)
		return -1;
	if (desk_take_dataset(&p->desk, d->id, e) != 0 || compare_prepare(p->desk.pg, &p->desk.target, e) != 0)
		goto done;
	for (size_t i = 0; i < pg_rows_count(rows); i++)
		if (!pg_rows_bool(rows, i, 1) && check_job(p, pg_rows_int(rows, i, 0), e) != 0)
			goto done;
	if (check_removed(p, rows, e) == 0)
		result = check_rows(p, e);

done:
	pg_rows_free(rows);
	return result;
}

int
verify_dataset(const struct site *site, const char *name, struct progress *progress, verify_finding *finding, void *ctx,
    struct verify_result *result, struct err *e)
{
	struct proof_reading p = {.result = result, .finding = finding, .ctx = ctx};
	struct dataset d = {0};
	int status = -1;

	*result = (struct verify_result){0};
	if (desk_open(&p.desk, site, e) != 0)
		return -1;
	p.desk.progress = progress;
	p.search = site_search(site, e);
	if (p.search == NULL)
		goto done;
	/* One snapshot for ledger and table. */
	if (pg_exec(p.desk.pg, "BEGIN ISOLATION LEVEL REPEATABLE READ", e) != 0 ||
	    dataset_load_named(p.desk.pg, name, &d, e) != 0)
		goto done;
	if (d.state == DATASET_BUILDING)
		err_set(e, ERR_AGAIN, "dataset %s is still being built by job %" PRId64, name, d.builder);
	else
		status = d.state == DATASET_NEW ? 0 : check_dataset(&p, &d, e);
	if (status != 0 && e->code == ERR_DATA) {
		find(&p, "%s", e->message);
		result->broken = true;
		*e = (struct err){0};
		status = 0;
	}

done:
	pg_rollback(p.desk.pg);
	dataset_fini(&d);
	search_close(p.search);
	desk_close(&p.desk);
	return status;
}
