#ifndef FLOW_UPLOAD_H
#define FLOW_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct progress;
struct reading;
struct site;
struct source;

/* One file to take in. */
struct upload {
	const char *path;            /* "-": stdin */
	const struct source *source; /* the bytes, and path is only what the job calls them; NULL: read path */
	const char *dataset;
	bool existing;          /* 66 if the dataset is not there */
	const char *const *key; /* headers */
	size_t key_count;
	const struct reading *reading;
	const char *max_rejects; /* NULL: not given, then 0 */
	bool fail_fast;
	bool force;
	const char *request; /* the caller's own name of this upload (ledger/request.h); NULL: none */
};

struct upload_result {
	int64_t job;
	bool reused;
	bool failed;    /* it, or some of its chunks, before: upload_enqueue has it tried again */
	bool conflict;  /* after an error: only because of an earlier job of these bytes, which is `job` */
	uint64_t bytes; /* as received */
	char sha256[65];
};

/*
 * Store the bytes for ever and open a job, or find the job that stands for
 * them (DESIGN 5, "The same bytes again"). Notices go to the log. What dead
 * uploads of the same dataset left behind is collected on the way. A dataset
 * that was made for an upload which failed is gone again. Of an earlier job
 * that failed by its rejects (65) or is paused (75) result->job is set and
 * `conflict` says so; after any other error it is 0.
 */
int upload_file(const struct site *site, const struct upload *u, struct progress *progress,
    struct upload_result *result, struct err *e) __attribute__((warn_unused_result));

/*
 * Tell the workers. What had failed of a job that is continued is undone in the ledger first. Only a hint: a stored job
 * that nobody hears of is found by a worker's sweep.
 */
int upload_enqueue(const struct site *site, const struct upload_result *result, struct err *e)
    __attribute__((warn_unused_result));

#endif
