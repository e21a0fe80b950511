#ifndef TABLE_ENCODE_H
#define TABLE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct encoder;
struct reading;
struct record;
struct shape;

/* Why a record is a reject. */
struct encode_fault {
	const char *code;   /* "fields", "type", "key", "encoding", "nul"; static */
	const char *header; /* of the column; NULL: the whole record */
	uint64_t byte;      /* where, in the object */
	char reason[160];
};

/*
 * Encode the records of one job for its dataset's table. `columns` says for
 * each field of the file which column of the shape it fills (-1: none); a
 * column that no field fills is NULL. All arguments must outlive the encoder.
 */
struct encoder *encode_new(const struct shape *shape, const int *columns, size_t count, const struct reading *reading);
void encode_free(struct encoder *encoder);

/*
 * Append the record as one line of COPY's text format, in the order of
 * target_columns(), and its sort key (none without a key). 0, or 1 with
 * *fault filled and nothing appended.
 */
int encode_record(struct encoder *encoder, const struct record *r, int64_t version, struct buf *line, struct buf *key,
    struct encode_fault *fault);

/* Append the canonical text of the i-th key column of a record that encode_record accepted. */
void encode_key_text(const struct encoder *encoder, const struct record *r, size_t i, struct buf *text);

/* The longest key, all its columns' canonical texts together: a B-tree entry holds no more (2,704 bytes with overhead). */
#define ENCODE_MAX_KEY 2600

#endif
