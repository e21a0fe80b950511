#ifndef BASE_EDITS_H
#define BASE_EDITS_H

#include <stddef.h>

/*
 * How many edits (insert, delete, replace a letter, or swap two neighbours:
 * optimal string alignment) turn one word of UTF-8 into the other. A byte that
 * is no UTF-8 may count as a part of its neighbour. Words of more than
 * EDITS_LETTERS letters are infinitely far (SIZE_MAX).
 */
#define EDITS_LETTERS 64
size_t edits_between(const char *a, const char *b);

/* How many letters a word of UTF-8 has. */
size_t edits_letters(const char *word);

#endif
