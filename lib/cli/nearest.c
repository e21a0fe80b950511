#include "cli/nearest.h"

#include "base/edits.h"

int
nearest_plausible(const char *word, const char *known)
{
	size_t third = edits_letters(known) / 3;

	return edits_between(word, known) <= (third < 3 ? third : 3);
}
