#ifndef SEARCH_ESNEAR_H
#define SEARCH_ESNEAR_H

#include "base/err.h"

struct es;
struct query;
struct search_index;

/*
 * For each term of the query that is a mistyped word (query.h says when), put into near[term] the words that it stands
 * for, apart by blanks, to be freed by the caller; others are left alone.
 */
int esnear_find(
    struct es *es, const struct search_index *index, const struct query *query, char **near, struct err *e) MUST_CHECK;

#endif
