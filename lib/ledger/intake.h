#ifndef LEDGER_INTAKE_H
#define LEDGER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dataset;
struct err;
struct pg;

/* What is known of an upload when its object is whole. */
struct intake {
	int64_t job;                 /* in state uploading */
	const unsigned char *sha256; /* 32 bytes */
	uint64_t bytes;              /* as received */
	uint64_t object_bytes;       /* as stored */
	const char *const *key;      /* -k, in order; none: whatever the dataset has */
	size_t key_count;
	const char *max_rejects; /* NULL: not given */
	bool force;              /* always a new job */
	const char *request;     /* the caller's name of this upload: see request.h; NULL: none */
};

/* What became of it. Texts are one line for the user, or empty. */
struct intake_result {
	int64_t job;   /* the job that stands for these bytes */
	bool reused;   /* an earlier one: the uploaded object and job row are to be discarded */
	bool finished; /* ... which is done already, or failed by its rejects */
	bool failed;   /* ... which cannot go on as long as the ledger calls it, or a chunk of it, failed */
	char notice[300];
};

/*
 * The one transaction that turns uploading into stored: under the dataset's
 * row lock it decides whether these are bytes csvp already has (DESIGN 5, "The
 * same bytes again"), gives the job its seq, fixes the key with the first
 * live job, and raises the sequence of edits. Errors: 65 another key than the
 * dataset's, or an append of old bytes over later changes; 75 the earlier job
 * is paused, or the table was dropped meanwhile; 65 more than LEDGER_MAX_SEQ
 * jobs or LEDGER_MAX_OBJECT bytes; 65 the request's name stands for something
 * else. A request that is known gives its job, whatever became of it. On an earlier job failed by its rejects:
 * result filled and 65.
 */
int intake_store(struct pg *pg, const struct dataset *d, const struct intake *in, struct intake_result *out,
    struct err *e) __attribute__((warn_unused_result));

/* May this key be used with the dataset? The check of intake_store, made before the bytes are moved. */
int intake_check_key(struct pg *pg, const struct dataset *d, const char *const *key, size_t count, struct err *e)
    __attribute__((warn_unused_result));

#endif
