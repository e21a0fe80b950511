#ifndef CSV_CLASSIFY_H
#define CSV_CLASSIFY_H

#include <stdint.h>
#include <string.h>

/*
 * Which of 64 bytes are what: here for any machine, 8 bytes a step, and in
 * classify_x86.h. All of it inline, into the one loop that uses it: a call for
 * each 64 bytes would cost as much as the answer. Private to scan.c.
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

#endif
