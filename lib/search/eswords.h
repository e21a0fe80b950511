#ifndef SEARCH_ESWORDS_H
#define SEARCH_ESWORDS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * What a word is (query.h), for an engine that is told: a run of characters
 * that are letters or digits to PostgreSQL, which asks the C library. Under
 * C.UTF-8, since that knows all of Unicode and is always there.
 */

/* Append a class of Lucene's regular expressions that matches one such character: "[0-9A-Z...]". */
void eswords_class(struct buf *out);

/* The word of a text that has just one, for the caller to free; else NULL. */
char *eswords_only(const char *text);

/* The next word of a text from *at on: it begins at *begin, *at is then behind it, and its small letters are appended. */
bool eswords_next(const char **at, const char **begin, struct buf *small);

/* Call `each` for every word of a text, in small letters. */
void eswords_each(const char *text, void (*each)(void *ctx, const char *word), void *ctx);

/* A text in small letters, as the engine and PostgreSQL make them; the caller frees it. */
char *eswords_lower(const char *text);

/* How many words there are in a text. */
size_t eswords_count(const char *text);

#endif
