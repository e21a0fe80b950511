#ifndef FLOW_SURVEY_H
#define FLOW_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ledger/chunk.h"
#include "schema/type.h"

struct err;
struct progress;
struct reading;
struct record;

/* Where a survey reads from: as read(2). */
typedef ssize_t survey_source(void *ctx, void *bytes, size_t capacity, struct err *e);

/* One field of the file's records. */
struct survey_field {
	char *header;
	bool infer;     /* in: look at the values */
	type_set types; /* out: what can hold all of them */
	bool has_value; /* out: there was one that is not NULL */
	int key_type;   /* in: type_id under which it is part of the key, -1 none, SURVEY_RAW the bytes as they are */
};
#define SURVEY_RAW 100

/*
 * One pass over a whole file: its header, its records' chunks, the types of
 * its fields and whether its keys are unique. First survey_open, which reads
 * the header; then the caller says in `fields` what it wants to know; then
 * survey_run.
 */
struct survey {
	struct survey_field *fields;
	size_t field_count;
	size_t *key; /* in: indexes into fields, in the key's order; none: no proof */
	size_t key_count;
	struct chunk *chunks; /* out: job 0 */
	size_t chunk_count;
	uint64_t records;
	uint64_t blank_lines;
	bool unique_keys;
	struct reader *reader;
	struct record *first; /* read with survey_open, and no header */
	const struct reading *reading;
};

/*
 * Read the header. Without one in the dialect the fields are named by their
 * place (column_1, ...), as many as the first record has. 65: no header, an
 * empty or a binary file. `reading` must outlive the survey.
 */
int survey_open(struct survey *s, const struct reading *reading, survey_source *source, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* Called with each record. */
typedef int survey_each(void *ctx, const struct record *r, struct err *e);

/* A chunk ends after chunk_bytes or SURVEY_CHUNK_RECORDS records, whichever comes first. `each` may be NULL. */
int survey_run(struct survey *s, uint64_t chunk_bytes, survey_each *each, void *ctx, struct progress *progress,
    struct err *e) __attribute__((warn_unused_result));
#define SURVEY_CHUNK_RECORDS 100000

/* A file of one column that looks like several: say so, with the --delimiter that would fit. */
void survey_doubt(const struct survey *s, const char *file);

/* That delimiter as the option takes it; NULL: none would fit better. */
const char *survey_delimiter(const struct survey *s);

void survey_fini(struct survey *s);

#endif
