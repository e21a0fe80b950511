#ifndef FLOW_RECORD_JSON_H
#define FLOW_RECORD_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct shape;

/* A record as JSON from outside, as hit_json (search/hit.h) writes it: {"column":value,...} with PostgreSQL's names. */

/* What is wrong with it: a member, or NULL the whole; and why. */
struct record_fault {
	char *field;
	char *reason;
};

struct record_json {
	char **values; /* one per column of the shape, text valid for its type; NULL: no value */
	bool *given;   /* the column has a member */
	size_t columns;
	struct record_fault *faults; /* all that were found */
	size_t fault_count;
};
void record_json_fini(struct record_json *r);

/*
 * Read it. A number may be of any length, and is taken digit by digit; a
 * bigint or numeric may be a string, as hit_json writes those that readers of
 * doubles would round. Unknown and doubled members are faults. 0, with or
 * without faults; else -1: the text is no JSON object, and faults says why.
 */
int record_json_read(struct record_json *r, const struct shape *shape, const char *bytes, size_t length);

/* Add a fault. */
void record_json_fault(struct record_json *r, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
