#include "io/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/buf.h"

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

struct digest_md5 {
	EVP_MD_CTX *state;
};

struct digest_md5 *
digest_md5_new(void)
{
	struct digest_md5 *md5 = buf_malloc(sizeof *md5);

	md5->state = EVP_MD_CTX_new();
	if (md5->state != NULL && EVP_DigestInit_ex(md5->state, EVP_md5(), NULL) == 1)
		return md5;
	digest_md5_free(md5);
	return NULL;
}

void
digest_md5_add(struct digest_md5 *md5, const void *bytes, size_t length)
{
	if (md5 != NULL && EVP_DigestUpdate(md5->state, bytes, length) != 1)
		abort();
}

void
digest_md5_base64(const struct digest_md5 *md5, char base64[DIGEST_MD5_BASE64])
{
	unsigned char value[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *copy;

	base64[0] = '\0';
	if (md5 == NULL)
		return;
	copy = EVP_MD_CTX_new();
	if (copy == NULL || EVP_MD_CTX_copy_ex(copy, md5->state) != 1 || EVP_DigestFinal_ex(copy, value, NULL) != 1)
		abort();
	EVP_MD_CTX_free(copy);
	EVP_EncodeBlock((unsigned char *)base64, value, 16);
}

void
digest_md5_free(struct digest_md5 *md5)
{
	if (md5 != NULL)
		EVP_MD_CTX_free(md5->state);
	free(md5);
}
