#ifndef SEARCH_ESMATCH_H
#define SEARCH_ESMATCH_H

#include <stddef.h>

struct buf;
struct query;
struct search_index;

/*
 * Append the condition that a document matches, as a query of Elasticsearch
 * ("Query DSL"). near[term]: the words that a mistyped term stands for, or NULL.
 */
void esmatch_write(struct buf *json, const struct search_index *index, const struct query *query, char *const *near);

/* Append a column's field, as a JSON text: "i.founded". */
void esmatch_field(struct buf *json, const struct search_index *index, size_t column);

#endif
