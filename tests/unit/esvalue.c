/* Values as an index holds them: in PostgreSQL's order. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "search/esvalue.h"
#include "search/eswords.h"

static char *
form(enum type_id type, const char *value)
{
	struct buf out = {0};

	buf_string(&out, "");
	ck_assert_msg(esvalue_write(type, &out, value), "%s", value);
	ck_assert_msg(esvalue_check(type, out.bytes), "%s", out.bytes);
	return buf_detach(&out);
}

/* The values are in ascending order, and so are their forms. */
static void
rise(enum type_id type, const char *const *values)
{
	for (size_t i = 0; values[i + 1] != NULL; i++) {
		char *a = form(type, values[i]), *b = form(type, values[i + 1]);

		if (esvalue_group(type) == ESVALUE_LONG)
			ck_assert_msg(strtoll(a, NULL, 10) < strtoll(b, NULL, 10), "%s %s: %s %s", values[i],
			    values[i + 1], a, b);
		else
			ck_assert_msg(strcmp(a, b) < 0, "%s %s: %s %s", values[i], values[i + 1], a, b);
		free(a);
		free(b);
	}
}

START_TEST(forms_are_in_the_order_of_the_values)
{
	rise(TYPE_BIGINT, (const char *const[]){"-9223372036854775808", "-1", "0", "9007199254740992",
			      "9007199254740993", "9223372036854775807", NULL});
	rise(TYPE_NUMERIC,
	    (const char *const[]){"-Infinity", "-123456789012345678901234567890.5", "-2", "-1.51", "-1.5", "-0.001",
		"0.00", "0.0000000000000000000001", "0.30", "1", "1.5", "123456789012345678901234567890.5",
		"123456789012345678901234567890.51", "Infinity", "NaN", NULL});
	rise(TYPE_BOOLEAN, (const char *const[]){"f", "t", NULL});
	rise(TYPE_DATE, (const char *const[]){"-infinity", "4713-01-01 BC", "0044-03-15 BC", "0001-12-31 BC",
			    "0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "2024-03-01", "9999-12-31",
			    "10000-01-01", "294276-12-31", "5874897-12-31", "infinity", NULL});
	rise(TYPE_TIMESTAMP, (const char *const[]){"-infinity", "4713-01-01 00:00:00 BC",
				 "0001-12-31 23:59:59.999999 BC", "0001-01-01 00:00:00", "2024-02-29 23:30:00.123456",
				 "2024-02-29 23:30:00.123457", "294276-12-31 23:59:59.999999", "infinity", NULL});
	rise(TYPE_TIMESTAMPTZ, (const char *const[]){"-infinity", "0044-03-15 12:00:00+00 BC", "2024-03-01 00:30+01",
				   "2024-02-29 23:30:00.123456+00", "10000-01-01 00:00:00+00", "infinity", NULL});
	rise(TYPE_TEXT, (const char *const[]){"", "A", "Z", "a", "a\x01", "aa", "\xc3\x84", "\xf0\xa0\x80\x80", NULL});
}
END_TEST

START_TEST(equal_values_have_one_form)
{
	static const struct {
		enum type_id type;
		const char *a, *b, *form;
	} equal[] = {
	    {TYPE_NUMERIC, "1.5", "1.500", NULL},
	    {TYPE_BOOLEAN, "TRUE", "t", "t"},
	    {TYPE_DATE, "2000-01-02", "2000-01-02", "1"},
	    {TYPE_TIMESTAMPTZ, "2000-01-01 00:00:00.000001+00", "2000-01-01T01:00:00.000001+01:00", "1"},
	    {TYPE_TIMESTAMP, "2000-01-01 00:01", "2000-01-01 00:01:00", "60000000"},
	};

	for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
		char *a = form(equal[i].type, equal[i].a), *b = form(equal[i].type, equal[i].b);

		ck_assert_str_eq(a, b);
		if (equal[i].form != NULL)
			ck_assert_str_eq(a, equal[i].form);
		free(a);
		free(b);
	}
}
END_TEST

START_TEST(a_long_text_keeps_its_place_and_its_own_form)
{
	size_t length = ESVALUE_BYTES + 10;
	char *same = buf_malloc(length + 1), *other, *shortest, *a, *b, *c;

	memset(same, 'x', length);
	memcpy(same + ESVALUE_BYTES - 1, "\xe5\x90\x8d", 3); /* the cut is in the middle of a character */
	same[length] = '\0';
	other = buf_strdup(same);
	other[length - 1] = 'y';
	shortest = buf_strndup(same, ESVALUE_BYTES - 1);
	a = form(TYPE_TEXT, same);
	b = form(TYPE_TEXT, other);
	c = form(TYPE_TEXT, shortest);
	ck_assert_uint_le(strlen(a), 32766);
	ck_assert_str_ne(a, b);
	ck_assert(strcmp(c, a) < 0 && strcmp(a, "y") < 0);
	ck_assert_uint_eq(eswords_count(a), 1);
	free(a);
	free(b);
	free(c);
	free(shortest);
	free(other);
	free(same);
}
END_TEST

START_TEST(what_is_none_of_the_type_has_no_form)
{
	static const struct {
		enum type_id type;
		const char *value;
	} wrong[] = {{TYPE_BIGINT, "1.5"}, {TYPE_BIGINT, ""}, {TYPE_NUMERIC, "1e5"}, {TYPE_NUMERIC, "infinity"},
	    {TYPE_DATE, "x"}, {TYPE_DATE, "10000-13-01"}, {TYPE_DATE, "BC"}, {TYPE_TIMESTAMP, "12345"},
	    {TYPE_TIMESTAMPTZ, "0000000000000000000000-01-01 BC"}};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(!esvalue_write(wrong[i].type, &out, wrong[i].value), "%s", wrong[i].value);
	buf_fini(&out);
}
END_TEST

START_TEST(words_are_runs_of_letters_and_digits)
{
	static const struct {
		const char *text;
		size_t words;
	} cases[] = {{"", 0}, {"a", 1}, {" foo-bar_baz ", 3}, {"3.14", 2}, {"\xc3\x84pfel\xc2\xa0na\xc3\xafve", 2},
	    {"\xe5\x90\x8d\xe5\x89\x8d", 1}, {"!?", 0}, {"e\xcc\x81t", 2}, {"x\xc2\xb2", 1}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(eswords_count(cases[i].text) == cases[i].words, "%s", cases[i].text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("esvalue");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(all, forms_are_in_the_order_of_the_values);
	tcase_add_test(all, equal_values_have_one_form);
	tcase_add_test(all, a_long_text_keeps_its_place_and_its_own_form);
	tcase_add_test(all, what_is_none_of_the_type_has_no_form);
	tcase_add_test(all, words_are_runs_of_letters_and_digits);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
