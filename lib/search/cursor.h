#ifndef SEARCH_CURSOR_H
#define SEARCH_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct query;
struct search_index;

/*
 * A cursor is where a page ended, as text that a shell or a URL can carry:
 * base64url (RFC 4648, section 5, without padding) of a version, the binding
 * to its query, the driver's own state, and a checksum. None of it is secret;
 * the checksum is there because a damaged cursor could skip records silently.
 */

/*
 * Append what a cursor is bound to: the driver, the dataset and the types it
 * sorts by, terms, filters and sort; not limit and total, which may differ
 * from page to page. No two of them are written alike.
 */
void cursor_describe(
    const char *driver, const struct search_index *index, const struct query *query, struct buf *description);

/* A short number for it, to be sealed in. */
uint64_t cursor_binding(const char *driver, const struct search_index *index, const struct query *query);

/* The text of a cursor; the caller frees it. */
char *cursor_seal(uint64_t binding, const struct buf *state);

/* Append the state that the text holds; 64 if it is damaged, or bound to something else. */
int cursor_unseal(const char *text, uint64_t binding, struct buf *state, struct err *e) MUST_CHECK;

/* States are lists of values, which may be NULL: append one; take the next one, false at the end. */
void cursor_put(struct buf *state, const char *value);
bool cursor_take(const struct buf *state, size_t *at, const char **value);

#endif
