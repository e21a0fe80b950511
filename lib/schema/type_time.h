#ifndef SCHEMA_TYPE_TIME_H
#define SCHEMA_TYPE_TIME_H

#include <stddef.h>
#include <stdint.h>

#include "schema/type.h"

struct buf;

/* date, timestamp and timestamptz, for type.c: ISO 8601 in the proleptic Gregorian calendar. */
struct moment {
	enum type_id type;
	int64_t microseconds; /* since 0001-01-01 00:00:00; of a timestamptz in UTC, else of the wall clock */
};

/* NULL and *m filled if the text is a date, timestamp or timestamptz, else a static reason. */
const char *type_time_scan(const char *bytes, size_t length, struct moment *m);

/* What type.h says of sort keys and canonical text. The value must be valid. */
void type_time_sort_key(struct buf *out, const char *bytes, size_t length);
void type_time_canonical(struct buf *out, const char *bytes, size_t length);

#endif
