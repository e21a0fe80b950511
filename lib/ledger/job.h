#ifndef LEDGER_JOB_H
#define LEDGER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pg;

enum job_state { JOB_UPLOADING, JOB_STORED, JOB_SPLIT };

/* A row of csvp.job. Strings and arrays are owned; free with job_fini. */
struct job {
	int64_t id;
	int64_t dataset;
	int64_t seq; /* 0 while uploading */
	enum job_state state;
	bool cancelled, paused, fail_fast;
	bool finished;    /* it has come to its end, and all that follows from that was done */
	bool removed;     /* by gc: its object, chunks and rejects are gone */
	bool unique_keys; /* proven at split: no key occurs twice in the file */
	char *file;       /* as the user named it */
	char *object;     /* key in the store */
	uint64_t object_bytes;
	char *options; /* struct reading as JSON */
	char *error;   /* of the split; NULL */
	enum err_code error_code;
	int *columns; /* per field of the file: position in the dataset's shape, -1 none */
	size_t column_count;
};

/* 66 if there is no such job. */
int job_load(struct pg *pg, int64_t id, struct job *job, struct err *e) __attribute__((warn_unused_result));
/* Are its object, chunks and rejects still there? 0, or 66 saying that gc has removed them. */
int job_check_kept(const struct job *job, struct err *e) __attribute__((warn_unused_result));
void job_fini(struct job *job);

/* Open a job in state uploading; *id and the object's key ("objects/SITE/DATASET/JOB", freed). 66: no such dataset. */
int job_open(struct pg *pg, int64_t dataset, const char *file, const char *options, const char *max_rejects,
    bool fail_fast, int64_t *id, char **object, struct err *e) __attribute__((warn_unused_result));

/* What the keys of a dataset's objects begin with, and no others of any site; 0: of the site's. Freed by the caller. */
int job_objects(struct pg *pg, int64_t dataset, char **prefix, struct err *e) __attribute__((warn_unused_result));

/* Forget a job that is still uploading. */
int job_discard(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));

/* Ids of the dataset's (0: all) uploading jobs; *ids is freed by the caller. */
int job_uploading(struct pg *pg, int64_t dataset, int64_t **ids, size_t *count, struct err *e) MUST_CHECK;

/* The dataset's lowest job that is stored, live and not split: its id, 0 if none, -1. */
int64_t job_lowest_unsplit(struct pg *pg, int64_t dataset, struct err *e) __attribute__((warn_unused_result));

/* Inside the split's transaction: the job is split, with its books so far. */
int job_set_split(struct pg *pg, int64_t id, const int *columns, size_t count, bool unique_keys, uint64_t records,
    uint64_t blank_lines, struct err *e) __attribute__((warn_unused_result));

/* The split failed for good: keep why. */
int job_set_error(struct pg *pg, int64_t id, const struct err *why, struct err *e) __attribute__((warn_unused_result));
int job_set_started(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));

/* Flags that stop it; each waits for a worker that is about to commit. */
int job_set_cancelled(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));
int job_set_paused(struct pg *pg, int64_t id, bool paused, struct err *e) __attribute__((warn_unused_result));

/*
 * Has nobody cancelled or removed (65) or paused (75) it? It locks the row FOR SHARE: as the last statement before a
 * commit, whoever stops the job waits for the commit or is seen here.
 */
int job_check_wanted(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));

/* Set finished_at of a job that has come to its end, if nobody did. */
int job_set_finished(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));
/* Has every earlier job of the dataset nothing to come (all loaded within its limit, cancelled or removed)? 1, 0, -1. */
int job_earlier_finished(struct pg *pg, const struct job *job, struct err *e) __attribute__((warn_unused_result));

/* Its derived state ("loading", ...; csvp.job_status) and verdict: 0, 3, 65 or, while it is not at its end, 75. */
struct job_verdict {
	char state[16];
	enum err_code code;
	int64_t pending;            /* chunks still to load that nobody holds */
	int64_t held;               /* chunks somebody works on */
	int64_t to_index, indexing; /* chunks loaded and not in the index; of these, somebody works on */
	int64_t failed;             /* chunks that workers gave up */
	int64_t open_rejects, records;
	int64_t unindexed; /* index rejects (index_reject.h) */
};
int job_verdict(struct pg *pg, int64_t id, struct job_verdict *v, struct err *e) __attribute__((warn_unused_result));

/* It was to fail fast and is over its limit of rejects: no more chunks of it are handed out. Of a csvp.job called j. */
#define JOB_GIVEN_UP "(j.fail_fast AND (SELECT s.over_limit FROM csvp.job_status s WHERE s.id = j.id))"
int job_given_up(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result)); /* 1, 0, -1 */
/* Limits of rejects: "N" or "N%"; 64 if it is neither. job_over_limit is job_status.over_limit before there is a job. */
int job_check_limit(const char *limit, struct err *e) MUST_CHECK;
int job_set_limit(struct pg *pg, int64_t id, const char *limit, struct err *e) MUST_CHECK;
bool job_over_limit(const char *limit, uint64_t rejected, uint64_t records);

#endif
