#ifndef LEDGER_REJECT_H
#define LEDGER_REJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
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

/* What a reject of this code may hint at, to stand behind its reason, else ""; `utf8` as in a summary. */
const char *reject_doubt(const char *code, bool utf8);

/* What a person should know first of a file's rejects. */
struct reject_summary {
	const char *file;
	uint64_t rejected, records;
	const char *limit;                  /* as --max-rejects has it */
	bool over;                          /* the limit */
	bool utf8;                          /* the file was read as UTF-8 since no other encoding was named */
	uint64_t line, byte;                /* of the first one */
	const char *header, *code, *reason; /* as of a reject; reason NULL: gc has removed them */
};
void reject_words(struct buf *words, const struct reject_summary *s);

/* The same of a job's open rejects; it has one at least. */
int reject_explain(struct pg *pg, int64_t job, struct buf *words, struct err *e) __attribute__((warn_unused_result));

#endif
