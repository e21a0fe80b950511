#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "table/reading.h"

static struct err e;

START_TEST(what_is_written_is_read_back)
{
	struct reading r, back;
	struct buf json = {0}, again = {0};

	reading_init(&r);
	r.dialect.delimiter = '\t';
	r.dialect.quote = '\0';
	r.dialect.escape = '\\';
	r.dialect.header = false;
	r.dialect.skip_lines = 3;
	r.dialect.max_record = 1000;
	r.encoding = buf_strdup("UTF-16");
	r.pad = r.missing_null = true;
	reading_add_null(&r, "N/A \"quoted\"");
	ck_assert_int_eq(reading_add_pair(&r.types, &r.type_count, "type", "a=text", &e), 0);
	ck_assert_int_eq(reading_add_pair(&r.nulls_in, &r.null_in_count, "null-in", "b==", &e), 0);
	reading_to_json(&r, &json);
	ck_assert_int_eq(reading_from_json(&back, json.bytes, &e), 0);
	ck_assert_int_eq(back.dialect.delimiter, '\t');
	ck_assert_int_eq(back.dialect.skip_lines, 3);
	ck_assert_str_eq(back.encoding, "UTF-16");
	ck_assert_str_eq(back.nulls[0], "N/A \"quoted\"");
	ck_assert_str_eq(back.types[0].value, "text");
	ck_assert_str_eq(back.nulls_in[0].header, "b");
	ck_assert_str_eq(back.nulls_in[0].value, "=");
	ck_assert(back.pad && back.missing_null && !back.truncate && !back.add_columns && !back.dialect.header);
	reading_to_json(&back, &again);
	ck_assert_str_eq(json.bytes, again.bytes);
	buf_fini(&json);
	buf_fini(&again);
	reading_fini(&r);
	reading_fini(&back);
}
END_TEST

START_TEST(a_byte_beyond_ascii_survives_as_delimiter)
{
	struct reading r, back;
	struct buf json = {0};

	reading_init(&r);
	r.dialect.delimiter = '\xa7';
	reading_to_json(&r, &json);
	ck_assert_int_eq(reading_from_json(&back, json.bytes, &e), 0);
	ck_assert_int_eq(back.dialect.delimiter, '\xa7');
	buf_fini(&json);
	reading_fini(&r);
	reading_fini(&back);
}
END_TEST

START_TEST(a_pair_without_equals_sign_is_a_usage_error_that_quotes_it)
{
	struct reading r;

	reading_init(&r);
	ck_assert_int_eq(reading_add_pair(&r.types, &r.type_count, "type", "founded", &e), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.message, "'founded'"));
	ck_assert_int_eq(reading_add_pair(&r.types, &r.type_count, "type", "=text", &e), -1);
	reading_fini(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reading");
	TCase *tests = tcase_create("reading");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, what_is_written_is_read_back);
	tcase_add_test(tests, a_byte_beyond_ascii_survives_as_delimiter);
	tcase_add_test(tests, a_pair_without_equals_sign_is_a_usage_error_that_quotes_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
