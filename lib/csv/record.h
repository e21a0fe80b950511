#ifndef CSV_RECORD_H
#define CSV_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/* What is wrong with a record's bytes; such a record is a reject, never data. */
enum record_flaw {
	RECORD_SOUND,
	RECORD_NUL,      /* a NUL byte */
	RECORD_ENCODING, /* not UTF-8 (RFC 3629) */
};

/* One field: its value, quotes removed. Not NUL-terminated. */
struct field {
	const char *bytes;
	uint32_t length;
	bool quoted; /* it was in quotes: "" is the empty string, an unquoted empty field is NULL */
};

/* Further fields of a record are not given: PostgreSQL has no table of as many columns. */
#define RECORD_MAX_FIELDS 65536u

/* One record. The fields point into the reader and are valid until its next call. */
struct record {
	uint64_t offset; /* of its first byte in the object */
	uint64_t length; /* bytes, its line end included */
	uint64_t line;   /* physical line of its first byte, from 1 */
	uint32_t field_count;
	const struct field *fields;
	enum record_flaw flaw;
	uint64_t flaw_offset; /* byte in the object where it begins, when flaw is set */
	uint32_t flaw_field;  /* index of the field it is in */
};

#endif
