#include "schema/letter.h"

/* Characters [first, last] that separate, beyond ASCII, in order. */
static const struct {
	uint32_t first, last;
} separators[] = {
    {0x80, 0xA9}, {0xAB, 0xB4}, {0xB6, 0xB9}, {0xBB, 0xBF}, {0xD7, 0xD7}, {0xF7, 0xF7}, /* Latin-1 */
    {0x2C2, 0x2C5}, {0x2D2, 0x2DF}, {0x37E, 0x37E}, {0x387, 0x387},                     /* modifiers, Greek */
    {0x482, 0x482}, {0x55A, 0x55F}, {0x589, 0x58F}, {0x5BE, 0x5BE}, {0x5F3, 0x5F4},     /* Cyrillic to Hebrew */
    {0x600, 0x60F}, {0x61B, 0x61F}, {0x66A, 0x66D}, {0x6D4, 0x6D4}, {0x964, 0x965},     /* Arabic, Indic */
    {0xE3F, 0xE3F}, {0xE4F, 0xE4F}, {0x1680, 0x1680},                                   /* Thai, Ogham */
    {0x2000, 0x206F}, {0x2070, 0x2070}, {0x2074, 0x207E}, {0x2080, 0x208E},             /* punctuation, digits */
    {0x20A0, 0x20CF}, {0x2100, 0x2101}, {0x2103, 0x2106}, {0x2108, 0x2109},             /* currency, letter-like */
    {0x2114, 0x2114}, {0x2116, 0x2118}, {0x211E, 0x2123}, {0x2150, 0x2BFF},             /* fractions to arrows */
    {0x2E00, 0x2E7F}, {0x3000, 0x3004}, {0x3008, 0x3030}, {0x303D, 0x303F},             /* CJK */
    {0x30A0, 0x30A0}, {0x30FB, 0x30FB}, {0xE000, 0xF8FF}, {0xFD3E, 0xFD3F},             /* Kana, private use */
    {0xFE10, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFEFF, 0xFF0F}, {0xFF1A, 0xFF20},             /* forms, mark of order */
    {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF},           /* full width, emoji */
    {0xE0000, 0x10FFFF},                                                                /* tags, private use */
};

/* Capitals [first, last], every `step` from the first, are `distance` before their small letters. */
static const struct {
	uint32_t first, last;
	int step, distance;
} capitals[] = {
    {'A', 'Z', 1, 32},
    /* Latin-1 */
    {0xC0, 0xD6, 1, 32},
    {0xD8, 0xDE, 1, 32},
    /* Latin Extended-A */
    {0x100, 0x12E, 2, 1},
    {0x130, 0x130, 1, 'i' - 0x130},
    {0x132, 0x136, 2, 1},
    {0x139, 0x147, 2, 1},
    {0x14A, 0x176, 2, 1},
    {0x178, 0x178, 1, 0xFF - 0x178},
    {0x179, 0x17D, 2, 1},
    /* Greek */
    {0x386, 0x386, 1, 38},
    {0x388, 0x38A, 1, 37},
    {0x38C, 0x38C, 1, 64},
    {0x38E, 0x38F, 1, 63},
    {0x391, 0x3A1, 1, 32},
    {0x3A3, 0x3AB, 1, 32},
    {0x3CF, 0x3CF, 1, 8},
    {0x3D8, 0x3EE, 2, 1},
    /* Cyrillic */
    {0x400, 0x40F, 1, 80},
    {0x410, 0x42F, 1, 32},
    {0x460, 0x480, 2, 1},
    {0x48A, 0x4BE, 2, 1},
    {0x4C0, 0x4C0, 1, 15},
    {0x4C1, 0x4CD, 2, 1},
    {0x4D0, 0x52E, 2, 1},
};

uint32_t
letter_next(const char **at)
{
	/* The lowest character that needs so many bytes behind the first. */
	static const uint32_t lowest[4] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)*at;
	int more = *p < 0x80 ? 0 : *p < 0xC0 ? -1 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : *p < 0xF8 ? 3 : -1;
	uint32_t c;

	if (more == 0) {
		*at += *p != '\0';
		return *p;
	}
	*at += 1;
	if (more < 0)
		return LETTER_INVALID;
	c = *p & (0x3Fu >> more);
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return LETTER_INVALID;
		c = c << 6 | (p[i] & 0x3Fu);
	}
	if (c < lowest[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return LETTER_INVALID;
	*at += more;
	return c;
}

size_t
letter_write(char *to, uint32_t c)
{
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = length; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3F));
	to[0] = (char)(lead[length] | c);
	return length;
}

bool
letter_is(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++)
		if (c <= separators[i].last)
			return c < separators[i].first;
	return false;
}

uint32_t
letter_lower(uint32_t c)
{
	for (size_t i = 0; i < sizeof capitals / sizeof capitals[0]; i++)
		if (c <= capitals[i].last)
			return c >= capitals[i].first && (c - capitals[i].first) % (uint32_t)capitals[i].step == 0
				   ? c + (uint32_t)capitals[i].distance
				   : c;
	return c;
}
