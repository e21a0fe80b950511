#include "csv/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

static inline uint64_t
load(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word;
}

/* High bits are set iff a byte is NUL (it borrows) or not ASCII. */
static inline uint64_t
suspect(uint64_t word)
{
	return ((word - ONES) | word) & HIGHS;
}

static bool
is_plain(const char *bytes, size_t length)
{
	size_t i = 0;

	if (length < 8) {
		for (; i < length; i++)
			if ((signed char)bytes[i] <= 0)
				return false;
		return true;
	}
	for (; length - i >= 64; i += 64) {
		uint64_t any = 0;

		for (size_t k = 0; k < 64; k += 8)
			any |= suspect(load(bytes + i + k));
		if (any != 0)
			return false;
	}
	for (; length - i >= 8; i += 8)
		if (suspect(load(bytes + i)) != 0)
			return false;
	return suspect(load(bytes + length - 8)) == 0;
}

static inline bool
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the well-formed sequence of 2 to 4 bytes that begins here, or 0 (RFC 3629 section 4). */
static size_t
sequence(const char *bytes, size_t length)
{
	const unsigned char *s = (const unsigned char *)bytes;
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		need = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		need = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (length < need)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (!is_tail(s[i]))
			return 0;
	return need;
}

size_t
utf8_flaw(const char *bytes, size_t length)
{
	size_t i = 0;

	if (is_plain(bytes, length))
		return length;
	while (i < length) {
		size_t n;

		if (length - i >= 8 && suspect(load(bytes + i)) == 0) {
			i += 8;
			continue;
		}
		if ((signed char)bytes[i] > 0) {
			i++;
			continue;
		}
		n = sequence(bytes + i, length - i);
		if (n == 0)
			return i;
		i += n;
	}
	return length;
}
