#ifndef FLOW_FIND_H
#define FLOW_FIND_H

#include "search/search.h"

struct find;
struct query;
struct shape;
struct site;

/* The verb of csvp-search: from a dataset's name to its records. */

/* 66 if there is no such dataset, or none of its files is split yet. */
struct find *find_open(const struct site *site, const char *dataset, struct err *e);
void find_close(struct find *find);

/* Its columns, for query.h; valid until find_close. */
const struct shape *find_shape(const struct find *find);

/* As search_query; a page may come from the site's cache, and is then as new as the index. */
int find_run(struct find *find, const struct query *query, search_each *each, void *ctx, struct search_page *page,
    struct err *e) MUST_CHECK;

#endif
