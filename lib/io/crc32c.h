#ifndef IO_CRC32C_H
#define IO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (RFC 3720, appendix B.4) of bytes in memory; crc32c_plain is the same without the machine's own instruction. */
uint32_t crc32c_of(const void *bytes, size_t length);
uint32_t crc32c_plain(const void *bytes, size_t length);

/* As S3's checksums have it: its four bytes, the highest first, in base64. */
enum { CRC32C_BASE64 = 9 };
void crc32c_base64(const void *bytes, size_t length, char base64[CRC32C_BASE64]);

#endif
