#ifndef SEARCH_ESSORT_H
#define SEARCH_ESSORT_H

#include <stddef.h>

#include "schema/type.h"

struct buf;
struct query;
struct search_index;

/* The order of hits, for the engine: by score or the column that the query names, each then by the key; or by that alone. */
enum essort_order { ESSORT_SCORE, ESSORT_KEY, ESSORT_COLUMN };

/* The key's columns: one, `_id`, of a dataset without a key. */
size_t essort_keys(const struct search_index *index);
enum type_id essort_key_type(const struct search_index *index, size_t part);

/* Append the member "sort", behind another one. */
void essort_write(
    struct buf *json, const struct search_index *index, const struct query *query, enum essort_order order);

/* Append the member "search_after": behind `last`, a list (cursor.h) of the value sorted by and the key's, as in the index. */
void essort_after(struct buf *json, const struct search_index *index, const struct query *query,
    enum essort_order order, const struct buf *last);

#endif
