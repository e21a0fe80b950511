#ifndef SEARCH_HIT_H
#define SEARCH_HIT_H

#include "search/search.h"

struct buf;

/* A text for one record, in the ways that people and programs read it. */

/*
 * Append {"column":value,...} with the names of PostgreSQL and every number exact (type_to_json). No newline. A hit of a
 * query with marks has one more member, "_highlight":{"column":"text with marks",...}.
 */
void hit_json(struct buf *out, const struct shape *shape, const struct search_hit *hit);

/* The same, and of a dataset without a key the record's "_id", by which it is found again. */
void hit_json_id(struct buf *out, const struct shape *shape, const struct search_hit *hit);

/* Append what stands before and behind the results of a page as a JSON object, `next` (NULL: null) instead of page's. */
void hit_page_begin(struct buf *out);
void hit_page_end(struct buf *out, const struct shape *shape, const struct search_page *page, const char *next);

/* Append the record, with its marks, as a line of RFC 4180 with LF; no value is nothing, the empty text is "". */
void hit_csv(struct buf *out, const struct shape *shape, const struct search_hit *hit);

/* Append the first line of such a file: the original headers. */
void hit_csv_header(struct buf *out, const struct shape *shape);

/* One value, with its marks, as a person reads it; NULL: no value. */
const char *hit_text(const struct shape *shape, const struct search_hit *hit, size_t column);

#endif
