#include <check.h>
#include <stdlib.h>

#include "base/err.h"
#include "schema/shape.h"

static struct shape
sample(void)
{
	struct shape s = {0};

	shape_add(&s, "Organization Id", "organization_id", TYPE_TEXT, false);
	shape_add(&s, "name", "name", TYPE_TEXT, false);
	shape_add(&s, "Name", "name_2", TYPE_BIGINT, true);
	shape_add(&s, "", "column_4", TYPE_TEXT, true);
	return s;
}

START_TEST(columns_are_kept_in_order)
{
	struct shape s = sample();

	ck_assert_uint_eq(s.count, 4);
	ck_assert_str_eq(s.columns[0].header, "Organization Id");
	ck_assert_str_eq(s.columns[2].name, "name_2");
	ck_assert_int_eq(s.columns[2].type, TYPE_BIGINT);
	ck_assert(s.columns[2].undecided && !s.columns[1].undecided);
	shape_fini(&s);
	ck_assert_uint_eq(s.count, 0);
}
END_TEST

START_TEST(a_column_is_found_by_header_before_name)
{
	struct shape s = sample();

	shape_add(&s, "name_2", "name_2_2", TYPE_TEXT, false);
	ck_assert_int_eq(shape_find(&s, "Name"), 2);
	ck_assert_int_eq(shape_find(&s, "name_2"), 4);
	ck_assert_int_eq(shape_find(&s, "organization_id"), 0);
	ck_assert_int_eq(shape_find(&s, "ORGANIZATION ID"), -1);
	shape_fini(&s);
}
END_TEST

START_TEST(an_empty_header_finds_nothing_its_name_does)
{
	struct shape s = sample();

	ck_assert_int_eq(shape_find(&s, ""), -1);
	ck_assert_int_eq(shape_find(&s, "column_4"), 3);
	shape_fini(&s);
}
END_TEST

START_TEST(a_key_keeps_the_order_it_was_named_in)
{
	struct shape s = sample();
	struct err e = {0};

	ck_assert_int_eq(shape_add_key(&s, "Name", &e), 0);
	ck_assert_int_eq(shape_add_key(&s, "organization_id", &e), 0);
	ck_assert_uint_eq(s.key_count, 2);
	ck_assert_uint_eq(s.key[0], 2);
	ck_assert_uint_eq(s.key[1], 0);
	shape_fini(&s);
}
END_TEST

START_TEST(records_are_known_by_the_key_or_by_id)
{
	struct shape s = sample();
	struct err e = {0};

	ck_assert_uint_eq(shape_key_parts(&s), 1);
	ck_assert_str_eq(shape_key_name(&s, 0), "_id");
	ck_assert_int_eq(shape_key_type(&s, 0), TYPE_BIGINT);
	ck_assert_int_eq(shape_add_key(&s, "name", &e), 0);
	ck_assert_int_eq(shape_add_key(&s, "Name", &e), 0);
	ck_assert_uint_eq(shape_key_parts(&s), 2);
	ck_assert_str_eq(shape_key_name(&s, 1), "name_2");
	ck_assert_int_eq(shape_key_type(&s, 0), TYPE_TEXT);
	shape_fini(&s);
}
END_TEST

START_TEST(an_unknown_key_column_is_named_with_those_there_are)
{
	struct shape s = sample();
	struct err e = {0};

	ck_assert_int_eq(shape_add_key(&s, "Id", &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_str_eq(
	    e.message, "no column \"Id\" for the key; hint: there are organization_id, name, name_2, column_4");
	ck_assert_uint_eq(s.key_count, 0);
	shape_fini(&s);
}
END_TEST

START_TEST(a_key_column_named_twice_is_an_error)
{
	struct shape s = sample();
	struct err e = {0};

	ck_assert_int_eq(shape_add_key(&s, "Organization Id", &e), 0);
	ck_assert_int_eq(shape_add_key(&s, "organization_id", &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_str_eq(e.message, "the key has column \"Organization Id\" twice");
	ck_assert_uint_eq(s.key_count, 1);
	shape_fini(&s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shape");
	TCase *t = tcase_create("shape");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, columns_are_kept_in_order);
	tcase_add_test(t, a_column_is_found_by_header_before_name);
	tcase_add_test(t, an_empty_header_finds_nothing_its_name_does);
	tcase_add_test(t, a_key_keeps_the_order_it_was_named_in);
	tcase_add_test(t, records_are_known_by_the_key_or_by_id);
	tcase_add_test(t, an_unknown_key_column_is_named_with_those_there_are);
	tcase_add_test(t, a_key_column_named_twice_is_an_error);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
