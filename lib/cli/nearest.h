#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

/*
 * For "did you mean" hints: is `word` near enough to `known` that a typing
 * mistake explains it? At most a third of it is wrong, and at most 3 letters
 * (base/edits.h).
 */
int nearest_plausible(const char *word, const char *known);

#endif
