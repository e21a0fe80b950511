#ifndef SEARCH_SPELLING_H
#define SEARCH_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finding words that differ by a few edits (base/edits.h) without comparing
 * with each: two words at most n edits apart have a spelling in common, if
 * from each of them up to n letters may be struck out (each edit costs both at
 * most one letter). That stays true of their first letters alone, as many of
 * both, so long words have no more spellings than short ones. Spellings are
 * kept as numbers; a pair that shares one still has to be compared.
 */

/*
 * How many edits a word may be wrong by: 0, 1 or 2, as Elasticsearch's
 * fuzziness AUTO has it: none up to two letters, one up to five, else two.
 * None in a word with an ASCII digit: its neighbour is another number. None in
 * one of more than EDITS_LETTERS letters.
 */
size_t spelling_edits(const char *word);

/* The spellings with up to `strikes` (at most 2) letters struck out, each once. At most SPELLING_MOST. */
#define SPELLING_LETTERS 6
#define SPELLING_MOST (1 + SPELLING_LETTERS + SPELLING_LETTERS * (SPELLING_LETTERS - 1) / 2)
size_t spelling_list(const char *word, size_t strikes, int32_t spellings[SPELLING_MOST]);

#endif
