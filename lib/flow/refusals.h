#ifndef FLOW_REFUSALS_H
#define FLOW_REFUSALS_H

#include <stdbool.h>

#include "base/buf.h"
#include "search/search.h"

struct pg;
struct target;

/* Documents that an engine has refused for good, and why. It begins as all zeros but for the index. */
struct refusals {
	const struct search_index *index;
	size_t count;
	char **reasons;
	int64_t *versions;
	struct buf texts;  /* of their keys, one behind the other, each with its NUL */
	const char **keys; /* the same as search_doc has them, once all are there */
};
void refusals_fini(struct refusals *r);

/* A search_refused with the refusals as its context. That a deletion is refused must not happen (74). */
int refusals_add(void *refusals, const struct search_doc *doc, const char *reason, struct err *e) MUST_CHECK;

/* When all are there: what the index has of them is out of date, and is deleted. A notice tells of the first one. */
int refusals_delete(struct refusals *r, struct search *search, struct err *e) MUST_CHECK;

/* After that: those whose rows are still of their version become index rejects. Inside a transaction. */
int refusals_keep(struct refusals *r, struct pg *pg, const struct target *target, struct err *e) MUST_CHECK;

#endif
