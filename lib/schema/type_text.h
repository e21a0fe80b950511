#ifndef SCHEMA_TYPE_TEXT_H
#define SCHEMA_TYPE_TEXT_H

#include <stddef.h>

struct buf;

/* Text in other notations, for type.c. */

/* Append as a field of COPY's text format: \\ \t \n \r. */
void type_text_copy(struct buf *out, const char *bytes, size_t length);

/* Append as a JSON string (RFC 8259, section 7); UTF-8 passes through. */
void type_text_json(struct buf *out, const char *bytes, size_t length);

#endif
