#ifndef FLOW_UPLOAD_H
#define FLOW_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct progress;
struct reading;
struct site;

/* One file to take in. */
struct upload {
	const char *path; /* "-": stdin */
	const char *dataset;
	bool existing;          /* 66 if the dataset is not there */
	const char *const *key; /* headers */
	size_t key_count;
	const struct reading *reading;
	const char *max_rejects; /* NULL: not given, then 0 */
	bool fail_fast;
	bool force;
};

struct upload_result {
	int64_t job;
	bool reused;
	uint64_t bytes; /* as received */
	char sha256[65];
};

/*
 * Store the bytes for ever and open a job, or find the job that stands for
 * them (DESIGN 5, "The same bytes again"). Notices go to the log. What dead
 * uploads of the same dataset left behind is collected on the way. Of an
 * earlier job that failed by its rejects result->job is set although it is 65;
 * after any other error that is 0.
 */
int upload_file(const struct site *site, const struct upload *u, struct progress *progress,
    struct upload_result *result, struct err *e) __attribute__((warn_unused_result));

#endif
