#ifndef FLOW_STATUS_H
#define FLOW_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct pg;

/* A job with its books and its derived state (csvp.job_status). Valid during the call it is given to. */
struct status {
	int64_t id;
	const char *dataset, *state, *file;
	const char *sha256; /* hex; NULL while uploading */
	int64_t bytes;
	int64_t records, inserted, updated, unchanged, superseded, rejected, replayed, indexed;
	int64_t unindexed; /* of its records, rows without a document: ledger/index_reject.h */
	int64_t total, pending, running, loaded, indexed_chunks, failed; /* chunks */
	const char *created_at, *started_at, *finished_at;               /* RFC 3339 in UTC; NULL: not yet */
	const char *error;
	enum err_code verdict; /* 0, 3, 65; 75 while it is not at its end */
	int percent;           /* of its bytes: indexed if it is indexing or done, else loaded; -1 unknown */
	int64_t speed;         /* records a second of the stage it is in, over the last minute; -1 unknown */
	int64_t left;          /* seconds until that stage ends, at this speed; -1 unknown */
};

typedef int status_each(void *ctx, const struct status *s, struct err *e);

/* These jobs, in the order given, or all of them by id if count is 0. 66 naming the first that is not there. */
int status_jobs(
    struct pg *pg, const int64_t *ids, size_t count, status_each *each, void *ctx, struct err *e) MUST_CHECK;

/* Of all jobs those of a dataset or in a state (NULL: any), below an id (0: all), the newest first. */
struct status_wish {
	const char *dataset, *state;
	int64_t before, limit;
};
/* *more: there are others behind them. */
int status_recent(
    struct pg *pg, const struct status_wish *wish, status_each *each, void *ctx, bool *more, struct err *e) MUST_CHECK;

/* The jobs not at their end, or not closed there, that somebody has to do something for, by id; *ids freed by the caller. */
int status_unfinished(struct pg *pg, int64_t **ids, size_t *count, struct err *e) MUST_CHECK;

/* Append the JSON object of csvp-status --json and of the API, without newline. */
void status_to_json(const struct status *s, struct buf *json);

/* A chunk of a job. Valid during the call it is given to. */
struct status_chunk {
	int64_t job, number, byte, length, line, records;
	const char *state; /* pending, running, loaded, indexed, failed */
	int64_t inserted, updated, unchanged, superseded, rejected, milliseconds;
	const char *loaded_at, *indexed_at; /* RFC 3339 in UTC; NULL: not yet */
	const char *error;
	const char *worker; /* who holds it, "csvp-load 1234@host"; NULL: nobody */
};
typedef int status_each_chunk(void *ctx, const struct status_chunk *c, struct err *e);

/* The chunks of a job in order; 66 if there is no such job. */
int status_chunks(struct pg *pg, int64_t job, status_each_chunk *each, void *ctx, struct err *e) MUST_CHECK;

/* Append the JSON object of csvp-status --chunks --json and of the API, without newline. */
void status_chunk_to_json(const struct status_chunk *c, struct buf *json);

#endif
