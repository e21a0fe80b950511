#ifndef SEARCH_HIGHLIGHT_H
#define SEARCH_HIGHLIGHT_H

struct highlight;
struct query;
struct search_hit;
struct shape;

/*
 * Marks in the texts of hits: which words the terms of a query were found by,
 * by the same rules for every engine (query.h says what a word is). The words
 * of all text columns in their order count as one text, as in the index, and
 * of a value only the part that is searched.
 */
struct highlight *highlight_new(const struct query *query, const struct shape *shape);
void highlight_free(struct highlight *h);

/* For each column its text with the marks around each word, NULL: none was found in it. Valid until the next call. */
const char *const *highlight_hit(struct highlight *h, const struct search_hit *hit);

#endif
