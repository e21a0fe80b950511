#ifndef FLOW_GC_H
#define FLOW_GC_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct site;

struct gc_request {
	bool dry_run;
	const char *jobs_before; /* jobs that ended before it, too: ISO 8601, in UTC; NULL */
};

/* What was removed, or would be. */
struct gc_result {
	uint64_t jobs, objects, uploads, tombstones;
	uint64_t bytes; /* in the store */
};

/* Called for each thing that is removed: one line for the user. */
typedef void gc_line(void *ctx, const char *text);

/*
 * Remove what nothing refers to: objects of jobs that are gone, uploads that
 * broke off, tombstones; and first the jobs asked for (ledger/retire.h). It
 * may run beside everything else, and be killed. A dry run does the same in
 * one transaction that is rolled back, and leaves the store alone. Errors: 64
 * the time is none; 75 another one is running; 78 this database is a copy of
 * the one whose objects they are (ledger/owner.h).
 */
int gc_run(const struct site *site, const struct gc_request *request, gc_line *line, void *ctx,
    struct gc_result *result, struct err *e) __attribute__((warn_unused_result));

/* The objects are this database's from now on. */
int gc_adopt(const struct site *site, struct err *e) __attribute__((warn_unused_result));

#endif
