#ifndef SEARCH_HIT_H
#define SEARCH_HIT_H

#include "search/search.h"

struct buf;

/* A text for one record, in the ways that people and programs read it. */

/* Append {"column":value,...} with the names of PostgreSQL and every number exact (type_to_json). No newline. */
void hit_json(struct buf *out, const struct shape *shape, const struct search_hit *hit);

/* Append the record as a line of RFC 4180 with LF; no value is nothing, the empty text is "". */
void hit_csv(struct buf *out, const struct shape *shape, const struct search_hit *hit);

/* Append the first line of such a file: the original headers. */
void hit_csv_header(struct buf *out, const struct shape *shape);

/* One value as a person reads it; NULL: no value. */
const char *hit_text(const struct shape *shape, const struct search_hit *hit, size_t column);

#endif
