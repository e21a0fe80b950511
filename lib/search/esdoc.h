#ifndef SEARCH_ESDOC_H
#define SEARCH_ESDOC_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;
struct search_doc;
struct search_index;

/* A record as a document: what is written into an index and read back from it (esindex.c says what the groups are). */

/* Append the document's `_id`, as JSON: the key, injectively; of more than 512 bytes a digest. */
void esdoc_id(struct buf *json, const struct search_index *index, const struct search_doc *doc);

/* Append the document as JSON without newline. False if a value is none of its column's type. */
bool esdoc_write(struct buf *json, const struct search_index *index, const struct search_doc *doc);

/*
 * Read a document: a value for each column, NULL without one, and the id of a
 * dataset without a key. They stand in the text that is read. False if it is
 * no document.
 */
bool esdoc_read(struct json *j, const struct search_index *index, const char **values, const char **id);

#endif
