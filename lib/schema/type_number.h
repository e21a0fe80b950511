#ifndef SCHEMA_TYPE_NUMBER_H
#define SCHEMA_TYPE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* bigint and numeric, for type.c: decimal digits without exponent, leading zero or plus. */
struct number {
	bool negative;
	size_t whole;    /* digits before the point, at least one */
	size_t fraction; /* digits behind it */
};

/* NULL and *n filled if the text is a numeric, else a static reason. */
const char *type_number_scan(const char *bytes, size_t length, struct number *n);

/* Is a scanned number a bigint, in its spelling and its range? */
bool type_number_is_bigint(const struct number *n, const char *bytes);

/* What type.h says of sort keys, canonical text and JSON. The value must be valid, except for JSON. */
void type_number_bigint_sort_key(struct buf *out, const char *bytes, size_t length);
void type_number_sort_key(struct buf *out, const char *bytes, size_t length);
void type_number_canonical(struct buf *out, const char *bytes, size_t length);
void type_number_bigint_json(struct buf *out, const char *bytes, size_t length);
void type_number_json(struct buf *out, const char *bytes, size_t length);

#endif
