#ifndef FLOW_STAGE_H
#define FLOW_STAGE_H

#include <stdbool.h>
#include <stddef.h>

struct chunk;
struct err;
struct pg;
struct progress;
struct queue;
struct ref;
struct site;
struct stage;

/*
 * What split, load and index have in common: references come as operands or
 * on stdin, are worked on by threads, and go out on stdout; what fails goes
 * out as a failure line, and the exit status tells the worst (DESIGN 2).
 */
struct stage_plan {
	const char *verb; /* for progress */
	int threads;
	bool whole_jobs; /* work on jobs; else a job stands for all its chunks */
	bool enqueue;    /* hand on by queue, too */

	/* Is this chunk still to be done? Unless whole_jobs; for progress. */
	bool (*to_do)(const struct chunk *c);
	void *ctx;

	/* One worker a thread, made when its first reference comes. */
	void *(*open)(void *ctx, const struct site *site, struct progress *progress, struct err *e);
	void (*close)(void *worker);

	/* Before the work, holding no lock: wait for what the throttle allows; NULL: there is none. */
	int (*admit)(void *worker, const struct ref *ref, struct err *e);

	/*
	 * Do one reference: 0 done (the stage prints it, unless whole_jobs: then
	 * the worker prints with stage_print; under flow/worker.h there is no stage
	 * and nothing is printed), 1 not yet: to be tried again (at the
	 * latest when all else is done; `last` says nothing else is under way), -1.
	 */
	int (*work)(void *worker, struct stage *stage, const struct ref *ref, bool last, struct err *e);

	/* The worker's session; and telling the next stage's queue of a reference that is done (NULL: there is none). */
	struct pg *(*session)(void *worker);
	int (*hand_on)(void *worker, struct queue *queue, const struct ref *ref, struct err *e);

	/* What there is to do beside references: a worker (flow/worker.h) asks a few times a second; NULL: nothing. */
	int (*idle)(void *worker, struct err *e);

	/*
	 * At the end, for each job seen, but those of which a stage before has handed on a chunk that failed for good: add
	 * to *e what the exit status must still tell; NULL for none. `piped`: the references came on stdin, from a stage
	 * that had its own say.
	 */
	int (*conclude)(const struct site *site, const long long *jobs, size_t count, bool piped, struct err *e);
};

/*
 * Run to the end of the operands, or of stdin if there are none (on a terminal
 * 64). Messages of failed references are printed as they fail; on return the
 * code of *e is the program's exit status, its message mostly empty. 0 or -1.
 */
int stage_run(const struct stage_plan *plan, const struct site *site, char *const *operands, size_t count,
    struct err *e) __attribute__((warn_unused_result));

/*
 * The last call of a stage that could not begin (options, configuration, no
 * database): a failure line tells the stages after it why, in place of the
 * references they wait for; the rest as options_exit.
 */
int stage_refuse(const struct err *e);

/* Print a reference; false when the reader has gone or a signal has come, and the stage is to end. */
bool stage_print(struct stage *stage, const struct ref *ref);

/* A stage's threads by default: the cores. */
int stage_threads(void);

#endif
