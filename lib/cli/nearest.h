#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

/*
 * How many single-character edits (insert, delete, replace, swap of two
 * neighbours: optimal string alignment) turn one word into the other, for
 * "did you mean" hints. Words longer than 63 bytes are infinitely far.
 */
size_t nearest_distance(const char *a, const char *b);

/* Is `word` near enough to `known` that a typing mistake explains it? At most a third of it is wrong, and at most 3. */
int nearest_plausible(const char *word, const char *known);

#endif
