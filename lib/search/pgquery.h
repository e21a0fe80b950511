#ifndef SEARCH_PGQUERY_H
#define SEARCH_PGQUERY_H

#include "search/search.h"

struct buf;
struct pg;

/* The PostgreSQL driver's query: as search_driver's. On failure the transaction is left to the caller. */
int pgquery_run(struct pg *pg, const struct search_index *index, const struct query *query, const struct buf *from,
    search_each *each, void *ctx, struct search_page *page, struct buf *next, struct err *e) MUST_CHECK;

#endif
