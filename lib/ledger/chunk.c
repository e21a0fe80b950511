#include "ledger/chunk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"

#define COLUMNS                                                                                                        \
	"c.job, c.number, c.byte, c.length, c.line, c.records, c.state, c.inserted + c.updated, c.loaded_at IS NOT "   \
	"NULL, c.again, c.first_block, c.end_block"

static void
fill(struct chunk *c, const struct pg_rows *rows, size_t row)
{
	static const char *const names[] = {"pending", "loaded", "indexed", "failed"};
	const char *state = pg_rows_text(rows, row, 6);

	*c = (struct chunk){
	    .job = pg_rows_int(rows, row, 0),
	    .number = pg_rows_int(rows, row, 1),
	    .byte = (uint64_t)pg_rows_int(rows, row, 2),
	    .length = (uint64_t)pg_rows_int(rows, row, 3),
	    .line = (uint64_t)pg_rows_int(rows, row, 4),
	    .records = (uint64_t)pg_rows_int(rows, row, 5),
	    .changed = (uint64_t)pg_rows_int(rows, row, 7),
	    .state = CHUNK_PENDING,
	    .loaded = pg_rows_bool(rows, row, 8),
	    .again = pg_rows_int(rows, row, 9),
	    .first_block = pg_rows_int(rows, row, 10),
	    .end_block = pg_rows_int(rows, row, 11),
	};
	while (c->state < CHUNK_FAILED && strcmp(state, names[c->state]) != 0)
		c->state++;
}

bool
chunk_to_load(const struct chunk *c)
{
	return c->state == CHUNK_PENDING || (c->state == CHUNK_FAILED && !c->loaded);
}

bool
chunk_to_index(const struct chunk *c)
{
	return c->state == CHUNK_LOADED || (c->state == CHUNK_FAILED && c->loaded);
}

int
chunk_load(struct pg *pg, int64_t job, int64_t number, struct chunk *c, struct err *e)
{
	struct pg_rows *rows;
	char id[24], place[24];

	snprintf(id, sizeof id, "%" PRId64, job);
	snprintf(place, sizeof place, "%" PRId64, number);
	if (PG_QUERY(pg, &rows, e, "SELECT " COLUMNS " FROM csvp.chunk c WHERE job = $1 AND number = $2", id, place) !=
	    0)
		return -1;
	if (pg_rows_count(rows) != 1) {
		pg_rows_free(rows);
		return err_set(e, ERR_NOINPUT, "there is no chunk %" PRId64 "/%" PRId64, job, number);
	}
	fill(c, rows, 0);
	pg_rows_free(rows);
	return 0;
}

/* The chunks that a statement with one parameter finds. */
static int
list(struct pg *pg, const char *sql, int64_t id, struct chunk **chunks, size_t *count, struct err *e)
{
	struct pg_rows *rows;
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, id);
	if (PG_QUERY(pg, &rows, e, sql, number) != 0)
		return -1;
	*count = pg_rows_count(rows);
	*chunks = buf_calloc(*count, sizeof **chunks);
	for (size_t i = 0; i < *count; i++)
		fill(&(*chunks)[i], rows, i);
	pg_rows_free(rows);
	return 0;
}

int
chunk_list(struct pg *pg, int64_t job, struct chunk **chunks, size_t *count, struct err *e)
{
	return list(pg, "SELECT " COLUMNS " FROM csvp.chunk c WHERE job = $1 ORDER BY number", job, chunks, count, e);
}

#define AGAIN(paused)                                                                                                  \
	"SELECT " COLUMNS " FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job WHERE j.dataset = $1"                    \
	" AND c.again > 0 AND c.state = 'loaded' AND " paused " ORDER BY j.seq, c.number"

int
chunk_list_again(struct pg *pg, int64_t dataset, bool paused, struct chunk **chunks, size_t *count, struct err *e)
{
	return list(pg, paused ? AGAIN("j.paused") : AGAIN("NOT j.paused"), dataset, chunks, count, e);
}

int
chunk_add(struct pg *pg, const struct chunk *chunks, size_t count, struct err *e)
{
	struct buf rows = {0};
	int result;

	if (pg_copy_begin(pg, "COPY csvp.chunk (job, number, byte, length, line, records) FROM STDIN", e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		buf_printf(&rows, "%" PRId64 "\t%" PRId64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
		    chunks[i].job, chunks[i].number, chunks[i].byte, chunks[i].length, chunks[i].line,
		    chunks[i].records);
	result = pg_copy_put(pg, rows.bytes, rows.length, e);
	if (result == 0)
		result = pg_copy_end(pg, e);
	buf_fini(&rows);
	return result;
}

/* Run an UPDATE of one chunk: how many rows it touched, or -1. */
static int
update(struct pg *pg, const char *sql, size_t count, const char *const *params, struct err *e)
{
	struct pg_rows *rows;
	int touched;

	if (pg_query(pg, &rows, e, sql, count, params) != 0)
		return -1;
	touched = (int)pg_rows_affected(rows);
	pg_rows_free(rows);
	return touched;
}

int
chunk_set_loaded(struct pg *pg, const struct chunk *c, const struct books *b, int64_t milliseconds, struct err *e)
{
	char text[10][24];
	const char *params[10];
	const uint64_t values[10] = {(uint64_t)c->job, (uint64_t)c->number, b->inserted, b->updated, b->unchanged,
	    b->superseded, b->rejected, (uint64_t)milliseconds, (uint64_t)c->first_block, (uint64_t)c->end_block};

	for (size_t i = 0; i < 10; i++) {
		snprintf(text[i], sizeof text[i], "%" PRIu64, values[i]);
		params[i] = text[i];
	}
	return update(pg,
	    "UPDATE csvp.chunk SET state = 'loaded', inserted = $3, updated = $4, unchanged = $5, superseded = $6, "
	    "rejected = $7,"
	    " indexed = 0, indexed_at = NULL, error = NULL, deliveries = 0, loaded_at = clock_timestamp(), load_ms = "
	    "$8,"
	    " first_block = $9, end_block = $10"
	    " WHERE job = $1 AND number = $2 AND (state = 'pending' OR state = 'failed' AND loaded_at IS NULL)",
	    10, params, e);
}

int
chunk_set_indexed(struct pg *pg, const struct chunk *c, uint64_t indexed, struct err *e)
{
	char text[4][24];

	snprintf(text[0], sizeof text[0], "%" PRId64, c->job);
	snprintf(text[1], sizeof text[1], "%" PRId64, c->number);
	snprintf(text[2], sizeof text[2], "%" PRIu64, indexed);
	snprintf(text[3], sizeof text[3], "%" PRId64, c->again);
	return update(pg,
	    "UPDATE csvp.chunk SET state = 'indexed', indexed = $3, indexed_at = clock_timestamp(), error = NULL"
	    " WHERE job = $1 AND number = $2 AND (state = 'loaded' OR state = 'failed' AND loaded_at IS NOT NULL)"
	    " AND again = $4",
	    4, (const char *const[]){text[0], text[1], text[2], text[3]}, e);
}

int
chunk_unindex(struct pg *pg, int64_t dataset, uint64_t *count, struct err *e)
{
	struct pg_rows *rows;
	char id[24];

	/* Those that somebody is just indexing, too: what he has sent may have gone to the index that is lost. */
	snprintf(id, sizeof id, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e,
		"WITH these AS (SELECT j.id FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset"
		"   WHERE d.id = $1 AND j.seq >= d.since AND j.removed_at IS NULL),"
		" c AS (UPDATE csvp.chunk SET state = 'loaded', again = again + 1, indexed = 0, indexed_at = NULL,"
		"   deliveries = 0 WHERE job IN (SELECT id FROM these) AND state IN ('loaded', 'indexed') RETURNING "
		"job),"
		" j AS (UPDATE csvp.job SET finished_at = NULL WHERE NOT cancelled AND id IN (SELECT job FROM c))"
		" SELECT count(*) FROM csvp.chunk WHERE job IN (SELECT id FROM these) AND state = 'indexed'",
		id) != 0)
		return -1;
	*count = (uint64_t)pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return 0;
}

int
chunk_supersede(struct pg *pg, int64_t job, struct err *e)
{
	/* width_bucket over the chunks' first bytes is a binary search a row: no range join of millions with thousands. */
	return pg_execf(pg, e,
	    "UPDATE csvp.chunk c SET inserted = inserted - g.n, superseded = superseded + g.n FROM ("
	    "  SELECT width_bucket(s.byte, (SELECT array_agg(byte ORDER BY number) FROM csvp.chunk WHERE job = %" PRId64
	    "))"
	    "         AS place, count(*) AS n FROM pg_temp.superseded s GROUP BY 1) g"
	    "  JOIN (SELECT number, row_number() OVER (ORDER BY number) AS place FROM csvp.chunk WHERE job = %" PRId64
	    ") k"
	    "    ON k.place = g.place WHERE c.job = %" PRId64 " AND c.number = k.number",
	    job, job, job);
}
