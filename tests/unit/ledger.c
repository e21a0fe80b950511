#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "ledger/reject.h"
#include "schema/shape.h"
#include "table/target.h"

static struct err e;

START_TEST(a_later_record_has_a_higher_version_than_an_earlier_one)
{
	ck_assert_int_lt(ledger_version(1, 10), ledger_version(1, 11));
	ck_assert_int_lt(ledger_version(1, LEDGER_MAX_OBJECT - 1), ledger_version(2, 0));
}
END_TEST

START_TEST(an_edit_comes_after_all_records_of_its_job_and_before_the_next)
{
	int64_t edit = ledger_version(7, (uint64_t)LEDGER_EDIT_BIT);

	ck_assert_int_gt(edit, ledger_version(7, LEDGER_MAX_OBJECT - 1));
	ck_assert_int_lt(edit + LEDGER_EDIT_BIT - 1, ledger_version(8, 0));
}
END_TEST

START_TEST(the_highest_version_fits_a_bigint)
{
	ck_assert_int_gt(ledger_version(LEDGER_MAX_SEQ, (uint64_t)LEDGER_EDIT_BIT * 2 - 1), 0);
}
END_TEST

START_TEST(locks_of_different_things_have_different_keys)
{
	int64_t keys[] = {
	    ledger_lock_key(LEDGER_LOCK_UPLOAD, 1, 0),
	    ledger_lock_key(LEDGER_LOCK_SPLIT, 1, 0),
	    ledger_lock_key(LEDGER_LOCK_CHUNK, 1, 0),
	    ledger_lock_key(LEDGER_LOCK_CHUNK, 1, 1),
	    ledger_lock_key(LEDGER_LOCK_CHUNK, 2, 0),
	    ledger_lock_key(LEDGER_LOCK_CHUNK, 1, LEDGER_MAX_CHUNKS - 1),
	    ledger_lock_key(LEDGER_LOCK_INDEX, 1, 0),
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_int_ne(keys[i], keys[j]);
}
END_TEST

START_TEST(a_limit_of_rejects_is_a_number_or_a_percentage)
{
	ck_assert_int_eq(job_check_limit("0", &e), 0);
	ck_assert_int_eq(job_check_limit("100%", &e), 0);
	ck_assert_int_eq(job_check_limit("101%", &e), -1);
	ck_assert_int_eq(job_check_limit("-1", &e), -1);
	ck_assert_int_eq(job_check_limit("", &e), -1);
	ck_assert_int_eq(job_check_limit("%", &e), -1);
	ck_assert_int_eq(job_check_limit("5 %", &e), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
}
END_TEST

START_TEST(rejects_own_their_texts)
{
	struct reject_list list = {0};
	char reason[] = "first";

	reject_add(&list, 5, 1, 10, NULL, "fields", reason);
	reason[0] = 'F';
	for (int i = 0; i < 100; i++)
		reject_add(&list, (uint64_t)i, 1, 10, "column", "type", "more");
	ck_assert_uint_eq(list.count, 101);
	ck_assert_str_eq(list.rejects[0].reason, "first");
	ck_assert_ptr_null(list.rejects[0].header);
	ck_assert_str_eq(list.rejects[100].header, "column");
	reject_fini(&list);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(sql_quotes_every_name)
{
	struct shape shape = {0};
	struct target target = {1, 0, "public", "od\"d", &shape};
	struct buf sql = {0};

	shape_add(&shape, "A", "a", TYPE_NUMERIC, false);
	shape_add(&shape, "B", "b\"b", TYPE_TEXT, false);
	target_table(&sql, &target);
	ck_assert_str_eq(sql.bytes, "\"public\".\"od\"\"d\"");
	buf_reset(&sql);
	target_columns(&sql, &target, "t.");
	ck_assert_str_eq(sql.bytes, "t.\"a\", t.\"b\"\"b\", t.\"_id\", t.\"_version\"");
	buf_reset(&sql);
	target_key_join(&sql, &target, "t.", "s.");
	ck_assert_str_eq(sql.bytes, "t.\"_id\" = s.\"_id\"");
	ck_assert_int_eq(shape_add_key(&shape, "B", &e), 0);
	ck_assert_int_eq(shape_add_key(&shape, "A", &e), 0);
	buf_reset(&sql);
	target_key(&sql, &target, "");
	ck_assert_str_eq(sql.bytes, "\"b\"\"b\", \"a\"");
	buf_fini(&sql);
	shape_fini(&shape);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tests = tcase_create("ledger");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, a_later_record_has_a_higher_version_than_an_earlier_one);
	tcase_add_test(tests, an_edit_comes_after_all_records_of_its_job_and_before_the_next);
	tcase_add_test(tests, the_highest_version_fits_a_bigint);
	tcase_add_test(tests, locks_of_different_things_have_different_keys);
	tcase_add_test(tests, a_limit_of_rejects_is_a_number_or_a_percentage);
	tcase_add_test(tests, rejects_own_their_texts);
	tcase_add_test(tests, sql_quotes_every_name);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
