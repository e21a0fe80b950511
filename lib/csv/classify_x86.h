#ifndef CSV_CLASSIFY_X86_H
#define CSV_CLASSIFY_X86_H

#include <immintrin.h>

#include "csv/classify.h"

/* The masks of classify.h by the vectors of x86-64. Private to scan.c. */

CLASSIFY_INLINE uint64_t
classify_equal_sse2(const __m128i v[4], char c)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 4; i++)
		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], _mm_set1_epi8(c))) << 16 * i;
	return mask;
}

CLASSIFY_INLINE struct classify_masks
classify_sse2(struct classify_bytes c, const char *bytes)
{
	struct classify_masks m;
	__m128i v[4];

	for (unsigned i = 0; i < 4; i++)
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
	m.quote = classify_equal_sse2(v, c.quote) & c.quoting;
	m.parity = classify_parity(m.quote);
	m.delimiter = classify_equal_sse2(v, c.delimiter);
	m.lf = classify_equal_sse2(v, '\n');
	m.cr = classify_equal_sse2(v, '\r');
	return m;
}

#define CLASSIFY_AVX2 __attribute__((target("avx2,bmi,pclmul,popcnt")))

CLASSIFY_INLINE CLASSIFY_AVX2 uint64_t
classify_equal_avx2(__m256i a, __m256i b, char c)
{
	uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, _mm256_set1_epi8(c)));
	uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, _mm256_set1_epi8(c)));

	return (uint64_t)high << 32 | low;
}

CLASSIFY_INLINE CLASSIFY_AVX2 struct classify_masks
classify_avx2(struct classify_bytes c, const char *bytes)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
	struct classify_masks m;

	m.quote = classify_equal_avx2(a, b, c.quote) & c.quoting;
	/* A carry-less product with all ones is the prefix xor. */
	m.parity = (uint64_t)_mm_cvtsi128_si64(
	    _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)m.quote), _mm_set1_epi8(-1), 0));
	m.delimiter = classify_equal_avx2(a, b, c.delimiter);
	m.lf = classify_equal_avx2(a, b, '\n');
	m.cr = classify_equal_avx2(a, b, '\r');
	return m;
}

#endif
