#ifndef CSV_UTF8_H
#define CSV_UTF8_H

#include <stddef.h>

/*
 * Where text stops being what a PostgreSQL text column can hold: the position
 * of the first NUL byte, or of the first byte of the first ill-formed sequence
 * (RFC 3629: no overlong form, no surrogate, nothing over U+10FFFF);
 * `length` if there is none.
 */
size_t utf8_flaw(const char *bytes, size_t length);

#endif
