#ifndef SCHEMA_JSON_FLAW_H
#define SCHEMA_JSON_FLAW_H

#include <stddef.h>

/*
 * Where a text from outside stops being one JSON value and nothing else (RFC
 * 8259, to the letter; at most 100 brackets deep): the position of the first
 * byte that is wrong, `length` if the text ends too early, SIZE_MAX if all is
 * well. json.h, which is not strict, may then read it. Whether it is UTF-8 is
 * not looked at (csv/utf8.h).
 */
size_t json_flaw(const char *bytes, size_t length);

#endif
