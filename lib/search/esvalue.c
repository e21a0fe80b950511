#include "search/esvalue.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "csv/utf8.h"
#include "io/digest.h"

#define DAY INT64_C(86400000000) /* in microseconds */

enum {
	KEY_BYTES = 8,       /* of a bigint's or a time's sort key */
	EPOCH = 730119,      /* days from 0001-01-01 to 2000-01-01 */
	CYCLE_YEARS = 400,   /* the Gregorian calendar repeats */
	CYCLE_DAYS = 146097, /* after so many days */
	SHIFTED_YEAR = 4000  /* of the cycles that every year is moved to */
};

enum esvalue_group
esvalue_group(enum type_id type)
{
	switch (type) {
	case TYPE_TEXT:
		return ESVALUE_TEXT;
	case TYPE_BOOLEAN:
	case TYPE_NUMERIC:
		return ESVALUE_KEYWORD;
	default:
		return ESVALUE_LONG;
	}
}

const char *
esvalue_prefix(enum type_id type)
{
	static const char *const prefixes[] = {[ESVALUE_TEXT] = "s", [ESVALUE_KEYWORD] = "k", [ESVALUE_LONG] = "i"};

	return prefixes[esvalue_group(type)];
}

bool
esvalue_plain(enum type_id type)
{
	return type == TYPE_TEXT || type == TYPE_BOOLEAN || type == TYPE_BIGINT;
}

/*
 * The digest is of characters that are neither letters nor digits: no word is
 * found by it. Only a value that is longer than the part kept gets one, so it
 * sorts behind that part alone, as the value does.
 */
static void
write_fitted(struct buf *out, const char *bytes, size_t length)
{
	size_t kept = ESVALUE_BYTES;
	unsigned char digest[DIGEST_BYTES];
	char hex[DIGEST_HEX];

	if (length <= ESVALUE_BYTES) {
		buf_append(out, bytes, length);
		return;
	}
	while (((unsigned char)bytes[kept] & 0xC0) == 0x80)
		kept--;
	buf_append(out, bytes, kept);
	digest_sha256(bytes, length, digest);
	digest_hex(digest, hex);
	for (size_t i = 0; i < ESVALUE_DIGEST; i++)
		buf_byte(out, (char)(' ' + (isdigit((unsigned char)hex[i]) ? hex[i] - '0' : hex[i] - 'a' + 10)));
}

/* The bytes of a sort key as a number. */
static uint64_t
key_number(enum type_id type, const char *value, size_t length)
{
	struct buf key = {0};
	uint64_t number = 0;

	type_sort_key(type, &key, value, length);
	for (size_t i = 0; i < key.length && i < KEY_BYTES; i++)
		number = number << 8 | (unsigned char)key.bytes[i];
	buf_fini(&key);
	return number;
}

static bool
write_bigint(struct buf *out, const char *value)
{
	int64_t number;

	if (!num_int64(value, &number))
		return false;
	buf_string(out, value);
	return true;
}

/*
 * A person in psql may write what no file holds: years before 1 or after 9999.
 * They are moved by whole cycles to years that the type knows, and back.
 */
static bool
write_far_time(struct buf *out, enum type_id type, const char *value)
{
	size_t length = strlen(value), digits = strspn(value, "0123456789");
	bool before = length > 3 && strcmp(value + length - 3, " BC") == 0;
	struct buf moved = {0};
	int64_t year, cycles;
	bool valid;
	char *text = buf_strndup(value, digits);

	valid = digits >= 4 && num_int64(text + strspn(text, "0"), &year);
	free(text);
	if (!valid)
		return false;
	if (before) {
		year = 1 - year;
		length -= 3;
	}
	cycles = year / CYCLE_YEARS - (year % CYCLE_YEARS < 0);
	buf_printf(&moved, "%04" PRId64, year - cycles * CYCLE_YEARS + SHIFTED_YEAR);
	buf_append(&moved, value + digits, length - digits);
	valid = type_check(type, moved.bytes, moved.length) == NULL;
	if (valid) {
		int64_t days = (cycles - SHIFTED_YEAR / CYCLE_YEARS) * CYCLE_DAYS - EPOCH;
		int64_t number = (int64_t)key_number(type, moved.bytes, moved.length);

		buf_printf(out, "%" PRId64, number + (type == TYPE_DATE ? days : days * DAY));
	}
	buf_fini(&moved);
	return valid;
}

static bool
write_time(struct buf *out, enum type_id type, const char *value)
{
	size_t length = strlen(value);

	if (strcmp(value, "infinity") == 0 || strcmp(value, "-infinity") == 0) {
		buf_printf(out, "%" PRId64, *value == '-' ? INT64_MIN : INT64_MAX);
		return true;
	}
	if (type_check(type, value, length) != NULL)
		return write_far_time(out, type, value);
	buf_printf(
	    out, "%" PRId64, (int64_t)key_number(type, value, length) - (type == TYPE_DATE ? EPOCH : EPOCH * DAY));
	return true;
}

/* A sort key begins with a byte from 0 to 2; what is no number comes before or behind all. */
static bool
write_numeric(struct buf *out, const char *value)
{
	static const struct {
		const char *value, *form;
	} others[] = {{"-Infinity", "-"}, {"Infinity", "03"}, {"NaN", "04"}};
	static const char digits[] = "0123456789abcdef";
	struct buf key = {0}, hex = {0};
	size_t length = strlen(value);

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(value, others[i].value) == 0) {
			buf_string(out, others[i].form);
			return true;
		}
	if (type_check(TYPE_NUMERIC, value, length) != NULL)
		return false;
	type_sort_key(TYPE_NUMERIC, &key, value, length);
	for (size_t i = 0; i < key.length; i++) {
		buf_byte(&hex, digits[(unsigned char)key.bytes[i] >> 4]);
		buf_byte(&hex, digits[(unsigned char)key.bytes[i] & 15]);
	}
	write_fitted(out, hex.bytes, hex.length);
	buf_fini(&hex);
	buf_fini(&key);
	return true;
}

bool
esvalue_write(enum type_id type, struct buf *out, const char *value)
{
	switch (type) {
	case TYPE_TEXT:
		write_fitted(out, value, strlen(value));
		return true;
	case TYPE_BOOLEAN:
		buf_byte(out, (value[0] | 0x20) == 't' ? 't' : 'f');
		return true;
	case TYPE_NUMERIC:
		return write_numeric(out, value);
	case TYPE_BIGINT:
		return write_bigint(out, value);
	default:
		return write_time(out, type, value);
	}
}

bool
esvalue_check(enum type_id type, const char *text)
{
	size_t length = strlen(text);
	int64_t number;

	if (esvalue_group(type) == ESVALUE_LONG)
		return num_int64(text, &number);
	return utf8_flaw(text, length) == length;
}

void
esvalue_json(enum type_id type, struct buf *out, const char *text)
{
	if (esvalue_group(type) == ESVALUE_LONG)
		buf_string(out, text);
	else
		type_to_json(TYPE_TEXT, out, text, strlen(text));
}

bool
esvalue_extreme(const char *text)
{
	int64_t number;

	return strlen(text) >= 19 && num_int64(text, &number) && (number == INT64_MAX || number == INT64_MIN);
}
