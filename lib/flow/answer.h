#ifndef FLOW_ANSWER_H
#define FLOW_ANSWER_H

#include <stdbool.h>

#include "search/search.h"

struct buf;
struct index_generation;
struct query;
struct shape;

/* Answers of searches as texts that a cache keeps: what they are found by, and what is in them. */

/* Append the key: the generation, the engine, all of the query. No two are alike. */
void answer_key(struct buf *key, const struct index_generation *generation, const char *engine,
    const struct search_index *index, const struct query *query);

/* An answer is its columns, its hits in order, and its page. */
void answer_begin(struct buf *answer, const struct shape *shape);
void answer_hit(struct buf *answer, const struct shape *shape, const struct search_hit *hit);
void answer_end(struct buf *answer, const struct search_page *page);

/*
 * Give it again, as search_query would: 0, or -1 with the error of `each`.
 * First answer_valid must have said that it is whole and of these columns.
 */
bool answer_valid(const struct buf *answer, const struct shape *shape);
int answer_give(const struct buf *answer, const struct shape *shape, search_each *each, void *ctx,
    struct search_page *page, struct err *e) MUST_CHECK;

#endif
