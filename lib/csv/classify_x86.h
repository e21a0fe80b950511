#ifndef CSV_CLASSIFY_X86_H
#define CSV_CLASSIFY_X86_H

#include <immintrin.h>

#include "csv/classify.h"

/* The masks of classify.h by the vectors of x86-64. Private to scan.c. */

#define CLASSIFY_SSE2 __attribute__((target("pclmul,popcnt")))
#define CLASSIFY_AVX2 __attribute__((target("avx2,bmi,pclmul,popcnt")))
#define CLASSIFY_AVX512 __attribute__((target("avx512f,avx512bw,avx2,bmi,pclmul,popcnt")))

/* A carry-less product with all ones is the prefix xor. */
CLASSIFY_INLINE CLASSIFY_SSE2 uint64_t
classify_parity_clmul(uint64_t m)
{
	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)m), _mm_set1_epi8(-1), 0));
}

CLASSIFY_INLINE CLASSIFY_SSE2 uint64_t
classify_equal_sse2(__m128i a, __m128i b, __m128i c, __m128i d, char byte)
{
	const __m128i bytes = _mm_set1_epi8(byte);
	uint32_t low = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, bytes)) |
		       (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, bytes)) << 16;
	uint32_t high = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(c, bytes)) |
			(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(d, bytes)) << 16;

	return (uint64_t)high << 32 | low;
}

CLASSIFY_INLINE CLASSIFY_SSE2 struct classify_masks
classify_sse2(struct classify_bytes special, const char *bytes)
{
	const __m128i *from = (const __m128i *)(const void *)bytes;
	__m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
	__m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
	struct classify_masks m;

	m.quote = classify_equal_sse2(a, b, c, d, special.quote) & special.quoting;
	m.parity = classify_parity_clmul(m.quote);
	m.delimiter = classify_equal_sse2(a, b, c, d, special.delimiter);
	m.lf = classify_equal_sse2(a, b, c, d, '\n');
	m.cr = classify_equal_sse2(a, b, c, d, '\r');
	return m;
}

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
	m.parity = classify_parity_clmul(m.quote);
	m.delimiter = classify_equal_avx2(a, b, c.delimiter);
	m.lf = classify_equal_avx2(a, b, '\n');
	m.cr = classify_equal_avx2(a, b, '\r');
	return m;
}

CLASSIFY_INLINE CLASSIFY_AVX512 struct classify_masks
classify_avx512(struct classify_bytes c, const char *bytes)
{
	__m512i v = _mm512_loadu_si512((const void *)bytes);
	struct classify_masks m;

	m.quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c.quote)) & c.quoting;
	m.parity = classify_parity_clmul(m.quote);
	m.delimiter = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c.delimiter));
	m.lf = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
	m.cr = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r'));
	return m;
}

#endif
