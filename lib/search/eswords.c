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

static void
need_words(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_words);
}

static bool
in_word(uint32_t c)
{
	need_words();
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
	const char *begin = NULL, *end = NULL, *at = text, *next;
	uint32_t c;

	if (eswords_count(text) != 1)
		return NULL;
	for (; next = at, (c = letter_next(&next)) != 0; at = next)
		if (in_word(c)) {
			begin = begin != NULL ? begin : at;
			end = next;
		}
	return buf_strndup(begin, (size_t)(end - begin));
}

static void
append_lower(struct buf *out, uint32_t c)
{
	char text[4];

	need_words();
	c = words != (locale_t)0 ? (uint32_t)towlower_l((wint_t)c, words) : letter_lower(c);
	buf_append(out, text, letter_write(text, c));
}

char *
eswords_lower(const char *text)
{
	struct buf out = {0};
	uint32_t c;

	buf_string(&out, "");
	while ((c = letter_next(&text)) != 0)
		append_lower(&out, c);
	return buf_detach(&out);
}

bool
eswords_next(const char **at, const char **begin, struct buf *small)
{
	const char *next = *at;
	uint32_t c;

	while ((c = letter_next(&next)) != 0 && !in_word(c))
		*at = next;
	if (c == 0)
		return false;
	for (*begin = *at; c != 0 && in_word(c); c = letter_next(&next)) {
		append_lower(small, c);
		*at = next;
	}
	return true;
}

void
eswords_each(const char *text, void (*each)(void *ctx, const char *word), void *ctx)
{
	struct buf word = {0};
	const char *begin;

	while (eswords_next(&text, &begin, &word)) {
		each(ctx, word.bytes);
		buf_reset(&word);
	}
	buf_fini(&word);
}
