#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/grid.h"
#include "cli/help.h"
#include "cli/span.h"
#include "flow/reasons.h"
#include "flow/status.h"
#include "ledger/holder.h"

/* A look under way. */
struct look {
	struct view *v;
	const struct view_wish *wish;
	size_t width;
	bool colours;
	struct grid *table;   /* jobs, or chunks */
	struct grid *workers; /* NULL: nobody is at work */
	int64_t *held;        /* the jobs somebody works on */
	size_t held_count;
	int64_t job; /* the one that is being explained */
	struct buf said;
};

/* A sentence about a job, below the table. */
static int
say(void *ctx, const char *sentence, struct err *e)
{
	struct look *l = ctx;

	(void)e;
	buf_printf(&l->said, "job %" PRId64 ": ", l->job);
	if (l->width > 0) {
		help_wrap(&l->said, sentence, 4, l->width);
	} else {
		buf_string(&l->said, sentence);
		buf_byte(&l->said, '\n');
	}
	return 0;
}

/* The books: only what is not zero. */
static void
say_balance(struct look *l, const struct status *s)
{
	const int64_t amounts[] = {s->inserted, s->updated, s->unchanged, s->superseded, s->rejected};
	static const char *const names[] = {"inserted", "updated", "unchanged", "superseded", "rejected"};
	int64_t pending = s->records;
	const char *between = " =";
	struct buf line = {0};
	struct err e;

	buf_printf(&line, "%" PRId64 " records", s->records);
	for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
		pending -= amounts[i];
		if (amounts[i] == 0)
			continue;
		buf_printf(&line, "%s %" PRId64 " %s", between, amounts[i], names[i]);
		between = " +";
	}
	if (s->replayed > 0)
		buf_printf(&line, " (%" PRId64 " of them replayed)", s->replayed);
	if (pending != 0)
		buf_printf(&line, "%s %" PRId64 " pending", between, pending);
	if (s->indexed > 0)
		buf_printf(&line, "; %" PRId64 " indexed", s->indexed);
	if (s->unindexed > 0)
		buf_printf(&line, "; %" PRId64 " cannot be searched", s->unindexed);
	l->job = s->id;
	(void)say(l, line.bytes, &e);
	buf_fini(&line);
}

static enum grid_colour
colour_of(const char *state)
{
	if (strcmp(state, "done") == 0)
		return GRID_GREEN;
	if (strcmp(state, "failed") == 0)
		return GRID_RED;
	return strcmp(state, "paused") == 0 || strcmp(state, "cancelled") == 0 ? GRID_YELLOW : GRID_PLAIN;
}

static void
add_job_row(struct look *l, const struct status *s)
{
	char id[24], records[24], rejected[24], done[16] = "", speed[24] = "";
	struct buf left = {0};

	snprintf(id, sizeof id, "%" PRId64, s->id);
	snprintf(records, sizeof records, "%" PRId64, s->records);
	snprintf(rejected, sizeof rejected, "%" PRId64, s->rejected - s->replayed);
	if (s->percent >= 0)
		snprintf(done, sizeof done, "%d%%", s->percent);
	if (s->speed >= 0)
		snprintf(speed, sizeof speed, "%" PRId64 "/s", s->speed);
	if (s->left >= 0)
		span_text(&left, s->left);
	grid_row(l->table,
	    (const char *const[]){id, s->dataset, s->state, done, records, rejected, speed, left.bytes, s->file});
	grid_paint(l->table, 2, colour_of(s->state));
	buf_fini(&left);
}

static int
add_job(void *ctx, const struct status *s, struct err *e)
{
	struct look *l = ctx;
	struct view *v = l->v;

	(void)e;
	if (s->verdict == ERR_AGAIN) {
		if (v->ended) {
			v->open = s->id;
			snprintf(v->open_state, sizeof v->open_state, "%s", s->state);
		}
		v->ended = false;
	}
	v->worst = err_worse(v->worst, s->verdict);
	if (l->wish->chunks)
		return 0;
	status_to_json(s, &v->facts);
	buf_byte(&v->facts, '\n');
	if (l->wish->json)
		return 0;
	add_job_row(l, s);
	if (l->wish->count > 0)
		say_balance(l, s);
	return 0;
}

static int
add_holder(void *ctx, const struct holder *h, struct err *e)
{
	static const char *const headers[] = {"WORKER", "USER", "DOES", "AT", "FOR"};
	static const bool right[] = {false, false, false, false, true};
	struct look *l = ctx;
	struct buf at = {0}, span = {0};

	(void)e;
	l->held = buf_realloc(l->held, l->held_count + 1, sizeof *l->held);
	l->held[l->held_count++] = h->job;
	if (l->workers == NULL)
		l->workers = grid_new(headers, right, sizeof headers / sizeof *headers);
	buf_printf(&at, "%" PRId64, h->job);
	if (h->chunk >= 0)
		buf_printf(&at, "/%" PRId64, h->chunk);
	if (h->seconds >= 0)
		span_text(&span, h->seconds);
	grid_row(l->workers, (const char *const[]){h->who, h->user, h->act, at.bytes, span.bytes});
	buf_fini(&at);
	buf_fini(&span);
	return 0;
}

static bool
is_held(const struct look *l, int64_t job)
{
	for (size_t i = 0; i < l->held_count; i++)
		if (l->held[i] == job)
			return true;
	return false;
}

static int
add_chunk(void *ctx, const struct status_chunk *c, struct err *e)
{
	struct look *l = ctx;
	char text[7][48];
	const int64_t numbers[] = {c->byte, c->length, c->line, c->records, c->rejected, c->milliseconds};

	(void)e;
	status_chunk_to_json(c, &l->v->facts);
	buf_byte(&l->v->facts, '\n');
	if (l->wish->json)
		return 0;
	snprintf(text[0], sizeof text[0], "%" PRId64 "/%" PRId64, c->job, c->number);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		snprintf(text[i + 1], sizeof text[i + 1], "%" PRId64, numbers[i]);
	/* What is not loaded has taken no time. */
	if (c->loaded_at == NULL)
		text[6][0] = '\0';
	grid_row(
	    l->table, (const char *const[]){text[0], c->state, text[1], text[2], text[3], text[4], text[5], text[6]});
	grid_paint(l->table, 1, colour_of(c->state));
	if (c->error != NULL) {
		char *sentence = buf_format("chunk %" PRId64 ": %s", c->number, c->error);

		l->job = c->job;
		(void)say(l, sentence, e);
		free(sentence);
	}
	return 0;
}

static struct grid *
new_table(bool chunks)
{
	static const char *const jobs[] = {
	    "JOB", "DATASET", "STATE", "DONE", "RECORDS", "REJECTED", "SPEED", "ETA", "FILE"};
	static const bool jobs_right[] = {true, false, false, true, true, true, true, true, false};
	static const char *const parts[] = {"CHUNK", "STATE", "BYTE", "LENGTH", "LINE", "RECORDS", "REJECTED", "MS"};
	static const bool parts_right[] = {false, false, true, true, true, true, true, true};

	if (chunks)
		return grid_new(parts, parts_right, sizeof parts / sizeof *parts);
	return grid_new(jobs, jobs_right, sizeof jobs / sizeof *jobs);
}

/* Read all of it into the tables, the sentences and the facts. */
static int
collect(struct look *l, struct pg *pg, struct err *e)
{
	const struct view_wish *w = l->wish;

	if (!w->json && holder_list(pg, w->ids, w->count, add_holder, l, e) != 0)
		return -1;
	if (status_jobs(pg, w->ids, w->count, add_job, l, e) != 0)
		return -1;
	for (size_t i = 0; w->chunks && i < w->count; i++)
		if (status_chunks(pg, w->ids[i], add_chunk, l, e) != 0)
			return -1;
	for (size_t i = 0; !w->json && i < w->count; i++) {
		l->job = w->ids[i];
		if (reasons_of_job(pg, w->ids[i], is_held(l, w->ids[i]), say, l, e) != 0)
			return -1;
	}
	return 0;
}

int
view_take(struct view *v, struct pg *pg, const struct view_wish *wish, size_t width, bool colours, struct err *e)
{
	struct look l = {.v = v, .wish = wish, .width = width, .colours = colours, .table = new_table(wish->chunks)};
	int result;

	buf_reset(&v->text);
	buf_reset(&v->facts);
	v->head = 1;
	v->ended = true;
	v->worst = ERR_NONE;
	result = collect(&l, pg, e);
	if (result == 0 && wish->json) {
		buf_append(&v->text, v->facts.bytes, v->facts.length);
	} else if (result == 0) {
		grid_text(l.table, width, colours, &v->text);
		if (l.said.length > 0)
			buf_printf(&v->text, "\n%s", l.said.bytes);
		/* Who has finished the last chunk may hold its lock a moment longer. */
		if (l.workers != NULL && !(v->ended && wish->count > 0)) {
			buf_byte(&v->text, '\n');
			grid_text(l.workers, width, colours, &v->text);
		}
	}
	grid_free(l.table);
	grid_free(l.workers);
	free(l.held);
	buf_fini(&l.said);
	return result;
}

void
view_fini(struct view *v)
{
	buf_fini(&v->text);
	buf_fini(&v->facts);
}
