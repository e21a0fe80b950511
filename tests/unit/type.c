#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "schema/type.h"

#define BIT(type) ((type_set)(1u << (type)))

/* The value in memory of exactly its length, so that the sanitizer sees a byte read too many. */
static char *
exact(const char *text, size_t length)
{
	char *copy = buf_malloc(length);

	memcpy(copy, text, length);
	return copy;
}

/* Exactly these types, and text, hold the value; type_narrow and type_check agree on it. */
static void
expect_types(const char *text, type_set expected)
{
	size_t length = strlen(text);
	char *bytes = exact(text, length);
	type_set got = type_narrow(TYPE_ALL, bytes, length);

	ck_assert_msg(got == (expected | BIT(TYPE_TEXT)), "\"%.60s\": types %#x, expected %#x", text, got, expected);
	for (int type = 0; type < TYPE_COUNT; type++) {
		bool valid = type_check((enum type_id)type, bytes, length) == NULL;

		ck_assert_msg(valid == ((got & BIT(type)) != 0), "\"%.60s\" as %s", text, type_sql((enum type_id)type));
		ck_assert_uint_eq(type_narrow(BIT(type), bytes, length), got & BIT(type));
	}
	free(bytes);
}

static void
expect_reason(enum type_id type, const char *text, const char *reason)
{
	const char *got = type_check(type, text, strlen(text));

	ck_assert_msg(got != NULL && strcmp(got, reason) == 0, "\"%s\" as %s: %s", text, type_sql(type),
	    got != NULL ? got : "(valid)");
}

typedef void append_fn(enum type_id type, struct buf *out, const char *bytes, size_t length);

/* What a function appends behind what is there already. */
static void
expect_written(append_fn *fn, enum type_id type, const char *text, const char *expected)
{
	struct buf out = {0};
	size_t length = strlen(text);
	char *bytes = exact(text, length);

	buf_string(&out, "before|");
	fn(type, &out, bytes, length);
	ck_assert_str_eq(out.bytes + 7, expected);
	ck_assert_uint_eq(out.length, 7 + strlen(expected));
	free(bytes);
	buf_fini(&out);
}

static int
compare_keys(enum type_id type, const char *a, const char *b)
{
	struct buf ka = {0}, kb = {0};
	int order;

	type_sort_key(type, &ka, a, strlen(a));
	type_sort_key(type, &kb, b, strlen(b));
	order = memcmp(ka.bytes, kb.bytes, ka.length < kb.length ? ka.length : kb.length);
	/* Self-delimiting: no key is the beginning of another. */
	ck_assert(order != 0 || ka.length == kb.length);
	buf_fini(&ka);
	buf_fini(&kb);
	return order;
}

static void
expect_ascending(enum type_id type, const char *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			int order = compare_keys(type, values[i], values[j]);

			ck_assert_msg((order > 0) == (i > j) && (order < 0) == (i < j), "%s: %s and %s: %d",
			    type_sql(type), values[i], values[j], order);
		}
}

#define EXPECT_ASCENDING(type, ...)                                                                                    \
	expect_ascending(type, (const char *const[]){__VA_ARGS__},                                                     \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const type_set integers = BIT(TYPE_BIGINT) | BIT(TYPE_NUMERIC);

START_TEST(digits_are_bigint_in_range_and_numeric_beyond)
{
	expect_types("0", integers);
	expect_types("-1", integers);
	expect_types("1234567890123456789", integers);
	expect_types("9223372036854775807", integers);
	expect_types("-9223372036854775808", integers);
	expect_types("9223372036854775808", BIT(TYPE_NUMERIC));
	expect_types("-9223372036854775809", BIT(TYPE_NUMERIC));
	expect_types("10000000000000000000", BIT(TYPE_NUMERIC));
}
END_TEST

START_TEST(a_fraction_makes_a_numeric)
{
	expect_types("1.5", BIT(TYPE_NUMERIC));
	expect_types("1.10", BIT(TYPE_NUMERIC));
	expect_types("-0.0", BIT(TYPE_NUMERIC));
	expect_types("0.000", BIT(TYPE_NUMERIC));
	expect_types("1234-5678.5", 0);
	expect_types("1234567.-5", 0);
}
END_TEST

START_TEST(other_spellings_of_numbers_are_text)
{
	static const char *const texts[] = {"007", "00", "-01", "00.5", "+1", "-0", ".5", "5.", "-", "-.5", "--1", ".",
	    "1e5", "1E5", "0x1", "1,000", "1 ", " 1", "1.2.3", "NaN", "Infinity", "1_000", "١", "1a", ""};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect_types(texts[i], 0);
}
END_TEST

START_TEST(a_numeric_has_at_most_131072_digits_before_and_16383_behind_the_point)
{
	enum { WHOLE = 131072, FRACTION = 16383 };
	static char text[WHOLE + FRACTION + 4];

	memset(text, '7', WHOLE);
	expect_types(text, BIT(TYPE_NUMERIC));
	text[WHOLE] = '7';
	expect_types(text, 0);
	text[WHOLE] = '.';
	memset(text + WHOLE + 1, '7', FRACTION);
	expect_types(text, BIT(TYPE_NUMERIC));
	text[WHOLE + 1 + FRACTION] = '7';
	expect_types(text, 0);
}
END_TEST

START_TEST(only_true_and_false_are_boolean)
{
	static const char *const texts[] = {"t", "f", "yes", "no", "on", "off", "truee", "tru", "fals", "falsy",
	    "true ", "T\x12UE", "trud", "\x54\x52\x55\x25"};

	expect_types("true", BIT(TYPE_BOOLEAN));
	expect_types("FALSE", BIT(TYPE_BOOLEAN));
	expect_types("tRuE", BIT(TYPE_BOOLEAN));
	expect_types("False", BIT(TYPE_BOOLEAN));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect_types(texts[i], 0);
}
END_TEST

START_TEST(dates_are_real_days_of_the_years_1_to_9999)
{
	static const char *const dates[] = {"0001-01-01", "9999-12-31", "2024-02-29", "2000-02-29", "1999-04-30"};
	static const char *const texts[] = {"0000-01-01", "2023-02-29", "1900-02-29", "2023-04-31", "2023-00-10",
	    "2023-13-10", "2023-01-00", "2023-01-32", "2023-1-1", "23-01-01", "2023/01/01", "2023-01-1", "2023-01-011",
	    "-2023-01-01", "12023-01-01", "2023-01-01 ", "2023-01-01T", "2o23-01-01", "2023-01_01"};

	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
		expect_types(dates[i], BIT(TYPE_DATE));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect_types(texts[i], 0);
}
END_TEST

START_TEST(a_clock_behind_the_date_makes_a_timestamp)
{
	static const char *const stamps[] = {"2020-01-02 03:04", "2020-01-02T03:04:05", "2020-01-02 03:04:05.6",
	    "9999-12-31 23:59:59.999999", "0001-01-01 00:00"};
	static const char *const texts[] = {"2020-01-02 24:00:00", "2020-01-02 23:59:60", "2020-01-02 23:60",
	    "2020-01-02 03", "2020-01-02 3:04", "2020-01-02t03:04", "2020-01-02  03:04", "2020-01-02 03:04:05.",
	    "2020-01-02 03:04:05.1234567", "2020-01-02 03:04:5", "2020-01-02 03:04:05,6", "2020-01-02 03:04.5",
	    "2020-01-02 03:04 PM", "2020-01-02 0304", "2020-02-30 03:04"};

	for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++)
		expect_types(stamps[i], BIT(TYPE_TIMESTAMP));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect_types(texts[i], 0);
}
END_TEST

START_TEST(an_offset_makes_a_timestamptz)
{
	static const char *const stamps[] = {"2020-01-02T03:04:05Z", "2020-01-02 03:04+01", "2020-01-02 03:04-0130",
	    "2020-01-02 03:04:05.6+05:30", "2020-01-02 03:04-00:00", "2020-01-02 03:04+15:59",
	    "2020-01-02 03:04-15:59"};
	static const char *const texts[] = {"2020-01-02 03:04z", "2020-01-02 03:04 Z", "2020-01-02 03:04+16",
	    "2020-01-02 03:04+1", "2020-01-02 03:04+01:60", "2020-01-02 03:04+01:0", "2020-01-02 03:04+01:00:00",
	    "2020-01-02 03:04+", "2020-01-02 03:04UTC", "2020-01-02 03:04+ab", "2020-01-02 03:04ZZ", "2020-01-02Z"};

	for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++)
		expect_types(stamps[i], BIT(TYPE_TIMESTAMPTZ));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect_types(texts[i], 0);
}
END_TEST

START_TEST(an_offset_must_not_leave_the_years_1_to_9999)
{
	expect_types("0001-01-01 00:00+00", BIT(TYPE_TIMESTAMPTZ));
	expect_types("0001-01-01 00:59+01", 0);
	expect_types("0001-01-01 01:00+01", BIT(TYPE_TIMESTAMPTZ));
	expect_types("9999-12-31 23:59:59.999999Z", BIT(TYPE_TIMESTAMPTZ));
	expect_types("9999-12-31 22:59:59.999999-01", BIT(TYPE_TIMESTAMPTZ));
	expect_types("9999-12-31 23:00-01", 0);
}
END_TEST

static enum type_id
infer(const char *const *values, size_t count)
{
	type_set left = TYPE_ALL;

	for (size_t i = 0; i < count; i++)
		left = type_narrow(left, values[i], strlen(values[i]));
	return type_pick(left);
}

#define INFER(...)                                                                                                     \
	infer((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

START_TEST(a_column_has_the_narrowest_type_of_all_its_values)
{
	ck_assert_int_eq(INFER("1", "2"), TYPE_BIGINT);
	ck_assert_int_eq(INFER("1", "2.50"), TYPE_NUMERIC);
	ck_assert_int_eq(INFER("1", "99999999999999999999"), TYPE_NUMERIC);
	ck_assert_int_eq(INFER("1", "007"), TYPE_TEXT);
	ck_assert_int_eq(INFER("0", "1", "true"), TYPE_TEXT);
	ck_assert_int_eq(INFER("true", "False"), TYPE_BOOLEAN);
	ck_assert_int_eq(INFER("2020-01-01", "2021-01-01"), TYPE_DATE);
	ck_assert_int_eq(INFER("2020-01-01 10:00", "2020-01-01T11:00:00.5"), TYPE_TIMESTAMP);
	ck_assert_int_eq(INFER("2020-01-01 10:00Z", "2020-01-01T11:00:00.5+01"), TYPE_TIMESTAMPTZ);
	/* A date would print differently in a timestamp column, a timestamp without offset has no instant. */
	ck_assert_int_eq(INFER("2020-01-01", "2020-01-01 10:00"), TYPE_TEXT);
	ck_assert_int_eq(INFER("2020-01-01 10:00", "2020-01-01 10:00Z"), TYPE_TEXT);
	ck_assert_int_eq(INFER("2020-01-01", "20200101"), TYPE_TEXT);
	/* A quoted empty field is the empty string, which only text holds. */
	ck_assert_int_eq(INFER("1", ""), TYPE_TEXT);
}
END_TEST

START_TEST(an_invalid_value_has_a_reason)
{
	expect_reason(TYPE_BIGINT, "007", "leading zero");
	expect_reason(TYPE_BIGINT, "+7", "leading plus");
	expect_reason(TYPE_BIGINT, "", "empty, not a number");
	expect_reason(TYPE_BIGINT, "abc", "not a number");
	expect_reason(TYPE_BIGINT, "1.0", "has a fraction, not a bigint");
	expect_reason(TYPE_BIGINT, "9223372036854775808", "out of range for bigint");
	expect_reason(TYPE_NUMERIC, "-0", "minus zero");
	expect_reason(TYPE_NUMERIC, "5.", "no digits behind the point");
	expect_reason(TYPE_BOOLEAN, "yes", "neither true nor false");
	expect_reason(TYPE_DATE, "01.02.2020", "not a date (YYYY-MM-DD)");
	expect_reason(TYPE_DATE, "2023-02-29", "no such day");
	expect_reason(TYPE_DATE, "2023-13-01", "no such month");
	expect_reason(TYPE_DATE, "0000-01-01", "outside the years 0001 to 9999");
	expect_reason(TYPE_DATE, "2020-01-01 10:00", "has a time of day, not a date");
	expect_reason(TYPE_TIMESTAMP, "2020-01-01", "no time of day");
	expect_reason(TYPE_TIMESTAMP, "2020-01-01 10:00Z", "has an offset from UTC, not a timestamp");
	expect_reason(TYPE_TIMESTAMP, "2020-01-01 24:00", "hour over 23");
	expect_reason(TYPE_TIMESTAMP, "2020-01-01 23:59:60", "leap second");
	expect_reason(TYPE_TIMESTAMPTZ, "2020-01-01 10:00", "no offset from UTC");
	expect_reason(TYPE_TIMESTAMPTZ, "2020-01-01 10:00+17", "no such offset from UTC (at most 15:59)");
	expect_reason(TYPE_TIMESTAMPTZ, "2020-01-01 10:00:00.1234567Z", "more than 6 digits in a fraction of a second");
}
END_TEST

START_TEST(copy_escapes_backslash_tab_and_line_ends)
{
	expect_written(type_copy, TYPE_TEXT, "", "");
	expect_written(type_copy, TYPE_TEXT, "plain", "plain");
	expect_written(type_copy, TYPE_TEXT, "\\N", "\\\\N");
	expect_written(type_copy, TYPE_TEXT, "a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e");
	expect_written(type_copy, TYPE_TEXT, "\b\f\v\x01\x7f", "\b\f\v\x01\x7f");
	expect_written(type_copy, TYPE_TEXT, "Zürich, \"quoted\"", "Zürich, \"quoted\"");
	expect_written(type_copy, TYPE_NUMERIC, "1.10", "1.10");
	expect_written(type_copy, TYPE_TIMESTAMPTZ, "2020-01-02T03:04Z", "2020-01-02T03:04Z");
}
END_TEST

/* Every length up to three steps of the fast path, with the special byte at every place. */
START_TEST(an_escape_is_found_at_every_place_of_every_length)
{
	static const char specials[] = "\\\t\n\r";
	char text[52], expected[60];

	for (size_t length = 1; length <= 50; length++)
		for (size_t at = 0; at < length; at++)
			for (const char *special = specials; *special != '\0'; special++) {
				for (size_t i = 0; i < length; i++)
					text[i] = (char)(0x20 + (i * 7 + length) % 60);
				text[length] = '\0';
				text[at] = *special;
				memcpy(expected, text, at);
				expected[at] = '\\';
				expected[at + 1] = "\\tnr"[special - specials];
				strcpy(expected + at + 2, text + at + 1);
				expect_written(type_copy, TYPE_TEXT, text, expected);
			}
}
END_TEST

START_TEST(long_text_is_copied_whole)
{
	enum { LENGTH = 100000 };
	char *text = buf_malloc(LENGTH + 1);
	struct buf expected = {0};

	for (size_t i = 0; i < LENGTH; i++) {
		text[i] = "abcdefgh\n\xC3\xA4 \\xyz0123456789"[i % 25];
		if (text[i] == '\n')
			buf_string(&expected, "\\n");
		else if (text[i] == '\\')
			buf_string(&expected, "\\\\");
		else
			buf_byte(&expected, text[i]);
	}
	text[LENGTH] = '\0';
	expect_written(type_copy, TYPE_TEXT, text, expected.bytes);
	buf_fini(&expected);
	free(text);
}
END_TEST

START_TEST(sort_keys_order_as_the_type_does)
{
	EXPECT_ASCENDING(TYPE_BIGINT, "-9223372036854775808", "-1000", "-999", "-1", "0", "1", "9", "10", "255", "256",
	    "9223372036854775807");
	EXPECT_ASCENDING(TYPE_NUMERIC, "-100000000000000000000", "-10.5", "-10", "-9.99", "-1.5", "-1.45", "-1", "-0.1",
	    "-0.01", "-0.00999", "0", "0.001", "0.0011", "0.01", "0.1", "0.5", "0.55", "1", "1.05", "1.5", "9", "10",
	    "10.001", "99", "100", "12345678901234567890.5");
	EXPECT_ASCENDING(TYPE_BOOLEAN, "false", "TRUE");
	EXPECT_ASCENDING(TYPE_DATE, "0001-01-01", "1899-12-31", "1900-03-01", "2020-02-28", "2020-02-29", "9999-12-31");
	EXPECT_ASCENDING(TYPE_TIMESTAMP, "0001-01-01 00:00", "2020-01-01 00:00:00.000001", "2020-01-01 00:00:01",
	    "9999-12-31 23:59:59.999999");
	EXPECT_ASCENDING(TYPE_TIMESTAMPTZ, "2020-01-01 10:00+02", "2020-01-01 09:00+00", "2020-01-01 09:00-01");
	EXPECT_ASCENDING(TYPE_TEXT, "", "\x01", " ", "A", "AA", "a", "a\x01", "a ", "aa", "b", "\x7f", "é", "名");
}
END_TEST

START_TEST(equal_values_have_equal_sort_keys)
{
	ck_assert_int_eq(compare_keys(TYPE_NUMERIC, "1.0", "1.00"), 0);
	ck_assert_int_eq(compare_keys(TYPE_NUMERIC, "1", "1.000"), 0);
	ck_assert_int_eq(compare_keys(TYPE_NUMERIC, "-10", "-10.0"), 0);
	ck_assert_int_eq(compare_keys(TYPE_NUMERIC, "0", "-0.000"), 0);
	ck_assert_int_eq(compare_keys(TYPE_NUMERIC, "0.0100", "0.01"), 0);
	ck_assert_int_eq(compare_keys(TYPE_BOOLEAN, "true", "TRUE"), 0);
	ck_assert_int_eq(compare_keys(TYPE_TIMESTAMP, "2020-01-01 10:00", "2020-01-01T10:00:00.0"), 0);
	ck_assert_int_eq(compare_keys(TYPE_TIMESTAMPTZ, "2020-01-01 10:00Z", "2020-01-01 15:30+0530"), 0);
	ck_assert_int_ne(compare_keys(TYPE_TEXT, "1.0", "1.00"), 0);
}
END_TEST

START_TEST(canonical_text_is_the_servers)
{
	expect_written(type_canonical, TYPE_BIGINT, "-42", "-42");
	expect_written(type_canonical, TYPE_NUMERIC, "1.100", "1.1");
	expect_written(type_canonical, TYPE_NUMERIC, "100.00", "100");
	expect_written(type_canonical, TYPE_NUMERIC, "100", "100");
	expect_written(type_canonical, TYPE_NUMERIC, "-0.0", "0");
	expect_written(type_canonical, TYPE_NUMERIC, "-0.50", "-0.5");
	expect_written(type_canonical, TYPE_BOOLEAN, "TRUE", "true");
	expect_written(type_canonical, TYPE_BOOLEAN, "False", "false");
	expect_written(type_canonical, TYPE_DATE, "2020-02-29", "2020-02-29");
	expect_written(type_canonical, TYPE_TIMESTAMP, "2020-01-02T03:04", "2020-01-02 03:04:00");
	expect_written(type_canonical, TYPE_TIMESTAMP, "2020-01-02 03:04:05.600", "2020-01-02 03:04:05.6");
	expect_written(type_canonical, TYPE_TIMESTAMPTZ, "2020-01-01T00:30:00+01:00", "2019-12-31 23:30:00+00");
	expect_written(type_canonical, TYPE_TIMESTAMPTZ, "0001-01-01 00:00Z", "0001-01-01 00:00:00+00");
	expect_written(type_canonical, TYPE_TEXT, " a\n", " a\n");
}
END_TEST

START_TEST(canonical_dates_survive_every_day_of_1000_years)
{
	static const int length[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	for (int year = 1600; year < 2600; year++)
		for (int month = 1; month <= 12; month++) {
			bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

			for (int day = 1; day <= length[month] + (month == 2 && leap); day++) {
				char text[40], expected[40];

				snprintf(text, sizeof text, "%04d-%02d-%02d 12:30", year, month, day);
				snprintf(expected, sizeof expected, "%04d-%02d-%02d 12:30:00", year, month, day);
				expect_written(type_canonical, TYPE_TIMESTAMP, text, expected);
			}
		}
}
END_TEST

START_TEST(json_numbers_are_those_a_double_keeps)
{
	expect_written(type_to_json, TYPE_BIGINT, "42", "42");
	expect_written(type_to_json, TYPE_BIGINT, "9007199254740992", "9007199254740992");
	expect_written(type_to_json, TYPE_BIGINT, "9007199254740993", "\"9007199254740993\"");
	expect_written(type_to_json, TYPE_BIGINT, "-9007199254740992", "-9007199254740992");
	expect_written(type_to_json, TYPE_BIGINT, "-9007199254740993", "\"-9007199254740993\"");
	expect_written(type_to_json, TYPE_BIGINT, "-9223372036854775808", "\"-9223372036854775808\"");
	expect_written(type_to_json, TYPE_NUMERIC, "1.10", "1.10");
	expect_written(type_to_json, TYPE_NUMERIC, "0", "0");
	expect_written(type_to_json, TYPE_NUMERIC, "0.00", "0.00");
	expect_written(type_to_json, TYPE_NUMERIC, "-55.78219985961914", "-55.78219985961914");
	expect_written(type_to_json, TYPE_NUMERIC, "43.930599212646484", "43.930599212646484");
	expect_written(type_to_json, TYPE_NUMERIC, "0.10000000000000000", "0.10000000000000000");
	expect_written(type_to_json, TYPE_NUMERIC, "0.10000000000000001", "\"0.10000000000000001\"");
	expect_written(type_to_json, TYPE_NUMERIC, "0.1234567890123456789", "\"0.1234567890123456789\"");
	expect_written(type_to_json, TYPE_NUMERIC, "12345678901234567890", "\"12345678901234567890\"");
	expect_written(type_to_json, TYPE_NUMERIC, "NaN", "\"NaN\"");
	expect_written(type_to_json, TYPE_NUMERIC, "-Infinity", "\"-Infinity\"");
}
END_TEST

START_TEST(json_booleans_are_read_from_both_of_the_servers_spellings)
{
	expect_written(type_to_json, TYPE_BOOLEAN, "t", "true");
	expect_written(type_to_json, TYPE_BOOLEAN, "false", "false");
}
END_TEST

START_TEST(json_strings_are_escaped)
{
	expect_written(type_to_json, TYPE_TEXT, "", "\"\"");
	expect_written(type_to_json, TYPE_TEXT, "say \"hi\" \\ there", "\"say \\\"hi\\\" \\\\ there\"");
	expect_written(type_to_json, TYPE_TEXT, "a\tb\nc\rd\be\ff", "\"a\\tb\\nc\\rd\\be\\ff\"");
	expect_written(type_to_json, TYPE_TEXT, "\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
	expect_written(type_to_json, TYPE_TEXT, "Zürich 名 🚀", "\"Zürich 名 🚀\"");
	expect_written(type_to_json, TYPE_DATE, "2020-01-02", "\"2020-01-02\"");
}
END_TEST

START_TEST(json_strings_read_back_as_they_were)
{
	char text[300];
	struct buf out = {0};

	for (int i = 0; i < 254; i++)
		text[i] = (char)(i % 127 + 1);
	for (size_t length = 0; length < 254; length++) {
		cJSON *read;

		buf_reset(&out);
		type_to_json(TYPE_TEXT, &out, text, length);
		read = cJSON_Parse(out.bytes);
		ck_assert_ptr_nonnull(read);
		ck_assert_uint_eq(strlen(read->valuestring), length);
		ck_assert_mem_eq(read->valuestring, text, length);
		cJSON_Delete(read);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(types_are_known_by_their_names_and_synonyms)
{
	enum type_id type;

	for (int i = 0; i < TYPE_COUNT; i++) {
		ck_assert(type_parse(type_sql((enum type_id)i), &type));
		ck_assert_int_eq((int)type, i);
	}
	ck_assert(type_parse("INT8", &type) && type == TYPE_BIGINT);
	ck_assert(type_parse("int", &type) && type == TYPE_BIGINT);
	ck_assert(type_parse("bool", &type) && type == TYPE_BOOLEAN);
	ck_assert(type_parse("timestamp", &type) && type == TYPE_TIMESTAMP);
	ck_assert(type_parse("timestamptz", &type) && type == TYPE_TIMESTAMPTZ);
	ck_assert(type_parse("string", &type) && type == TYPE_TEXT);
	ck_assert(!type_parse("", &type) && !type_parse("in", &type) && !type_parse("int8 integer", &type));
	ck_assert(!type_parse("jsonb", &type) && !type_parse(" ", &type) && !type_parse("inte", &type));
}
END_TEST

START_TEST(canonical_sql_wraps_the_column)
{
	struct buf sql = {0};

	type_canonical_sql(TYPE_NUMERIC, &sql, "t.\"a %s\"");
	ck_assert_str_eq(sql.bytes, "trim_scale(t.\"a %s\")::text");
	buf_reset(&sql);
	type_canonical_sql(TYPE_TEXT, &sql, "\"a\"");
	ck_assert_str_eq(sql.bytes, "\"a\"");
	buf_fini(&sql);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("type");
	TCase *t = tcase_create("type");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, digits_are_bigint_in_range_and_numeric_beyond);
	tcase_add_test(t, a_fraction_makes_a_numeric);
	tcase_add_test(t, other_spellings_of_numbers_are_text);
	tcase_add_test(t, a_numeric_has_at_most_131072_digits_before_and_16383_behind_the_point);
	tcase_add_test(t, only_true_and_false_are_boolean);
	tcase_add_test(t, dates_are_real_days_of_the_years_1_to_9999);
	tcase_add_test(t, a_clock_behind_the_date_makes_a_timestamp);
	tcase_add_test(t, an_offset_makes_a_timestamptz);
	tcase_add_test(t, an_offset_must_not_leave_the_years_1_to_9999);
	tcase_add_test(t, a_column_has_the_narrowest_type_of_all_its_values);
	tcase_add_test(t, an_invalid_value_has_a_reason);
	tcase_add_test(t, copy_escapes_backslash_tab_and_line_ends);
	tcase_add_test(t, an_escape_is_found_at_every_place_of_every_length);
	tcase_add_test(t, long_text_is_copied_whole);
	tcase_add_test(t, sort_keys_order_as_the_type_does);
	tcase_add_test(t, equal_values_have_equal_sort_keys);
	tcase_add_test(t, canonical_text_is_the_servers);
	tcase_add_test(t, canonical_dates_survive_every_day_of_1000_years);
	tcase_add_test(t, json_numbers_are_those_a_double_keeps);
	tcase_add_test(t, json_booleans_are_read_from_both_of_the_servers_spellings);
	tcase_add_test(t, json_strings_are_escaped);
	tcase_add_test(t, json_strings_read_back_as_they_were);
	tcase_add_test(t, types_are_known_by_their_names_and_synonyms);
	tcase_add_test(t, canonical_sql_wraps_the_column);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
