#ifndef SEARCH_PGFACET_H
#define SEARCH_PGFACET_H

#include "base/err.h"

struct pg;
struct query;
struct search_index;
struct search_page;

/* Fill the page's facets, inside the transaction that has read it; `near` as pgmatch_write wants it. */
int pgfacet_count(struct pg *pg, const struct search_index *index, const struct query *query, char *const *near,
    struct search_page *page, struct err *e) MUST_CHECK;

#endif
