#ifndef LEDGER_HOLDER_H
#define LEDGER_HOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pg;

/* Somebody at work: a session that holds the lock of an upload, a split or a chunk. Valid during the call. */
struct holder {
	int64_t job;
	int64_t chunk;    /* -1: all of the job */
	const char *act;  /* "uploading", "splitting", "loading", "indexing" */
	const char *who;  /* program, process and host, "csvp-load 1234@host" (db/pg.h) */
	const char *user; /* of the database */
	int64_t
	    seconds; /* since its transaction began, or the pause before it; -1: PostgreSQL does not tell this user */
	const char *since; /* the same as a time, RFC 3339 in UTC; NULL */
};
typedef int holder_each(void *ctx, const struct holder *h, struct err *e);

/* Who works on these jobs, or on any if count is 0, by job and chunk. */
int holder_list(
    struct pg *pg, const int64_t *ids, size_t count, holder_each *each, void *ctx, struct err *e) MUST_CHECK;

#endif
