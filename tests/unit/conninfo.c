#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/conninfo.h"

static struct buf rest;
static struct err e;

static void
begin(void)
{
	buf_string(&rest, "");
	unsetenv("PGPORT");
}

static void
end(void)
{
	buf_fini(&rest);
}

START_TEST(a_url_becomes_the_environment)
{
	ck_assert_int_eq(conninfo_export("postgresql://u:se%20cret@h:5433/d?sslmode=require", &rest, &e), 0);
	ck_assert_str_eq(getenv("PGHOST"), "h");
	ck_assert_str_eq(getenv("PGPORT"), "5433");
	ck_assert_str_eq(getenv("PGUSER"), "u");
	ck_assert_str_eq(getenv("PGPASSWORD"), "se cret");
	ck_assert_str_eq(getenv("PGDATABASE"), "d");
	ck_assert_str_eq(getenv("PGSSLMODE"), "require");
	ck_assert_str_eq(rest.bytes, "");
}
END_TEST

START_TEST(a_parameter_beats_the_environment_and_a_missing_one_leaves_it)
{
	setenv("PGHOST", "other", 1);
	setenv("PGPORT", "7", 1);
	ck_assert_int_eq(conninfo_export("host='/run/a b' user=csvp", &rest, &e), 0);
	ck_assert_str_eq(getenv("PGHOST"), "/run/a b");
	ck_assert_str_eq(getenv("PGPORT"), "7");
}
END_TEST

START_TEST(a_parameter_without_a_variable_is_left_over)
{
	ck_assert_int_eq(conninfo_export("host=h keepalives_idle=5 fallback_application_name='it\\'s'", &rest, &e), 0);
	ck_assert_str_eq(rest.bytes, "fallback_application_name='it\\'s' keepalives_idle='5'");
}
END_TEST

START_TEST(no_secret_is_left_over)
{
	ck_assert_int_eq(conninfo_export("host=h sslpassword=secret", &rest, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(rest.bytes, "");
}
END_TEST

START_TEST(what_is_no_conninfo_is_refused_without_showing_it)
{
	ck_assert_int_eq(conninfo_export("password=secret host", &rest, &e), -1);
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(e.message, "not a PostgreSQL URL; hint: postgresql://user@host:5432/database");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conninfo");
	TCase *tests = tcase_create("conninfo");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_url_becomes_the_environment);
	tcase_add_test(tests, a_parameter_beats_the_environment_and_a_missing_one_leaves_it);
	tcase_add_test(tests, a_parameter_without_a_variable_is_left_over);
	tcase_add_test(tests, no_secret_is_left_over);
	tcase_add_test(tests, what_is_no_conninfo_is_refused_without_showing_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
