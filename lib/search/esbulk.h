#ifndef SEARCH_ESBULK_H
#define SEARCH_ESBULK_H

#include "search/search_driver.h"

/* Documents on their way to the engine; private to esbulk.c. */
struct esbulk;
void esbulk_free(struct esbulk *bulk);

int esbulk_put(void *self, const struct search_index *index, const struct search_doc *doc, struct err *e);
int esbulk_settle(void *self, const struct search_index *index, search_refused *refused, void *ctx, struct err *e);
void esbulk_discard(void *self);

#endif
