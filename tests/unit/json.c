/* Reading JSON in place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "schema/json.h"
#include "schema/json_flaw.h"
#include "schema/json_number.h"

static char text[1000];

static struct json
read_text(const char *json)
{
	snprintf(text, sizeof text, "%s", json);
	return (struct json){.at = text};
}

START_TEST(members_come_in_order_with_every_number_as_it_is_written)
{
	struct json j =
	    read_text(" {\"a\" : 9007199254740993 , \"b\":\"x\",\"c\":null,\"d\":true,\"e\":-1.50e3,\"f\":\"\"} ");
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
	static const char *const values[] = {"9007199254740993", "x", NULL, "true", "-1.50e3", ""};
	char *name, *value;

	ck_assert(json_object(&j));
	for (size_t i = 0; i < 6; i++) {
		ck_assert(json_member(&j, &name));
		ck_assert_str_eq(name, names[i]);
		value = json_text(&j);
		ck_assert_pstr_eq(value, values[i]);
	}
	ck_assert(!json_member(&j, &name));
	ck_assert(!j.bad);
}
END_TEST

START_TEST(escapes_are_decoded)
{
	struct json j = read_text("[\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\", \"\\u00e9\\u540d\\ud840\\udc00x\"]");

	ck_assert(json_array(&j));
	ck_assert(json_element(&j));
	ck_assert_str_eq(json_text(&j), "a\"b\\c/d\b\f\n\r\t");
	ck_assert(json_element(&j));
	ck_assert_str_eq(json_text(&j), "\xc3\xa9\xe5\x90\x8d\xf0\xa0\x80\x80x");
	ck_assert(!json_element(&j));
	ck_assert(!j.bad);
}
END_TEST

START_TEST(what_nobody_asks_for_is_passed_over)
{
	struct json j =
	    read_text("{\"a\":{\"x\":[1,{\"y\":\"}]\\\"\"},[]],\"z\":{}},\"b\":[],\"c\":\"\\\\\",\"d\":1.5,\"e\":7}");
	char *name;

	ck_assert(json_object(&j));
	for (size_t i = 0; i < 4; i++) {
		ck_assert(json_member(&j, &name));
		json_skip(&j);
	}
	ck_assert(json_member(&j, &name));
	ck_assert_str_eq(name, "e");
	ck_assert_str_eq(json_text(&j), "7");
	ck_assert(!json_member(&j, &name));
	ck_assert(!j.bad);
}
END_TEST

START_TEST(empty_brackets_hold_nothing)
{
	struct json j = read_text("[{},[ ],1]");
	char *name;

	ck_assert(json_array(&j));
	ck_assert(json_element(&j));
	ck_assert(json_object(&j));
	ck_assert(!json_member(&j, &name));
	ck_assert(json_element(&j));
	ck_assert(json_array(&j));
	ck_assert(!json_element(&j));
	ck_assert(json_element(&j));
	ck_assert(!json_object(&j));
	ck_assert_str_eq(json_text(&j), "1");
	ck_assert(!json_element(&j));
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
			struct json j = read_text(broken[i]);
			bool entered = json_object(&j);
			char *name;

			for (size_t n = 0; entered && json_member(&j, &name); n++) {
				ck_assert_uint_lt(n, 10);
				if (skip)
					json_skip(&j);
				else
					(void)json_text(&j);
			}
			/* An escape that is none is no matter to who does not read it. */
			ck_assert_msg(!entered || j.bad || (skip && strchr(broken[i], '\\') != NULL), "%s", broken[i]);
		}
}
END_TEST

START_TEST(what_is_json_to_the_letter_has_no_flaw)
{
	static const char *const whole[] = {"1", " -0.5e+10 ", "\"\"", "\"\\u0000\\\"\\/\"", "[]", "{}",
	    "[1,[2],{\"a\":{}}]", "{\"a\":1,\"a\":null}", "true", "\"\xc3\xa9\"", "\t\r\n0"};
	static const struct {
		const char *text;
		size_t flaw;
	} broken[] = {{"", 0}, {"[1,]", 3}, {"{\"a\":1,}", 7}, {"01", 1}, {"1.", 2}, {"+1", 0}, {"1e", 2}, {"nul", 3},
	    {"\"a", 2}, {"\"\n\"", 1}, {"\"\\x\"", 2}, {"\"\\u12g\"", 5}, {"1 2", 2}, {"{a:1}", 1}, {"[1", 2},
	    {"\xef\xbb\xbf{}", 0}};

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		ck_assert_msg(json_flaw(whole[i], strlen(whole[i])) == SIZE_MAX, "%s", whole[i]);
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		ck_assert_msg(json_flaw(broken[i].text, strlen(broken[i].text)) == broken[i].flaw, "%s: %zu",
		    broken[i].text, json_flaw(broken[i].text, strlen(broken[i].text)));
	ck_assert_uint_eq(json_flaw("\"a\0b\"", 5), 2);
}
END_TEST

START_TEST(numbers_are_written_out_to_the_last_digit)
{
	static const struct {
		const char *json, *decimal, *whole;
	} numbers[] = {{"0", "0", "0"}, {"-0", "0", "0"}, {"-0.00", "0.00", "0"}, {"-12.50", "-12.50", "-12.5"},
	    {"1e5", "100000", "100000"}, {"1.5E3", "1500", "1500"}, {"1.50e1", "15.0", "15"},
	    {"1e-5", "0.00001", "0.00001"}, {"100e-2", "1.00", "1"}, {"0.5e1", "5", "5"}, {"0.05e1", "0.5", "0.5"},
	    {"0e99999999999999999999", "0", "0"},
	    {"123456789012345678901234567890.10", "123456789012345678901234567890.10",
		"123456789012345678901234567890.1"}};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct buf out = {0};

		ck_assert(json_number(&out, numbers[i].json, false));
		ck_assert_str_eq(out.bytes, numbers[i].decimal);
		buf_reset(&out);
		ck_assert(json_number(&out, numbers[i].json, true));
		ck_assert_str_eq(out.bytes, numbers[i].whole);
		buf_fini(&out);
	}
	struct buf none = {0};
	ck_assert(!json_number(&none, "1e99999999999999999999", false));
	ck_assert(!json_number(&none, "1e-300000", false));
	ck_assert_uint_eq(none.length, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(all, members_come_in_order_with_every_number_as_it_is_written);
	tcase_add_test(all, escapes_are_decoded);
	tcase_add_test(all, what_nobody_asks_for_is_passed_over);
	tcase_add_test(all, empty_brackets_hold_nothing);
	tcase_add_test(all, broken_json_ends);
	tcase_add_test(all, what_is_json_to_the_letter_has_no_flaw);
	tcase_add_test(all, numbers_are_written_out_to_the_last_digit);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
