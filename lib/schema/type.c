#include "schema/type.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "schema/type_number.h"
#include "schema/type_text.h"
#include "schema/type_time.h"

#define BIT(type) ((type_set)(1u << (type)))

typedef const char *check_fn(const char *bytes, size_t length);
typedef void write_fn(struct buf *out, const char *bytes, size_t length);

static const char *
check_bigint(const char *bytes, size_t length)
{
	struct number n;
	const char *reason = type_number_scan(bytes, length, &n);

	if (reason != NULL)
		return reason;
	if (n.fraction > 0)
		return "has a fraction, not a bigint";
	return type_number_is_bigint(&n, bytes) ? NULL : "out of range for bigint";
}

static const char *
check_numeric(const char *bytes, size_t length)
{
	struct number n;

	return type_number_scan(bytes, length, &n);
}

/* true or false in any case: 0x20 makes a capital small, and nothing else becomes one of these letters. */
static bool
is_boolean(const char *bytes, size_t length)
{
	uint32_t word;

	if (length < 4 || length > 5)
		return false;
	memcpy(&word, bytes, sizeof word);
	word |= 0x20202020;
	return length == 4 ? memcmp(&word, "true", 4) == 0 : memcmp(&word, "fals", 4) == 0 && (bytes[4] | 0x20) == 'e';
}

static const char *
check_boolean(const char *bytes, size_t length)
{
	return is_boolean(bytes, length) ? NULL : "neither true nor false";
}

static const char *
check_date(const char *bytes, size_t length)
{
	struct moment m;
	const char *reason = type_time_scan(bytes, length, &m);

	if (reason != NULL)
		return reason;
	return m.type == TYPE_DATE ? NULL : "has a time of day, not a date";
}

static const char *
check_timestamp(const char *bytes, size_t length)
{
	struct moment m;
	const char *reason = type_time_scan(bytes, length, &m);

	if (reason != NULL)
		return reason;
	if (m.type == TYPE_TIMESTAMP)
		return NULL;
	return m.type == TYPE_DATE ? "no time of day" : "has an offset from UTC, not a timestamp";
}

static const char *
check_timestamptz(const char *bytes, size_t length)
{
	struct moment m;
	const char *reason = type_time_scan(bytes, length, &m);

	if (reason != NULL)
		return reason;
	if (m.type == TYPE_TIMESTAMPTZ)
		return NULL;
	return m.type == TYPE_DATE ? "no time of day" : "no offset from UTC";
}

/* NUL and broken UTF-8 are flaws of the record, found before types are asked. */
static const char *
check_text(const char *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	return NULL;
}

static void
sort_key_boolean(struct buf *out, const char *bytes, size_t length)
{
	(void)length;
	buf_byte(out, (char)((bytes[0] | 0x20) == 't'));
}

/* Text holds no NUL, so one ends it, and a prefix sorts first. */
static void
sort_key_text(struct buf *out, const char *bytes, size_t length)
{
	buf_append(out, bytes, length);
	buf_byte(out, '\0');
}

/* COPY prints booleans as t and f, a cast to text as true and false. */
static void
write_boolean(struct buf *out, const char *bytes, size_t length)
{
	(void)length;
	buf_string(out, (bytes[0] | 0x20) == 't' ? "true" : "false");
}

/* Numbers, booleans and times hold nothing that COPY would escape. */
static void
write_as_is(struct buf *out, const char *bytes, size_t length)
{
	buf_append(out, bytes, length);
}

static const struct {
	const char *sql;
	const char *synonyms; /* each between blanks */
	const char *json;
	const char *openapi;
	const char *search;
	const char *canonical_sql; /* %s is the column */
	bool numeric;
	check_fn *check;
	write_fn *copy;
	write_fn *sort_key;
	write_fn *canonical;
	write_fn *to_json;
} types[TYPE_COUNT] = {
    [TYPE_BIGINT] = {"bigint", " int8 integer int int4 smallint int2 ", "integer",
	"{\"type\":[\"integer\",\"string\"],\"description\":\"bigint; text beyond 2^53\"}", "long", "%s::text", true,
	check_bigint, write_as_is, type_number_bigint_sort_key, write_as_is, type_number_bigint_json},
    [TYPE_NUMERIC] = {"numeric", " decimal number ", "number",
	"{\"type\":[\"number\",\"string\"],\"description\":\"numeric; text where a double would round\"}", "double",
	"trim_scale(%s)::text", true, check_numeric, write_as_is, type_number_sort_key, type_number_canonical,
	type_number_json},
    [TYPE_BOOLEAN] = {"boolean", " bool ", "boolean", "{\"type\":\"boolean\"}", "boolean", "%s::text", false,
	check_boolean, write_as_is, sort_key_boolean, write_boolean, write_boolean},
    [TYPE_DATE] = {"date", " ", "string", "{\"type\":\"string\",\"description\":\"date, as 2024-02-29\"}", "date",
	"%s::text", false, check_date, write_as_is, type_time_sort_key, write_as_is, type_text_json},
    [TYPE_TIMESTAMP] = {"timestamp without time zone", " timestamp datetime ", "string",
	"{\"type\":\"string\",\"description\":\"timestamp, as 2024-02-29 12:30:00\"}", "date", "%s::text", false,
	check_timestamp, write_as_is, type_time_sort_key, type_time_canonical, type_text_json},
    [TYPE_TIMESTAMPTZ] = {"timestamp with time zone", " timestamptz ", "string",
	"{\"type\":\"string\",\"description\":\"timestamp with its offset, as 2024-02-29 12:30:00+00\"}", "date",
	"%s::text", false, check_timestamptz, write_as_is, type_time_sort_key, type_time_canonical, type_text_json},
    [TYPE_TEXT] = {"text", " string varchar ", "string", "{\"type\":\"string\"}", "text", "%s", false, check_text,
	type_text_copy, sort_key_text, write_as_is, type_text_json},
};

const char *
type_sql(enum type_id type)
{
	return types[type].sql;
}

const char *
type_json(enum type_id type)
{
	return types[type].json;
}

const char *
type_openapi(enum type_id type)
{
	return types[type].openapi;
}

const char *
type_search(enum type_id type)
{
	return types[type].search;
}

bool
type_numeric(enum type_id type)
{
	return types[type].numeric;
}

bool
type_parse(const char *name, enum type_id *out)
{
	size_t length = strlen(name);

	for (int type = 0; type < TYPE_COUNT; type++) {
		const char *at = types[type].synonyms;
		bool found = strcasecmp(name, types[type].sql) == 0;

		while (!found && *++at != '\0') {
			size_t synonym = strcspn(at, " ");

			found = synonym == length && strncasecmp(at, name, length) == 0;
			at += synonym;
		}
		if (found) {
			*out = (enum type_id)type;
			return true;
		}
	}
	return false;
}

/* All types that can hold the value. The fifth byte of a date tells it from a number before either is parsed. */
static type_set
types_of(const char *bytes, size_t length)
{
	struct number n;
	struct moment m;

	if (length == 0)
		return BIT(TYPE_TEXT);
	if (length >= 10 && bytes[4] == '-')
		return type_time_scan(bytes, length, &m) == NULL ? BIT(m.type) | BIT(TYPE_TEXT) : BIT(TYPE_TEXT);
	if (bytes[0] <= '9') {
		if (type_number_scan(bytes, length, &n) != NULL)
			return BIT(TYPE_TEXT);
		return type_number_is_bigint(&n, bytes) ? BIT(TYPE_BIGINT) | BIT(TYPE_NUMERIC) | BIT(TYPE_TEXT)
							: BIT(TYPE_NUMERIC) | BIT(TYPE_TEXT);
	}
	return is_boolean(bytes, length) ? BIT(TYPE_BOOLEAN) | BIT(TYPE_TEXT) : BIT(TYPE_TEXT);
}

type_set
type_narrow(type_set candidates, const char *bytes, size_t length)
{
	if (candidates == BIT(TYPE_TEXT))
		return candidates;
	return candidates & types_of(bytes, length);
}

enum type_id
type_pick(type_set left)
{
	for (int type = 0; type < TYPE_TEXT; type++)
		if (left & BIT(type))
			return (enum type_id)type;
	return TYPE_TEXT;
}

const char *
type_check(enum type_id type, const char *bytes, size_t length)
{
	return types[type].check(bytes, length);
}

void
type_copy(enum type_id type, struct buf *out, const char *bytes, size_t length)
{
	types[type].copy(out, bytes, length);
}

void
type_sort_key(enum type_id type, struct buf *out, const char *bytes, size_t length)
{
	types[type].sort_key(out, bytes, length);
}

void
type_canonical(enum type_id type, struct buf *out, const char *bytes, size_t length)
{
	types[type].canonical(out, bytes, length);
}

void
type_canonical_sql(enum type_id type, struct buf *sql, const char *column)
{
	const char *form = types[type].canonical_sql;
	const char *place = strstr(form, "%s");

	buf_append(sql, form, (size_t)(place - form));
	buf_string(sql, column);
	buf_string(sql, place + 2);
}

void
type_to_json(enum type_id type, struct buf *out, const char *bytes, size_t length)
{
	types[type].to_json(out, bytes, length);
}
