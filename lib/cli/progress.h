#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct clk;
struct progress;

/*
 * A progress line on stderr, only if stderr is a terminal and not -q: verb,
 * bytes done of total, percent, records/s, ETA; redrawn at most 10 times a
 * second and cleared at the end. With --progress=json instead one JSON object
 * a line, at most one a second and a last one at the end, whatever stderr is:
 * {"verb":"load","bytes":0,"total":0,"records":0,"seconds":0.0,"eta":null}.
 * Any thread may add. total 0: unknown. One at a time in a program, made
 * before its threads; of the programs of a pipeline one at a time draws on
 * their common terminal.
 */
struct progress *progress_new(const char *verb);
struct progress *progress_new_clock(const char *verb, const struct clk *clk);
void progress_total(struct progress *p, uint64_t bytes);
void progress_add(struct progress *p, uint64_t bytes, uint64_t records);
void progress_free(struct progress *p);

/*
 * Around other output on the terminal (log lines have it already, refs_print
 * too): the line is erased, and drawn again after. Harmless without one.
 * Between the two whoever adds waits.
 */
void progress_hide(void);
void progress_show(void);

/* What a line tells, apart from clock and terminal. */
struct progress_figures {
	const char *verb;
	uint64_t bytes;
	uint64_t total; /* 0: unknown */
	uint64_t records;
	int64_t elapsed;                     /* milliseconds since the work began: the first total or add */
	uint64_t first_bytes, first_records; /* done when it began, so no part of the speed */
};

/* Append the line for people, cut to `width` cells, or the JSON object with its newline. */
void progress_text(const struct progress_figures *f, size_t width, struct buf *out);
void progress_json(const struct progress_figures *f, struct buf *out);

#endif
