#ifndef SEARCH_ESFACET_H
#define SEARCH_ESFACET_H

#include <stdbool.h>

struct buf;
struct json;
struct query;
struct search_index;
struct search_page;

/* Facets as aggregations of Elasticsearch ("Terms aggregation"). */

/* Append ,"aggs":{...}; nothing if the query wants none. */
void esfacet_write(struct buf *json, const struct search_index *index, const struct query *query);

/* Read the answer's `aggregations` into the page's facets; false if they make no sense. */
bool esfacet_read(
    struct json *j, const struct search_index *index, const struct query *query, struct search_page *page);

#endif
