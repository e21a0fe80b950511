#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/record.h"
#include "schema/shape.h"
#include "table/encode.h"
#include "table/reading.h"

/* A dataset of a bigint key, a text and a date, and the file `name,id,day` for it. */
static struct shape shape;
static struct reading reading;
static struct encoder *encoder;
static struct buf line, key;
static struct encode_fault fault;
static struct field fields[8];
static struct record record;

static void
begin(void)
{
	static const int columns[] = {1, 0, 2};

	shape = (struct shape){0};
	shape_add(&shape, "id", "id", TYPE_BIGINT, false);
	shape_add(&shape, "name", "name", TYPE_TEXT, false);
	shape_add(&shape, "day", "day", TYPE_DATE, false);
	shape.key = buf_calloc(1, sizeof *shape.key);
	shape.key_count = 1;
	reading_init(&reading);
	encoder = encode_new(&shape, columns, 3, &reading);
	buf_init(&line);
	buf_init(&key);
}

static void
end(void)
{
	encode_free(encoder);
	reading_fini(&reading);
	shape_fini(&shape);
	buf_fini(&line);
	buf_fini(&key);
}

static void
again(void)
{
	static const int columns[] = {1, 0, 2};

	encode_free(encoder);
	encoder = encode_new(&shape, columns, 3, &reading);
}

/* Encode a record of these values; one that begins with a quote sign is quoted. */
static int
encode(size_t count, const char *const *values)
{
	for (size_t i = 0; i < count; i++) {
		bool quoted = values[i][0] == '\'';

		fields[i] = (struct field){values[i] + quoted, (uint32_t)strlen(values[i] + quoted), quoted};
	}
	record =
	    (struct record){.offset = 100, .length = 20, .line = 7, .field_count = (uint32_t)count, .fields = fields};
	return encode_record(encoder, &record, 5, &line, &key, &fault);
}

#define ENCODE(...)                                                                                                    \
	encode(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

START_TEST(fields_go_to_their_columns_whatever_the_order_of_the_file)
{
	ck_assert_int_eq(ENCODE("Ann", "12", "2024-02-29"), 0);
	ck_assert_str_eq(line.bytes, "12\tAnn\t2024-02-29\t5\n");
	ck_assert_uint_eq(key.length, 8);
}
END_TEST

START_TEST(an_unquoted_empty_field_is_null_and_a_quoted_one_the_empty_string)
{
	ck_assert_int_eq(ENCODE("", "1", ""), 0);
	ck_assert_int_eq(ENCODE("'", "2", ""), 0);
	ck_assert_str_eq(line.bytes, "1\t\\N\t\\N\t5\n2\t\t\\N\t5\n");
}
END_TEST

START_TEST(copys_special_characters_are_escaped)
{
	ck_assert_int_eq(ENCODE("a\tb\\c\nd", "1", ""), 0);
	ck_assert_str_eq(line.bytes, "1\ta\\tb\\\\c\\nd\t\\N\t5\n");
}
END_TEST

START_TEST(a_value_of_the_wrong_type_names_column_and_value_and_leaves_nothing)
{
	ck_assert_int_eq(ENCODE("Ann", "007", ""), 1);
	ck_assert_str_eq(fault.code, "type");
	ck_assert_str_eq(fault.header, "id");
	ck_assert_ptr_nonnull(strstr(fault.reason, "'007'"));
	ck_assert_uint_eq(line.length, 0);
	ck_assert_uint_eq(key.length, 0);
}
END_TEST

START_TEST(a_null_in_the_key_is_a_reject)
{
	ck_assert_int_eq(ENCODE("Ann", "", ""), 1);
	ck_assert_str_eq(fault.code, "key");
	ck_assert_str_eq(fault.header, "id");
}
END_TEST

START_TEST(a_ragged_record_is_a_reject_unless_padded_or_truncated)
{
	ck_assert_int_eq(ENCODE("Ann", "1"), 1);
	ck_assert_str_eq(fault.code, "fields");
	ck_assert_int_eq(ENCODE("Ann", "1", "", "more"), 1);
	reading.pad = reading.truncate = true;
	ck_assert_int_eq(ENCODE("Ann", "1"), 0);
	ck_assert_int_eq(ENCODE("Bob", "2", "2020-01-01", "more"), 0);
	ck_assert_str_eq(line.bytes, "1\tAnn\t\\N\t5\n2\tBob\t2020-01-01\t5\n");
}
END_TEST

START_TEST(a_spelling_of_null_counts_quoted_or_not)
{
	reading_add_null(&reading, "NULL");
	again();
	ck_assert_int_eq(ENCODE("NULL", "1", "'NULL"), 0);
	ck_assert_str_eq(line.bytes, "1\t\\N\t\\N\t5\n");
}
END_TEST

START_TEST(a_spelling_of_null_in_one_column_leaves_the_others_alone)
{
	struct err e;

	ck_assert_int_eq(reading_add_pair(&reading.nulls_in, &reading.null_in_count, "null-in", "day=NA", &e), 0);
	again();
	ck_assert_int_eq(ENCODE("NA", "1", "NA"), 0);
	ck_assert_str_eq(line.bytes, "1\tNA\t\\N\t5\n");
}
END_TEST

START_TEST(flawed_bytes_are_a_reject_with_their_place)
{
	fields[0] = (struct field){"x", 1, false};
	record =
	    (struct record){.offset = 100, .field_count = 1, .fields = fields, .flaw = RECORD_NUL, .flaw_offset = 103};
	ck_assert_int_eq(encode_record(encoder, &record, 5, &line, &key, &fault), 1);
	ck_assert_str_eq(fault.code, "nul");
	ck_assert_uint_eq(fault.byte, 103);
}
END_TEST

START_TEST(what_could_not_be_decoded_is_a_reject)
{
	ck_assert_int_eq(ENCODE("a\xef\xbf\xbd", "1", ""), 0);
	reading.encoding = buf_strdup("LATIN1");
	ck_assert_int_eq(ENCODE("a\xef\xbf\xbd", "1", ""), 1);
	ck_assert_str_eq(fault.code, "encoding");
}
END_TEST

START_TEST(a_key_longer_than_an_index_entry_is_a_reject)
{
	char *name = buf_calloc(1, 3001);

	memset(name, 'k', 3000);
	shape.key[0] = 1;
	again();
	ck_assert_int_eq(ENCODE(name, "1", ""), 1);
	ck_assert_str_eq(fault.code, "key");
	name[2000] = '\0';
	ck_assert_int_eq(ENCODE(name, "1", ""), 0);
	free(name);
}
END_TEST

START_TEST(without_a_key_the_version_is_the_id_too)
{
	shape.key_count = 0;
	ck_assert_int_eq(ENCODE("Ann", "1", ""), 0);
	ck_assert_str_eq(line.bytes, "1\tAnn\t\\N\t5\t5\n");
	ck_assert_uint_eq(key.length, 0);
}
END_TEST

START_TEST(a_keys_text_is_canonical)
{
	struct buf text = {0};

	ck_assert_int_eq(ENCODE("Ann", "42", ""), 0);
	encode_key_text(encoder, &record, 0, &text);
	ck_assert_str_eq(text.bytes, "42");
	buf_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("encode");
	TCase *tests = tcase_create("encode");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, fields_go_to_their_columns_whatever_the_order_of_the_file);
	tcase_add_test(tests, an_unquoted_empty_field_is_null_and_a_quoted_one_the_empty_string);
	tcase_add_test(tests, copys_special_characters_are_escaped);
	tcase_add_test(tests, a_value_of_the_wrong_type_names_column_and_value_and_leaves_nothing);
	tcase_add_test(tests, a_null_in_the_key_is_a_reject);
	tcase_add_test(tests, a_ragged_record_is_a_reject_unless_padded_or_truncated);
	tcase_add_test(tests, a_spelling_of_null_counts_quoted_or_not);
	tcase_add_test(tests, a_spelling_of_null_in_one_column_leaves_the_others_alone);
	tcase_add_test(tests, flawed_bytes_are_a_reject_with_their_place);
	tcase_add_test(tests, what_could_not_be_decoded_is_a_reject);
	tcase_add_test(tests, a_key_longer_than_an_index_entry_is_a_reject);
	tcase_add_test(tests, without_a_key_the_version_is_the_id_too);
	tcase_add_test(tests, a_keys_text_is_canonical);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
