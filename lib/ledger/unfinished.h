#ifndef LEDGER_UNFINISHED_H
#define LEDGER_UNFINISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct stat;
struct store_part;

/*
 * Uploads that broke off and can go on: tables csvp.upload and csvp.upload_part,
 * beside a job in state uploading. Who works on one holds its job's upload lock.
 */
struct unfinished {
	int64_t job;
	char *object; /* key in the store */
	char *upload; /* what the store calls it */
	struct store_part *parts;
	size_t count;
};

/* What a job was opened with: only the same command goes on with it. Texts as job_open takes them. */
struct unfinished_command {
	int64_t dataset;
	const char *options;
	const char *max_rejects;
	bool fail_fast;
};

/*
 * The newest unfinished upload of this file (device, inode, size and time of
 * change are the same) by this command: its job, 0 if there is none, -1.
 */
int64_t unfinished_find(struct pg *pg, const struct unfinished_command *command, const struct stat *file, struct err *e)
    __attribute__((warn_unused_result));

/* All of it, under its lock: 1, or 0 if it is not there any more, or -1. unfinished_fini in any case. */
int unfinished_load(struct pg *pg, int64_t job, struct unfinished *u, struct err *e)
    __attribute__((warn_unused_result));
void unfinished_fini(struct unfinished *u);

/* Is there one that is younger than a day, and so may still be wanted? 1, 0 or -1. */
int unfinished_recent(struct pg *pg, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* An upload begins (parts told before are void); the store has a part; the object is whole, or given up. */
int unfinished_begin(struct pg *pg, int64_t job, const struct stat *file, const char *upload, struct err *e)
    __attribute__((warn_unused_result));
int unfinished_part(struct pg *pg, int64_t job, size_t number, const struct store_part *part, struct err *e)
    __attribute__((warn_unused_result));
int unfinished_forget(struct pg *pg, int64_t job, struct err *e) __attribute__((warn_unused_result));

#endif
