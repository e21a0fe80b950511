/* Reading JSON in place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "search/esjson.h"

static char text[1000];

static struct esjson
read_text(const char *json)
{
	snprintf(text, sizeof text, "%s", json);
	return (struct esjson){.at = text};
}

START_TEST(members_come_in_order_with_every_number_as_it_is_written)
{
	struct esjson j =
	    read_text(" {\"a\" : 9007199254740993 , \"b\":\"x\",\"c\":null,\"d\":true,\"e\":-1.50e3,\"f\":\"\"} ");
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
	static const char *const values[] = {"9007199254740993", "x", NULL, "true", "-1.50e3", ""};
	char *name, *value;

	ck_assert(esjson_object(&j));
	for (size_t i = 0; i < 6; i++) {
		ck_assert(esjson_member(&j, &name));
		ck_assert_str_eq(name, names[i]);
		value = esjson_text(&j);
		ck_assert_pstr_eq(value, values[i]);
	}
	ck_assert(!esjson_member(&j, &name));
	ck_assert(!j.bad);
}
END_TEST

START_TEST(escapes_are_decoded)
{
	struct esjson j = read_text("[\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\", \"\\u00e9\\u540d\\ud840\\udc00x\"]");

	ck_assert(esjson_array(&j));
	ck_assert(esjson_element(&j));
	ck_assert_str_eq(esjson_text(&j), "a\"b\\c/d\b\f\n\r\t");
	ck_assert(esjson_element(&j));
	ck_assert_str_eq(esjson_text(&j), "\xc3\xa9\xe5\x90\x8d\xf0\xa0\x80\x80x");
	ck_assert(!esjson_element(&j));
	ck_assert(!j.bad);
}
END_TEST

START_TEST(what_nobody_asks_for_is_passed_over)
{
	struct esjson j =
	    read_text("{\"a\":{\"x\":[1,{\"y\":\"}]\\\"\"},[]],\"z\":{}},\"b\":[],\"c\":\"\\\\\",\"d\":1.5,\"e\":7}");
	char *name;

	ck_assert(esjson_object(&j));
	for (size_t i = 0; i < 4; i++) {
		ck_assert(esjson_member(&j, &name));
		esjson_skip(&j);
	}
	ck_assert(esjson_member(&j, &name));
	ck_assert_str_eq(name, "e");
	ck_assert_str_eq(esjson_text(&j), "7");
	ck_assert(!esjson_member(&j, &name));
	ck_assert(!j.bad);
}
END_TEST

START_TEST(empty_brackets_hold_nothing)
{
	struct esjson j = read_text("[{},[ ],1]");
	char *name;

	ck_assert(esjson_array(&j));
	ck_assert(esjson_element(&j));
	ck_assert(esjson_object(&j));
	ck_assert(!esjson_member(&j, &name));
	ck_assert(esjson_element(&j));
	ck_assert(esjson_array(&j));
	ck_assert(!esjson_element(&j));
	ck_assert(esjson_element(&j));
	ck_assert(!esjson_object(&j));
	ck_assert_str_eq(esjson_text(&j), "1");
	ck_assert(!esjson_element(&j));
	ck_assert(!j.bad);
}
END_TEST

/* Whatever is asked of it: it ends, and says that it was bad. */
START_TEST(broken_json_ends)
{
	static const char *const broken[] = {"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "{a:1}",
	    "{\"a\":1 2}", "{\"a\":\"x", "{\"a\":\"\\", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}",
	    "{\"a\":\"\\u0000\"}", "{\"a\":[1,2", "{\"a\":{\"b\":\"", "{,}", "{\"a\":}"};

	for (int skip = 0; skip < 2; skip++)
		for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
			struct esjson j = read_text(broken[i]);
			bool entered = esjson_object(&j);
			char *name;

			for (size_t n = 0; entered && esjson_member(&j, &name); n++) {
				ck_assert_uint_lt(n, 10);
				if (skip)
					esjson_skip(&j);
				else
					(void)esjson_text(&j);
			}
			/* An escape that is none is no matter to who does not read it. */
			ck_assert_msg(!entered || j.bad || (skip && strchr(broken[i], '\\') != NULL), "%s", broken[i]);
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("esjson");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(all, members_come_in_order_with_every_number_as_it_is_written);
	tcase_add_test(all, escapes_are_decoded);
	tcase_add_test(all, what_nobody_asks_for_is_passed_over);
	tcase_add_test(all, empty_brackets_hold_nothing);
	tcase_add_test(all, broken_json_ends);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
