#ifndef SEARCH_ESVALUE_H
#define SEARCH_ESVALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/type.h"

struct buf;

/*
 * How values stand in an index, so that filters and sorts agree with
 * PostgreSQL to the last digit (a double would not):
 *   text       keyword: the bytes, since C collation is their order
 *   boolean    keyword: t or f
 *   numeric    keyword: type_sort_key as hex digits
 *   bigint     long
 *   date       long: days since 2000-01-01, which is PostgreSQL's own zero
 *   timestamp  long: microseconds since then; timestamptz too, in UTC
 * A long that is the highest or the lowest there is counts as "no value" to
 * the engine's sort; such a document says so in one more field (group z).
 */
enum esvalue_group { ESVALUE_TEXT, ESVALUE_KEYWORD, ESVALUE_LONG };

enum esvalue_group esvalue_group(enum type_id type);

/* The name of its group in a document: "s", "k", "i". A column is the field GROUP.NAME there. */
const char *esvalue_prefix(enum type_id type);

/* Is the value itself what stands in the index, so that a document need not hold it a second time? */
bool esvalue_plain(enum type_id type);

/* A keyword holds 32,766 bytes: of longer values it has the beginning, and a digest that makes it the value's own. */
#define ESVALUE_BYTES 32000
#define ESVALUE_DIGEST 32

/*
 * Append the value, as PostgreSQL prints it or as the type takes it, in the
 * form above: of a long its decimal digits. False if it is none of the type.
 */
bool esvalue_write(enum type_id type, struct buf *out, const char *value);

/* Could esvalue_write have made this text? For what comes back from outside. */
bool esvalue_check(enum type_id type, const char *text);

/* As JSON: a number or a text. */
void esvalue_json(enum type_id type, struct buf *out, const char *text);

/* Is this long one of the two that the sort takes for none? */
bool esvalue_extreme(const char *text);

#endif
