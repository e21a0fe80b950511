#ifndef API_ACCEPT_H
#define API_ACCEPT_H

/*
 * Of these media types (apart by blanks) the one that a client likes best by its Accept header (RFC 9110, 12.5.1), the
 * earlier of two it likes the same; the first without such a header; NULL if it takes none of them. Static, if `types`
 * is: it has the parameters that belong to the type ("text/csv; charset=utf-8").
 */
const char *accept_choose(const char *header, const char *types);

#endif
