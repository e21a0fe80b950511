#include "io/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

void
digest_sha256(const void *bytes, size_t length, unsigned char sha256[DIGEST_BYTES])
{
	/* It fails only without memory. */
	if (EVP_Digest(bytes, length, sha256, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void
digest_hex(const unsigned char sha256[DIGEST_BYTES], char hex[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[2 * i] = digits[sha256[i] >> 4];
		hex[2 * i + 1] = digits[sha256[i] & 15];
	}
	hex[2 * DIGEST_BYTES] = '\0';
}
