#ifndef CSV_CLASSIFY_H
#define CSV_CLASSIFY_H

#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * Which of 64 bytes are what, three ways. All of it inline, into the one loop
 * that uses it: a call for each 64 bytes would cost as much as the answer.
 * Private to scan.c.
 */
#define CLASSIFY_INLINE static inline __attribute__((always_inline))

/* The bytes that mean something; taken by value, so that they stay in registers. */
struct classify_bytes {
	char delimiter;
	char quote;
	uint64_t quoting; /* all ones; 0: there is no quote, and a NUL in the data is none */
};

/* One bit a byte, the first byte lowest. */
struct classify_masks {
	uint64_t quote;
	uint64_t parity; /* up to and with this byte the 64 hold an odd number of quotes */
	uint64_t delimiter;
	uint64_t lf;
	uint64_t cr;
};

/* Each bit becomes the xor of itself and all lower ones. */
CLASSIFY_INLINE uint64_t
classify_parity(uint64_t m)
{
	for (unsigned shift = 1; shift < 64; shift *= 2)
		m ^= m << shift;
	return m;
}

/* Bit i: byte i of the word is zero. Exact: no carry crosses a byte. */
CLASSIFY_INLINE uint64_t
classify_zeros(uint64_t word)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
	uint64_t high = ~(((word & low) + low) | word | low);

	/* The multiplication gathers the eight flags, now lowest bits, in the top byte. */
	return ((high >> 7) * 0x0102040810204080u) >> 56;
}

CLASSIFY_INLINE struct classify_masks
classify_swar(struct classify_bytes c, const char *bytes)
{
	const uint64_t ones = 0x0101010101010101u;
	const uint64_t quote = ones * (unsigned char)c.quote, delimiter = ones * (unsigned char)c.delimiter;
	struct classify_masks m = {0, 0, 0, 0, 0};

	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		m.quote |= classify_zeros(word ^ quote) << i;
		m.delimiter |= classify_zeros(word ^ delimiter) << i;
		m.lf |= classify_zeros(word ^ ones * '\n') << i;
		m.cr |= classify_zeros(word ^ ones * '\r') << i;
	}
	m.quote &= c.quoting;
	m.parity = classify_parity(m.quote);
	return m;
}

#ifdef __x86_64__

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

#endif
