#include "search/eswords.h"

#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <wctype.h>

#include "base/buf.h"
#include "schema/letter.h"

#define LAST_CHARACTER 0x10FFFF

static locale_t words;

static void
open_words(void)
{
	words = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static bool
in_word(uint32_t c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_words);
	/* Without the locale (no glibc) every letter that may stand in a name is one. */
	return words != (locale_t)0 ? iswalnum_l((wint_t)c, words) != 0 : letter_is(c);
}

void
eswords_class(struct buf *out)
{
	char text[4];

	buf_byte(out, '[');
	for (uint32_t c = 1; c <= LAST_CHARACTER; c++) {
		uint32_t first = c;

		if (c == 0xD800)
			c = 0xE000;
		if (!in_word(c))
			continue;
		while (c < LAST_CHARACTER && c + 1 != 0xD800 && in_word(c + 1))
			c++;
		buf_append(out, text, letter_write(text, first));
		if (c > first) {
			buf_byte(out, '-');
			buf_append(out, text, letter_write(text, c));
		}
	}
	buf_byte(out, ']');
}

size_t
eswords_count(const char *text)
{
	size_t count = 0;
	bool inside = false;
	uint32_t c;

	while ((c = letter_next(&text)) != 0) {
		count += !inside && in_word(c);
		inside = in_word(c);
	}
	return count;
}

char *
eswords_only(const char *text)
{
	const char *begin = NULL, *end = NULL, *at = text;
	uint32_t c;

	if (eswords_count(text) != 1)
		return NULL;
	while ((c = letter_next(&at)) != 0) {
		if (!in_word(c))
			continue;
		end = at;
		if (begin == NULL)
			begin = at - (c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
	}
	return begin != NULL ? buf_strndup(begin, (size_t)(end - begin)) : NULL;
}
