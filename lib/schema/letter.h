#ifndef SCHEMA_LETTER_H
#define SCHEMA_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Just enough of Unicode to make names. */

/*
 * Decode one character of a string (RFC 3629) and move *at behind it; 0 at the
 * string's end. A byte that is no UTF-8 is LETTER_INVALID.
 */
#define LETTER_INVALID UINT32_C(0xFFFD)
uint32_t letter_next(const char **at);

/* Write a character as UTF-8, at most 4 bytes; the number of bytes. */
size_t letter_write(char *to, uint32_t c);

/* May it stand in a name? Letters, digits and marks; not punctuation, signs, spaces, control or private characters. */
bool letter_is(uint32_t c);

/* Its small form, else itself: ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic. */
uint32_t letter_lower(uint32_t c);

#endif
