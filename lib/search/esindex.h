#ifndef SEARCH_ESINDEX_H
#define SEARCH_ESINDEX_H

#include <stdint.h>

#include "base/err.h"

struct es;
struct search_index;

/* Indexes of Elasticsearch and OpenSearch as search_driver.h wants them; `self` is a struct es. */
int esindex_exists(void *self, const struct search_index *index, struct err *e) MUST_CHECK;
int esindex_create(void *self, const struct search_index *index, struct err *e) MUST_CHECK;
int esindex_refresh(void *self, const struct search_index *index, struct err *e) MUST_CHECK;
int esindex_finish(void *self, const struct search_index *index, struct err *e) MUST_CHECK;
int esindex_count(void *self, const struct search_index *index, uint64_t *count, struct err *e) MUST_CHECK;
int esindex_drop(void *self, const struct search_index *index, struct err *e) MUST_CHECK;

/* What *e tells is so because somebody has changed the index: 78, with the request that deletes it. Returns -1. */
int esindex_changed(struct es *es, const struct search_index *index, struct err *e);

#endif
