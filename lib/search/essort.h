#ifndef SEARCH_ESSORT_H
#define SEARCH_ESSORT_H

struct buf;
struct query;
struct search_index;

/* The order of hits, for the engine: by score or the column that the query names, each then by the key; or by that alone. */
enum essort_order { ESSORT_SCORE, ESSORT_KEY, ESSORT_COLUMN };

/* Append the member "sort", behind another one. */
void essort_write(
    struct buf *json, const struct search_index *index, const struct query *query, enum essort_order order);

/* Append the member "search_after": behind `last`, a list (cursor.h) of the value sorted by and the key's, as in the index. */
void essort_after(struct buf *json, const struct search_index *index, const struct query *query,
    enum essort_order order, const struct buf *last);

#endif
