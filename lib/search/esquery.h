#ifndef SEARCH_ESQUERY_H
#define SEARCH_ESQUERY_H

#include "search/search.h"

struct buf;

/* As search_driver.query; `self` is a struct es. */
int esquery_run(void *self, const struct search_index *index, const struct query *query, const struct buf *from,
    search_each *each, void *ctx, struct search_page *page, struct buf *next, struct err *e) MUST_CHECK;

#endif
