#ifndef SCHEMA_TYPE_H
#define SCHEMA_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* The types a column can have. One row per type in type.c answers every question about it. */
enum type_id { TYPE_BIGINT, TYPE_NUMERIC, TYPE_BOOLEAN, TYPE_DATE, TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ, TYPE_TEXT };
#define TYPE_COUNT 7

/* A set of types, bit 1 << type_id. */
typedef uint8_t type_set;
#define TYPE_ALL ((type_set)((1u << TYPE_COUNT) - 1))

const char *type_sql(enum type_id type);     /* PostgreSQL name: "bigint", ... as format_type() gives it */
const char *type_json(enum type_id type);    /* JSON Schema type: "integer", "number", "boolean", "string" */
const char *type_openapi(enum type_id type); /* JSON Schema of what type_to_json writes, as JSON */
const char *type_search(enum type_id type);  /* Elasticsearch field type: "long", "double", "date", "text", ... */
bool type_numeric(enum type_id type);        /* right-aligned in tables */

/* Type by its SQL name or a common synonym (int8, integer, bool, timestamp, string ...); false if unknown. */
bool type_parse(const char *name, enum type_id *out);

/*
 * Inference: which of `candidates` can hold this value? Narrowing over all of
 * a column's values and taking type_pick() of what is left gives its type.
 *   bigint       0 or -?[1-9][0-9]*, in range
 *   numeric      the same in any range, or with a fraction (<= 131072 digits
 *                before the point, 16383 behind); no exponent, no leading zero
 *                or plus, no `-0` (`-0.0` is one), no NaN
 *   boolean      true, false (any case)
 *   date         YYYY-MM-DD, real days of the years 0001-9999
 *   timestamp    date, `T` or a space, HH:MM[:SS[.f]], up to 6 digits f; no 24:00, no leap second
 *   timestamptz  that with Z, +HH, +HHMM or +HH:MM (or -), up to 15:59; in UTC in the same years
 *   text         all
 * A value is never date and timestamp, or timestamp and timestamptz: a column that mixes them is text.
 */
type_set type_narrow(type_set candidates, const char *bytes, size_t length);
enum type_id type_pick(type_set left); /* the narrowest type of the set; bigint before numeric, text last */

/* NULL if the value is valid for the type, else a static reason ("not a bigint", "leading zero", ...). */
const char *type_check(enum type_id type, const char *bytes, size_t length);

/* Append the value as a field of COPY's text format (PostgreSQL COPY, "Text Format"); it must be valid. */
void type_copy(enum type_id type, struct buf *out, const char *bytes, size_t length);

/*
 * Append a key value so that memcmp order of the result is the canonical
 * order used for sorting, and two values are equal to the type exactly if
 * their bytes are equal (numeric 1.0 = 1.00; one instant = one timestamptz).
 * Self-delimiting, so that keys of several columns can be put one behind another.
 */
void type_sort_key(enum type_id type, struct buf *out, const char *bytes, size_t length);

/*
 * Append the canonical text of a key value: exactly what the SQL expression
 * of type_canonical_sql gives for the stored value.
 */
void type_canonical(enum type_id type, struct buf *out, const char *bytes, size_t length);
/* The SQL expression giving the canonical text of column reference `column` (e.g. trim_scale(x)::text). */
void type_canonical_sql(enum type_id type, struct buf *sql, const char *column);

/*
 * Append a value as PostgreSQL prints it (text output) as JSON (RFC 8259).
 * bigint beyond 2^53, and a numeric that a reader of doubles would not print
 * back (over 15 digits before the point, or changed in the shortest form of
 * the nearest double), are strings, as are NaN and Infinity.
 */
void type_to_json(enum type_id type, struct buf *out, const char *bytes, size_t length);

#endif
