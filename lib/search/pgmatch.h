#ifndef SEARCH_PGMATCH_H
#define SEARCH_PGMATCH_H

#include "base/buf.h"

struct query;
struct search_index;

/* Which documents match a query, as SQL: the part that all of its statements share. */
struct pgmatch {
	struct buf from;  /* FROM ... WHERE ...: documents are `d`, records `t` */
	struct buf words; /* the tsquery of the terms, empty if there are none */
	struct buf still; /* AND ...: of records `t`, what was asked of documents that may be older */
	const char **params;
	char **owned; /* those of the parameters that were made for this */
	size_t param_count;
	size_t owned_count;
};

/*
 * Fill it, from all zeros; query and index must outlive it. `near`: for each term NULL, or the words that it stands
 * for, apart by blanks, without quotes and backslashes.
 */
void pgmatch_write(struct pgmatch *m, const struct search_index *index, const struct query *query, char *const *near);
void pgmatch_fini(struct pgmatch *m);

/* Add a parameter, which must outlive it; its number, from 1. */
size_t pgmatch_parameter(struct pgmatch *m, const char *value);

#endif
