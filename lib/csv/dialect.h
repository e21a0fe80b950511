#ifndef CSV_DIALECT_H
#define CSV_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/*
 * How a file's bytes become records (RFC 4180, and what real files do).
 * A quote opens a quoted field only as the first byte of a field; anywhere
 * else it is a character. Inside quotes a doubled quote is one quote; after
 * the closing quote any further bytes up to the delimiter are taken as they
 * are (`"a"b` is `ab`, as Python's csv reads it). LF, CRLF and CR end a
 * record, also mixed in one file. A line without any byte is blank: skipped.
 * A comment ends with its physical line; a quote in it means nothing. An
 * escaped line end (CRLF counts as one) belongs to the value.
 */
struct dialect {
	char delimiter;      /* ',' */
	char quote;          /* '"'; '\0': no quoting */
	char escape;         /* '\0': only doubled quotes; else escape + byte is that byte, in and out of quotes */
	char comment;        /* '\0': none; else records whose first byte is this are skipped */
	bool header;         /* the first record holds the names */
	uint32_t skip_lines; /* physical lines before the header, not parsed */
	uint32_t max_record; /* bytes, the line end included; a longer record is an error of the file */
};

#define DIALECT_MAX_RECORD (16u << 20)
#define DIALECT_MAX_MAX_RECORD (1u << 30) /* positions in a record are 31 bits */

/* RFC 4180 with a header. */
struct dialect dialect_default(void);

/*
 * Can this dialect be read? 64 naming the option: a character that is a line
 * end or not ASCII, no delimiter, one character with two meanings (an escape
 * equal to the quote is allowed: it says what doubling says), max_record 0 or
 * over DIALECT_MAX_MAX_RECORD.
 */
int dialect_check(const struct dialect *d, struct err *e) __attribute__((warn_unused_result));

#endif
