#ifndef CSV_CLASSIFY_H
#define CSV_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

struct dialect;

/* Which of 64 bytes are what, one bit a byte, the first byte lowest. */
struct classify_masks {
	uint64_t quote;
	uint64_t parity; /* bits before which (itself included) an odd number of quotes stands in these 64 */
	uint64_t delimiter;
	uint64_t lf;
	uint64_t cr;
};

/* Classify `blocks` times 64 bytes; no byte outside them is read. */
typedef void classify(const struct dialect *d, const char *bytes, size_t blocks, struct classify_masks *out);

/* Portable, 8 bytes a step; needs no instruction beyond the base of its machine. */
classify classify_swar;

/* Only on x86-64, else the same as classify_swar. avx2 needs AVX2 and PCLMULQDQ. */
classify classify_sse2;
classify classify_avx2;

#endif
