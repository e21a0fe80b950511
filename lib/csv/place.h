#ifndef CSV_PLACE_H
#define CSV_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csv/exact.h"

/* Where in a record its first bytes end. Private to csv. */
struct place {
	enum exact_state state; /* behind them */
	size_t field;           /* position of the field that they end in */
	uint32_t index;         /* which field that is, from 0 */
	uint64_t lines;         /* line ends before it */
};

/*
 * Walk the first `length` bytes of a record again, byte by byte: for messages,
 * when something is wrong. As exact.h, no escape that is the quote.
 */
struct place place_find(const struct dialect *d, const char *bytes, size_t length);

/* Is there a quote open, or an escape inside one? */
bool place_in_quotes(enum exact_state state);

#endif
