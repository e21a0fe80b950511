#include "search/spelling.h"

#include <string.h>

#include "base/edits.h"

size_t
spelling_edits(const char *word)
{
	size_t letters = edits_letters(word);

	if (letters < 3 || letters > EDITS_LETTERS || strpbrk(word, "0123456789") != NULL)
		return 0;
	return letters <= 5 ? 1 : 2;
}

/* Where the first letters of a word begin, and behind them where the last of them ends; how many there are. */
static size_t
find_letters(const char *word, size_t at[SPELLING_LETTERS + 1])
{
	size_t count = 0, length = 0;

	for (; word[length] != '\0'; length++) {
		if (((unsigned char)word[length] & 0xc0) == 0x80 && length > 0)
			continue;
		if (count == SPELLING_LETTERS)
			break;
		at[count++] = length;
	}
	at[count] = length;
	return count;
}

/* FNV-1a, 32 bits, of the letters that are not struck out. */
static uint32_t
hash(const char *word, const size_t *at, size_t letters, unsigned struck)
{
	uint32_t h = 0x811c9dc5u;

	for (size_t i = 0; i < letters; i++)
		for (size_t k = at[i]; k < at[i + 1] && (struck >> i & 1) == 0; k++)
			h = (h ^ (unsigned char)word[k]) * 0x01000193u;
	return h;
}

size_t
spelling_list(const char *word, size_t strikes, int32_t spellings[SPELLING_MOST])
{
	size_t at[SPELLING_LETTERS + 1];
	size_t letters = find_letters(word, at), count = 0;

	for (unsigned struck = 0; struck < 1u << letters; struck++) {
		size_t i = 0;
		int32_t spelling;

		if ((size_t)__builtin_popcount(struck) > strikes)
			continue;
		spelling = (int32_t)hash(word, at, letters, struck);
		while (i < count && spellings[i] != spelling)
			i++;
		spellings[i] = spelling;
		count += i == count;
	}
	return count;
}
