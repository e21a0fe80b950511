#include "schema/type_text.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/*
 * Eight bytes at a time in a 64-bit word: two words a step in long texts, and
 * overlapping loads at the end, so that a short field (most are) takes no
 * byte loop. A word that may hold a byte to be escaped goes byte by byte.
 */
#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EVERY(0x80)

/* Work is cut into pieces, so that the room reserved for the worst case stays small beside a long text. */
enum { PIECE = 4096 };

static inline uint64_t
load8(const char *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

static inline uint64_t
load4(const char *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

/* The high bit of some byte is set if, and only if, a byte of the word is below `limit` (<= 0x80). */
static inline uint64_t
below(uint64_t word, uint64_t limit)
{
	return (word - EVERY(limit)) & ~word & HIGH_BITS;
}

static inline uint64_t
holds(uint64_t word, uint64_t byte)
{
	return below(word ^ EVERY(byte), 1);
}

static inline uint64_t
unusual_in_copy(uint64_t word)
{
	return below(word, 0x20) | holds(word, '\\');
}

static inline uint64_t
unusual_in_json(uint64_t word)
{
	return below(word, 0x20) | holds(word, '\\') | holds(word, '"');
}

static char *
copy_bytes(char *to, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char byte = bytes[i];

		switch (byte) {
		case '\t':
			byte = 't';
			break;
		case '\n':
			byte = 'n';
			break;
		case '\r':
			byte = 'r';
			break;
		case '\\':
			break;
		default:
			*to++ = byte;
			continue;
		}
		*to++ = '\\';
		*to++ = byte;
	}
	return to;
}

static char *
json_bytes(char *to, const char *bytes, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte >= 0x20 && byte != '"' && byte != '\\') {
			*to++ = (char)byte;
			continue;
		}
		*to++ = '\\';
		if (byte >= 0x20) {
			*to++ = (char)byte;
		} else if (letter[byte] != '\0') {
			*to++ = letter[byte];
		} else {
			memcpy(to, "u00", 3);
			to[3] = hex[byte >> 4];
			to[4] = hex[byte & 15];
			to += 5;
		}
	}
	return to;
}

/* One notation: which words need a second look, and how bytes are written then. Inlined once for each. */
typedef uint64_t unusual_fn(uint64_t word);
typedef char *bytes_fn(char *to, const char *bytes, size_t length);

static inline __attribute__((always_inline)) char *
write_piece(char *to, const char *bytes, size_t length, unusual_fn *unusual, bytes_fn *slow)
{
	const char *end = bytes + length;

	for (; end - bytes >= 16; bytes += 16) {
		uint64_t a = load8(bytes), b = load8(bytes + 8);

		if (unusual(a) | unusual(b)) {
			to = slow(to, bytes, 16);
			continue;
		}
		memcpy(to, &a, 8);
		memcpy(to + 8, &b, 8);
		to += 16;
	}
	length = (size_t)(end - bytes);
	if (length >= 8) {
		uint64_t a = load8(bytes), b = load8(end - 8);

		if (unusual(a) | unusual(b))
			return slow(to, bytes, length);
		memcpy(to, &a, 8);
		memcpy(to + length - 8, &b, 8);
		return to + length;
	}
	if (length >= 4) {
		uint64_t word = load4(bytes) | load4(end - 4) << 32;

		if (unusual(word))
			return slow(to, bytes, length);
		memcpy(to, bytes, 4);
		memcpy(to + length - 4, end - 4, 4);
		return to + length;
	}
	return slow(to, bytes, length);
}

static inline __attribute__((always_inline)) void
append(struct buf *out, const char *bytes, size_t length, size_t worst, unusual_fn *unusual, bytes_fn *slow)
{
	do {
		size_t piece = length < PIECE ? length : PIECE;
		char *to = buf_reserve(out, piece * worst);
		char *end = write_piece(to, bytes, piece, unusual, slow);

		*end = '\0';
		out->length += (size_t)(end - to);
		bytes += piece;
		length -= piece;
	} while (length > 0);
}

void
type_text_copy(struct buf *out, const char *bytes, size_t length)
{
	append(out, bytes, length, 2, unusual_in_copy, copy_bytes);
}

void
type_text_json(struct buf *out, const char *bytes, size_t length)
{
	buf_byte(out, '"');
	append(out, bytes, length, 6, unusual_in_json, json_bytes);
	buf_byte(out, '"');
}
