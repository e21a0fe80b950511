#ifndef SEARCH_ESBULK_H
#define SEARCH_ESBULK_H

#include "search/search.h"

/* As search_driver.bulk; `self` is a struct es. */
int esbulk_send(void *self, const struct search_index *index, const struct search_doc *docs, size_t count,
    search_refused *refused, void *ctx, struct err *e) MUST_CHECK;

#endif
