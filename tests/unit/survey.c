#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "flow/fit.h"
#include "flow/survey.h"
#include "schema/shape.h"
#include "table/reading.h"

/* A file in memory. */
struct text {
	const char *bytes;
	size_t length, next;
};

static struct text text;
static struct reading reading;
static struct survey survey;
static struct err e;
static int columns[8];

static ssize_t
read_text(void *ctx, void *bytes, size_t capacity, struct err *unused)
{
	struct text *t = ctx;
	size_t n = t->length - t->next < capacity ? t->length - t->next : capacity;

	(void)unused;
	memcpy(bytes, t->bytes + t->next, n);
	t->next += n;
	return (ssize_t)n;
}

static int
open_text(const char *bytes)
{
	text = (struct text){bytes, strlen(bytes), 0};
	return survey_open(&survey, &reading, read_text, &text, &e);
}

/* Survey a new dataset keyed by this column (NULL: none). */
static void
survey_new(const char *bytes, const char *key, uint64_t chunk_bytes)
{
	ck_assert_int_eq(open_text(bytes), 0);
	ck_assert_int_eq(fit_new(&survey, &key, key != NULL, &e), 0);
	ck_assert_int_eq(survey_run(&survey, chunk_bytes, NULL, NULL, NULL, &e), 0);
}

static void
begin(void)
{
	reading_init(&reading);
	survey = (struct survey){0};
}

static void
end(void)
{
	survey_fini(&survey);
	reading_fini(&reading);
}

START_TEST(types_are_inferred_over_the_whole_file)
{
	struct shape shape;

	survey_new("id,n,t,nothing\n1,1,a,\n2,2.5,007,\n", "id", 8u << 20);
	ck_assert_int_eq(fit_shape(&survey, &shape, columns, &e), 0);
	ck_assert_int_eq(shape.columns[0].type, TYPE_BIGINT);
	ck_assert_int_eq(shape.columns[1].type, TYPE_NUMERIC);
	ck_assert_int_eq(shape.columns[2].type, TYPE_TEXT);
	ck_assert(shape.columns[3].undecided && !shape.columns[0].undecided);
	ck_assert_uint_eq(shape.key_count, 1);
	ck_assert(survey.unique_keys);
	shape_fini(&shape);
}
END_TEST

START_TEST(the_users_type_wins)
{
	struct shape shape;

	ck_assert_int_eq(reading_add_pair(&reading.types, &reading.type_count, "type", "id=text", &e), 0);
	survey_new("id\n1\n", NULL, 8u << 20);
	ck_assert_int_eq(fit_shape(&survey, &shape, columns, &e), 0);
	ck_assert_int_eq(shape.columns[0].type, TYPE_TEXT);
	shape_fini(&shape);
}
END_TEST

START_TEST(a_record_that_will_be_rejected_says_nothing_about_types)
{
	survey_new("id,n\n1,5\nx\ny,6,7\n", NULL, 8u << 20);
	ck_assert_int_eq(type_pick(survey.fields[0].types), TYPE_BIGINT);
	ck_assert_uint_eq(survey.records, 3);
}
END_TEST

START_TEST(chunks_begin_and_end_on_records)
{
	survey_new("id\n1111\n\"2\n2\"\n3333\n\n4444", NULL, 7);
	ck_assert_uint_eq(survey.chunk_count, 2);
	ck_assert_uint_eq(survey.chunks[0].byte, 3);
	ck_assert_uint_eq(survey.chunks[0].length, 11);
	ck_assert_uint_eq(survey.chunks[0].records, 2);
	ck_assert_uint_eq(survey.chunks[1].byte, 14);
	ck_assert_uint_eq(survey.chunks[1].line, 5);
	ck_assert_uint_eq(survey.chunks[1].records, 2);
	ck_assert_uint_eq(survey.blank_lines, 1);
}
END_TEST

START_TEST(a_key_that_occurs_twice_is_not_unique)
{
	survey_new("id,n\n1,5\n2,6\n1,7\n", "id", 8u << 20);
	ck_assert(!survey.unique_keys);
}
END_TEST

START_TEST(an_empty_key_is_a_reject_and_no_second_key)
{
	survey_new("id,n\n1,5\n,6\n,7\n", "id", 8u << 20);
	ck_assert(survey.unique_keys);
}
END_TEST

START_TEST(different_spellings_of_a_number_prove_nothing_in_a_new_dataset)
{
	struct shape shape;

	survey_new("id\n1.0\n1.00\n", "id", 8u << 20);
	ck_assert(survey.unique_keys);
	ck_assert_int_eq(fit_shape(&survey, &shape, columns, &e), 0);
	ck_assert(!fit_unique_keys(&survey));
	shape_fini(&shape);
}
END_TEST

START_TEST(in_an_existing_dataset_keys_are_compared_by_their_type)
{
	struct shape shape = {0};

	shape_add(&shape, "id", "id", TYPE_NUMERIC, false);
	ck_assert_int_eq(shape_add_key(&shape, "id", &e), 0);
	ck_assert_int_eq(open_text("id\n1.0\n1.00\n"), 0);
	ck_assert_int_eq(fit_existing(&survey, &shape, columns, &e), 0);
	ck_assert_int_eq(survey_run(&survey, 8u << 20, NULL, NULL, NULL, &e), 0);
	ck_assert(!survey.unique_keys);
	shape_fini(&shape);
}
END_TEST

START_TEST(columns_of_an_existing_dataset_come_in_any_order)
{
	struct shape shape = {0};

	shape_add(&shape, "a", "a", TYPE_TEXT, false);
	shape_add(&shape, "b", "b", TYPE_TEXT, false);
	ck_assert_int_eq(open_text("b,a\n"), 0);
	ck_assert_int_eq(fit_existing(&survey, &shape, columns, &e), 0);
	ck_assert_int_eq(columns[0], 1);
	ck_assert_int_eq(columns[1], 0);
	shape_fini(&shape);
}
END_TEST

START_TEST(an_unknown_or_missing_column_is_an_error_that_names_it)
{
	struct shape shape = {0};

	shape_add(&shape, "a", "a", TYPE_TEXT, false);
	ck_assert_int_eq(open_text("a,c\n"), 0);
	ck_assert_int_eq(fit_existing(&survey, &shape, columns, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_ptr_nonnull(strstr(e.message, "'c'"));
	survey_fini(&survey);
	shape_add(&shape, "b", "b", TYPE_TEXT, false);
	ck_assert_int_eq(open_text("a\n"), 0);
	ck_assert_int_eq(fit_existing(&survey, &shape, columns, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "'b'"));
	reading.missing_null = true;
	survey_fini(&survey);
	ck_assert_int_eq(open_text("a\n"), 0);
	ck_assert_int_eq(fit_existing(&survey, &shape, columns, &e), 0);
	shape_fini(&shape);
}
END_TEST

START_TEST(without_a_header_columns_are_known_by_their_place)
{
	reading.dialect.header = false;
	survey_new("1,a\n2,b\n", "column_1", 8u << 20);
	ck_assert_uint_eq(survey.field_count, 2);
	ck_assert_str_eq(survey.fields[1].header, "column_2");
	ck_assert_uint_eq(survey.records, 2);
	ck_assert_uint_eq(survey.chunks[0].byte, 0);
}
END_TEST

START_TEST(an_empty_or_binary_file_is_no_csv)
{
	ck_assert_int_eq(open_text(""), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	survey_fini(&survey);
	text = (struct text){"\x7f"
			     "ELF\0\0,x\n",
	    9, 0};
	ck_assert_int_eq(survey_open(&survey, &reading, read_text, &text, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_ptr_nonnull(strstr(e.message, "NUL"));
}
END_TEST

START_TEST(an_unknown_key_column_is_an_error_that_names_it)
{
	const char *key = "nr";

	ck_assert_int_eq(open_text("id,n\n1,2\n"), 0);
	ck_assert_int_eq(fit_new(&survey, &key, 1, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_ptr_nonnull(strstr(e.message, "'nr'"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("survey and fit");
	TCase *tests = tcase_create("survey and fit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, types_are_inferred_over_the_whole_file);
	tcase_add_test(tests, the_users_type_wins);
	tcase_add_test(tests, a_record_that_will_be_rejected_says_nothing_about_types);
	tcase_add_test(tests, chunks_begin_and_end_on_records);
	tcase_add_test(tests, a_key_that_occurs_twice_is_not_unique);
	tcase_add_test(tests, an_empty_key_is_a_reject_and_no_second_key);
	tcase_add_test(tests, different_spellings_of_a_number_prove_nothing_in_a_new_dataset);
	tcase_add_test(tests, in_an_existing_dataset_keys_are_compared_by_their_type);
	tcase_add_test(tests, columns_of_an_existing_dataset_come_in_any_order);
	tcase_add_test(tests, an_unknown_or_missing_column_is_an_error_that_names_it);
	tcase_add_test(tests, without_a_header_columns_are_known_by_their_place);
	tcase_add_test(tests, an_empty_or_binary_file_is_no_csv);
	tcase_add_test(tests, an_unknown_key_column_is_an_error_that_names_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
