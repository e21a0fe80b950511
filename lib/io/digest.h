#ifndef IO_DIGEST_H
#define IO_DIGEST_H

#include <stddef.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX = 2 * DIGEST_BYTES + 1 };

/* SHA-256 (FIPS 180-4) of bytes in memory. */
void digest_sha256(const void *bytes, size_t length, unsigned char sha256[DIGEST_BYTES]);

/* In lower-case hex, with a NUL behind it. */
void digest_hex(const unsigned char sha256[DIGEST_BYTES], char hex[DIGEST_HEX]);

#endif
