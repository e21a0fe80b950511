#ifndef LEDGER_REJECT_H
#define LEDGER_REJECT_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/* A record that was not loaded: a pointer into the job's object, and why. */
struct reject {
	uint64_t byte; /* of the record's first byte */
	uint64_t line;
	uint64_t length; /* of the record, bytes */
	char *header;    /* of the column at fault, owned; NULL: the whole record */
	const char *code;
	char *reason; /* owned */
};

struct reject_list {
	struct reject *rejects;
	size_t count;
};

/* Append one; header (may be NULL) and reason are copied, code is a static word. */
void reject_add(struct reject_list *list, uint64_t byte, uint64_t line, uint64_t length, const char *header,
    const char *code, const char *reason);
void reject_fini(struct reject_list *list);

/* Replace the chunk's rejects by these; inside the work transaction. */
int reject_write(struct pg *pg, int64_t job, int64_t chunk, const struct reject_list *list, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Append what a person should know first of a job's open rejects: file, how
 * many of how many, the limit, and where and why the first one is. The job has
 * one at least.
 */
struct buf;
int reject_explain(struct pg *pg, int64_t job, struct buf *words, struct err *e) __attribute__((warn_unused_result));

#endif
