#include <check.h>
#include <stdlib.h>

#include "cli/redact.h"

static void
shows(const char *value, const char *expected)
{
	char *shown = redact_value("CSVP_DATABASE_URL", value);

	ck_assert_str_eq(shown, expected);
	free(shown);
}

START_TEST(the_password_of_a_url_is_hidden)
{
	shows("postgresql://u:secret@h:5432/d?sslmode=require", "postgresql://u:***@h:5432/d?sslmode=require");
	shows("postgresql://u:se/c@r:et@h/d", "postgresql://u:***@h/d");
	shows("redis://:secret@h", "redis://:***@h");
	shows("postgresql://u:what?next@h/d", "postgresql://u:***@h/d");
}
END_TEST

START_TEST(a_password_parameter_is_hidden)
{
	shows("postgresql:///d?user=u&password=secret&host=/run", "postgresql:///d?user=u&password=***&host=/run");
	shows("host=h password=secret user=u", "host=h password=*** user=u");
	shows("host=h password = 'se cr\\'et' user=u", "host=h password = *** user=u");
	shows("PASSWORD=a sslpassword=b", "PASSWORD=*** sslpassword=***");
	shows("password='open", "password=***");
}
END_TEST

START_TEST(what_is_no_secret_is_shown)
{
	shows("postgresql://u@h:5432/d", "postgresql://u@h:5432/d");
	shows("postgresql:///d?host=/run/x", "postgresql:///d?host=/run/x");
	shows("file:///var/password/store", "file:///var/password/store");
	shows("pg:", "pg:");
	shows("", "");
}
END_TEST

START_TEST(a_name_that_says_secret_hides_all)
{
	static const char *const names[] = {"PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};

	for (int i = 0; i < 3; i++) {
		char *shown = redact_value(names[i], "abc");

		ck_assert_str_eq(shown, "***");
		free(shown);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("redact");
	TCase *tests = tcase_create("redact");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, the_password_of_a_url_is_hidden);
	tcase_add_test(tests, a_password_parameter_is_hidden);
	tcase_add_test(tests, what_is_no_secret_is_shown);
	tcase_add_test(tests, a_name_that_says_secret_hides_all);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
