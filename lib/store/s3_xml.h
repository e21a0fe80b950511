#ifndef STORE_S3_XML_H
#define STORE_S3_XML_H

#include <stdbool.h>

struct buf;

/*
 * The answers of S3 are flat: an element is found by its name alone. Put the
 * text of the first <name> at or behind *at into `text`, references to
 * characters resolved, and move *at behind it; false if there is none.
 */
bool s3_xml_next(const char **at, const char *name, struct buf *text);

/* The same from the begin of a document that may be NULL; `text` is "" if there is none. */
bool s3_xml_find(const char *document, const char *name, struct buf *text);

#endif
