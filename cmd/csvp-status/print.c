#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/grid.h"
#include "flow/status.h"

static int
print_object(void *ctx, const struct status *s, struct err *e)
{
	struct buf *line = ctx;

	buf_reset(line);
	status_to_json(s, line);
	buf_byte(line, '\n');
	if (fwrite(line->bytes, 1, line->length, stdout) != line->length)
		return err_set(e, ERR_IO, "stdout cannot be written");
	return 0;
}

int
print_json(struct pg *pg, const int64_t *ids, size_t count, struct err *e)
{
	struct buf line = {0};
	int result = status_jobs(pg, ids, count, print_object, &line, e);

	buf_fini(&line);
	return result;
}

struct table {
	struct grid *grid;
	struct buf balances; /* below the table */
	bool explain;
};

static int
add_row(void *ctx, const struct status *s, struct err *e)
{
	struct table *t = ctx;
	char id[24], chunks[50], records[24], rejected[24], indexed[24];

	(void)e;
	snprintf(id, sizeof id, "%" PRId64, s->id);
	snprintf(chunks, sizeof chunks, "%" PRId64 "/%" PRId64, s->loaded + s->indexed_chunks, s->total);
	snprintf(records, sizeof records, "%" PRId64, s->records);
	snprintf(rejected, sizeof rejected, "%" PRId64, s->rejected - s->replayed);
	snprintf(indexed, sizeof indexed, "%" PRId64, s->indexed);
	grid_row(t->grid, (const char *const[]){id, s->dataset, s->state, chunks, records, rejected, indexed, s->file});
	if (!t->explain)
		return 0;
	if (s->error != NULL)
		buf_printf(&t->balances, "job %" PRId64 ": %s\n", s->id, s->error);
	if (s->total > 0)
		buf_printf(&t->balances,
		    "job %" PRId64 ": %" PRId64 " records = %" PRId64 " inserted + %" PRId64 " updated + %" PRId64
		    " unchanged + %" PRId64 " superseded + %" PRId64 " rejected",
		    s->id, s->records, s->inserted, s->updated, s->unchanged, s->superseded, s->rejected);
	if (s->total > 0) {
		int64_t pending = s->records - s->inserted - s->updated - s->unchanged - s->superseded - s->rejected;

		if (pending > 0)
			buf_printf(&t->balances, " + %" PRId64 " pending", pending);
		buf_byte(&t->balances, '\n');
	}
	return 0;
}

int
print_table(struct pg *pg, const int64_t *ids, size_t count, struct err *e)
{
	static const char *const headers[] = {
	    "JOB", "DATASET", "STATE", "CHUNKS", "RECORDS", "REJECTED", "INDEXED", "FILE"};
	static const bool right[] = {true, false, false, true, true, true, true, false};
	struct table t = {.grid = grid_new(headers, right, sizeof headers / sizeof *headers), .explain = count > 0};
	int result = status_jobs(pg, ids, count, add_row, &t, e);

	if (result == 0) {
		grid_print(t.grid);
		fwrite(t.balances.bytes != NULL ? t.balances.bytes : "", 1, t.balances.length, stdout);
	}
	grid_free(t.grid);
	buf_fini(&t.balances);
	return result;
}

struct chunk_table {
	struct grid *grid; /* NULL: JSON */
	int64_t job;
};

static int
add_chunk(void *ctx, const struct status_chunk *c, struct err *e)
{
	struct chunk_table *t = ctx;
	char text[8][44];
	const int64_t numbers[] = {c->byte, c->length, c->line, c->records, c->rejected, c->milliseconds};

	(void)e;
	if (t->grid == NULL) {
		printf("{\"job\":%" PRId64 ",\"chunk\":%" PRId64 ",\"state\":\"%s\",\"byte\":%" PRId64
		       ",\"length\":%" PRId64 ",\"line\":%" PRId64 ",\"records\":%" PRId64 ",\"inserted\":%" PRId64
		       ",\"updated\":%" PRId64 ",\"unchanged\":%" PRId64 ",\"superseded\":%" PRId64
		       ",\"rejected\":%" PRId64 ",\"milliseconds\":%" PRId64 "}\n",
		    t->job, c->number, c->state, c->byte, c->length, c->line, c->records, c->inserted, c->updated,
		    c->unchanged, c->superseded, c->rejected, c->milliseconds);
		return 0;
	}
	snprintf(text[0], sizeof text[0], "%" PRId64 "/%" PRId64, t->job, c->number);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		snprintf(text[i + 1], sizeof text[i + 1], "%" PRId64, numbers[i]);
	grid_row(
	    t->grid, (const char *const[]){text[0], c->state, text[1], text[2], text[3], text[4], text[5], text[6]});
	return 0;
}

int
print_chunks(struct pg *pg, const int64_t *ids, size_t count, bool json, struct err *e)
{
	static const char *const headers[] = {"CHUNK", "STATE", "BYTE", "LENGTH", "LINE", "RECORDS", "REJECTED", "MS"};
	static const bool right[] = {false, false, true, true, true, true, true, true};
	struct chunk_table t = {.grid = json ? NULL : grid_new(headers, right, sizeof headers / sizeof *headers)};
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		t.job = ids[i];
		result = status_chunks(pg, ids[i], add_chunk, &t, e);
	}
	if (result == 0 && t.grid != NULL)
		grid_print(t.grid);
	if (t.grid != NULL)
		grid_free(t.grid);
	return result;
}
