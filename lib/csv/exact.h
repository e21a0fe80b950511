#ifndef CSV_EXACT_H
#define CSV_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dialect;

/* Where the exact state machine stands between two bytes. */
enum exact_state {
	EXACT_RECORD,         /* at a record's first byte */
	EXACT_FIELD,          /* at a field's first byte */
	EXACT_PLAIN,          /* in an unquoted field, or behind a closing quote and more */
	EXACT_QUOTED,         /* inside quotes */
	EXACT_QUOTE,          /* behind a quote inside quotes: closing, or the first of two */
	EXACT_COMMENT,        /* in a comment */
	EXACT_ESCAPED_PLAIN,  /* behind an escape outside quotes */
	EXACT_ESCAPED_QUOTED, /* behind an escape inside quotes */
};

/*
 * What 64 bytes hold, one bit a byte. Without `inside` a mark is the end of a
 * field or record: a delimiter, LF, or CR not followed by LF. With `inside` it
 * lies in a value: a line end, or a byte because of which the value is not its
 * bytes: the second of two quotes, an escape, a byte behind a closing quote.
 */
struct exact_marks {
	uint64_t at;
	uint64_t inside;
};

/*
 * Step over at most 64 bytes, one by one: the definition that every faster
 * path must agree with. `next` is the byte behind them (NUL at the end).
 * Without `fields` only line ends are marked. An escape that is the quote must
 * have been removed from the dialect: doubling says the same.
 */
struct exact_marks exact_block(
    const struct dialect *d, bool fields, enum exact_state *state, const char *bytes, size_t length, char next);

#endif
