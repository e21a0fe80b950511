#include "base/edits.h"

#include <stdbool.h>
#include <stdint.h>

static bool
begins_letter(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t
edits_letters(const char *word)
{
	size_t count = 0;

	for (; *word != '\0'; word++)
		count += begins_letter(*word) || count == 0;
	return count;
}

/* The letters of a word, each as the number that its bytes make. */
static size_t
split(const char *word, uint32_t *letters)
{
	size_t count = 0;

	for (; *word != '\0'; word++) {
		if (begins_letter(*word) || count == 0)
			letters[count++] = (unsigned char)*word;
		else
			letters[count - 1] = letters[count - 1] << 8 | (unsigned char)*word;
	}
	return count;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
edits_between(const char *a, const char *b)
{
	uint32_t x[EDITS_LETTERS], y[EDITS_LETTERS];
	size_t rows[3][EDITS_LETTERS + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	size_t m, n;

	if (edits_letters(a) > EDITS_LETTERS || edits_letters(b) > EDITS_LETTERS)
		return SIZE_MAX;
	m = split(a, x);
	n = split(b, y);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *spare = before;

		before = last;
		last = row;
		row = spare;
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x[i - 1] != y[j - 1]));
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[n];
}
