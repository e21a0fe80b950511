#ifndef IO_DIGEST_H
#define IO_DIGEST_H

#include <stddef.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX = 2 * DIGEST_BYTES + 1 };

/* SHA-256 (FIPS 180-4) of bytes in memory. */
void digest_sha256(const void *bytes, size_t length, unsigned char sha256[DIGEST_BYTES]);

/* In lower-case hex, with a NUL behind it. */
void digest_hex(const unsigned char sha256[DIGEST_BYTES], char hex[DIGEST_HEX]);

/*
 * MD5 (RFC 1321) of bytes that come in pieces, as a Content-MD5 holds it (RFC
 * 1864): against accidents, where a protocol knows no better. NULL if this
 * system allows no MD5; then there is nothing to add to or to end.
 */
enum { DIGEST_MD5_BASE64 = 25 };
struct digest_md5;
struct digest_md5 *digest_md5_new(void);
void digest_md5_add(struct digest_md5 *md5, const void *bytes, size_t length);

/* What it is now; more may be added. "" for NULL. */
void digest_md5_base64(const struct digest_md5 *md5, char base64[DIGEST_MD5_BASE64]);
void digest_md5_free(struct digest_md5 *md5);

#endif
