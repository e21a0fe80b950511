#ifndef SCHEMA_JSON_NUMBER_H
#define SCHEMA_JSON_NUMBER_H

#include <stdbool.h>

struct buf;

/*
 * Append a JSON number (RFC 8259, section 6) in the notation that bigint and
 * numeric take: no exponent, no minus zero, every digit kept; a fraction of
 * zeros is left out only if `whole`, since 1.0 is an integer to JSON Schema.
 * False if that would be longer than any numeric.
 */
bool json_number(struct buf *out, const char *number, bool whole);

#endif
