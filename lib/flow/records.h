#ifndef FLOW_RECORDS_H
#define FLOW_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct record_fault;
struct records;
struct shape;
struct site;

/*
 * Single records of a dataset, read and edited outside jobs. An edit is one
 * transaction and takes the next version of its dataset; the triggers of the
 * table (table/edit.h) put it into the outbox of the search index, from where
 * an index worker takes it within a second, and without workers the next job.
 *
 * A key is what stands in a URL's path: its parts in the order of the key,
 * each percent-encoded (RFC 3986, section 2.1), apart by commas. One `=`
 * before a part is no part of it, so that one that is empty, `.` or `..`,
 * which paths cannot hold, is written `=`, `=.`, `=..`. Without a key of its
 * own a dataset's records have `_id`.
 */
enum records_result {
	RECORDS_DONE,
	RECORDS_CREATED,
	RECORDS_MISSING,   /* there is no such record */
	RECORDS_EXISTS,    /* there is one of this key already */
	RECORDS_FAILED,    /* the condition does not hold: another version */
	RECORDS_MALFORMED, /* the body is no JSON object */
	RECORDS_INVALID,   /* a field is wrong */
	RECORDS_BUILDING   /* not found in time: the table is still being filled, and has no key yet */
};

/* On which an edit depends (RFC 9110, section 13.1). All zeros: on nothing. */
struct records_condition {
	bool exists; /* If-Match: * */
	bool absent; /* If-None-Match: * */
	bool versioned;
	const int64_t *versions; /* If-Match: one of them */
	size_t count;
};

/* What there is to say. All zeros before. */
struct records_answer {
	struct buf json; /* the record as it is now; empty if it is gone */
	char *key;       /* as it stands in a path; NULL if it is not known */
	int64_t version;
	struct record_fault *faults; /* RECORDS_MALFORMED, RECORDS_INVALID (flow/record_json.h) */
	size_t fault_count;
};
void records_answer_fini(struct records_answer *a);

/* 66 if there is no such dataset, or it has no columns yet. */
struct records *records_open(const struct site *site, const char *dataset, struct err *e);
void records_close(struct records *r);

/* Its columns; valid until records_close. */
const struct shape *records_shape(const struct records *r);

/*
 * A result, or -1: 75 if somebody holds the table for longer than 10 s, 66 if it was dropped. A dataset still being
 * filled for the first time gets its key before the first edit.
 */
int records_read(struct records *r, const char *key, struct records_answer *a, struct err *e)
    __attribute__((warn_unused_result));
int records_create(struct records *r, const char *body, size_t length, struct records_answer *a, struct err *e)
    __attribute__((warn_unused_result));

/* All columns get the body's values, or none; without a record of this key it is made, except where keys are `_id`. */
int records_replace(struct records *r, const char *key, const struct records_condition *c, const char *body,
    size_t length, struct records_answer *a, struct err *e) __attribute__((warn_unused_result));

/* The columns that the body has get its values, null is no value (JSON Merge Patch, RFC 7396). */
int records_patch(struct records *r, const char *key, const struct records_condition *c, const char *body,
    size_t length, struct records_answer *a, struct err *e) __attribute__((warn_unused_result));
int records_delete(struct records *r, const char *key, const struct records_condition *c, struct records_answer *a,
    struct err *e) __attribute__((warn_unused_result));

#endif
