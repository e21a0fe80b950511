#include "csv/classify.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "csv/dialect.h"

/* Without quoting the quote's byte is NUL, and a NUL in the data is no quote. */
static inline uint64_t
quoting(const struct dialect *d)
{
	return d->quote == '\0' ? 0 : ~(uint64_t)0;
}

/* Each bit becomes the xor of itself and all lower ones. */
static inline uint64_t
prefix_xor(uint64_t m)
{
	for (unsigned shift = 1; shift < 64; shift *= 2)
		m ^= m << shift;
	return m;
}

/* Bit i: byte i of the word is zero. Exact: no carry crosses a byte. */
static inline uint64_t
zero_bytes(uint64_t word)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
	uint64_t high = ~(((word & low) + low) | word | low);

	/* The multiplication gathers the eight flags, now lowest bits, in the top byte. */
	return ((high >> 7) * 0x0102040810204080u) >> 56;
}

void
classify_swar(const struct dialect *d, const char *bytes, size_t blocks, struct classify_masks *out)
{
	const uint64_t ones = 0x0101010101010101u, enabled = quoting(d);
	const uint64_t quote = ones * (unsigned char)d->quote, delimiter = ones * (unsigned char)d->delimiter;

	for (size_t b = 0; b < blocks; b++) {
		struct classify_masks m = {0, 0, 0, 0, 0};

		for (unsigned i = 0; i < 64; i += 8) {
			uint64_t word;

			memcpy(&word, bytes + 64 * b + i, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
			word = __builtin_bswap64(word);
#endif
			m.quote |= zero_bytes(word ^ quote) << i;
			m.delimiter |= zero_bytes(word ^ delimiter) << i;
			m.lf |= zero_bytes(word ^ ones * '\n') << i;
			m.cr |= zero_bytes(word ^ ones * '\r') << i;
		}
		m.quote &= enabled;
		m.parity = prefix_xor(m.quote);
		out[b] = m;
	}
}

#ifdef __x86_64__

static inline uint64_t
equal_sse2(const __m128i v[4], __m128i c)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 4; i++)
		mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], c)) << 16 * i;
	return mask;
}

void
classify_sse2(const struct dialect *d, const char *bytes, size_t blocks, struct classify_masks *out)
{
	const __m128i quote = _mm_set1_epi8(d->quote), delimiter = _mm_set1_epi8(d->delimiter);
	const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
	const uint64_t enabled = quoting(d);

	for (size_t b = 0; b < blocks; b++) {
		__m128i v[4];

		for (unsigned i = 0; i < 4; i++)
			v[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 64 * b + 16 * i));
		out[b].quote = equal_sse2(v, quote) & enabled;
		out[b].parity = out[b].quote == 0 ? 0 : prefix_xor(out[b].quote);
		out[b].delimiter = equal_sse2(v, delimiter);
		out[b].lf = equal_sse2(v, lf);
		out[b].cr = equal_sse2(v, cr);
	}
}

#define AVX2 __attribute__((target("avx2,pclmul")))

static inline AVX2 uint64_t
equal_avx2(__m256i a, __m256i b, __m256i c)
{
	uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c));
	uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c));

	return (uint64_t)high << 32 | low;
}

AVX2 void
classify_avx2(const struct dialect *d, const char *bytes, size_t blocks, struct classify_masks *out)
{
	const __m256i quote = _mm256_set1_epi8(d->quote), delimiter = _mm256_set1_epi8(d->delimiter);
	const __m256i lf = _mm256_set1_epi8('\n'), cr = _mm256_set1_epi8('\r');
	const __m128i all = _mm_set1_epi8(-1);
	const uint64_t enabled = quoting(d);

	for (size_t b = 0; b < blocks; b++) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 64 * b));
		__m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 64 * b + 32));
		uint64_t q = equal_avx2(v, w, quote) & enabled;

		out[b].quote = q;
		/* A carry-less product with all ones is the prefix xor. */
		out[b].parity =
		    (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)q), all, 0));
		out[b].delimiter = equal_avx2(v, w, delimiter);
		out[b].lf = equal_avx2(v, w, lf);
		out[b].cr = equal_avx2(v, w, cr);
	}
}

#else

void
classify_sse2(const struct dialect *d, const char *bytes, size_t blocks, struct classify_masks *out)
{
	classify_swar(d, bytes, blocks, out);
}

void
classify_avx2(const struct dialect *d, const char *bytes, size_t blocks, struct classify_masks *out)
{
	classify_swar(d, bytes, blocks, out);
}

#endif
