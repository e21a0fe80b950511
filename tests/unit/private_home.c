#include <check.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/private.h"

static void
expect_home(const char *expected)
{
	struct buf home = {0};
	struct err e = {.message = ""};

	ck_assert_msg(private_home_default(&home, &e) == 0, "%s", e.message);
	ck_assert_str_eq(home.bytes, expected);
	buf_fini(&home);
}

static void
come_back(void)
{
	ck_assert_int_eq(seteuid(getuid()), 0);
}

static void
become(uid_t uid)
{
	unsetenv("HOME");
	unsetenv("XDG_DATA_HOME");
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(uid), 0);
}

START_TEST(root_has_a_system_folder_whatever_the_environment_says)
{
	setenv("HOME", "/h", 1);
	setenv("XDG_DATA_HOME", "/x", 1);
	if (geteuid() == 0)
		expect_home("/var/lib/csvp");
	else
		expect_home("/x/csvp");
}
END_TEST

START_TEST(xdg_data_home_comes_before_home)
{
	become(65534);
	setenv("HOME", "/h", 1);
	expect_home("/h/.local/share/csvp");
	setenv("XDG_DATA_HOME", "/x", 1);
	expect_home("/x/csvp");
}
END_TEST

START_TEST(a_relative_path_counts_as_none)
{
	become(65534);
	setenv("HOME", "/h", 1);
	setenv("XDG_DATA_HOME", "x", 1);
	expect_home("/h/.local/share/csvp");
	setenv("XDG_DATA_HOME", "", 1);
	expect_home("/h/.local/share/csvp");
}
END_TEST

START_TEST(a_user_without_a_home_folder_is_told_to_name_one)
{
	static const char *const none[] = {"/", "/nonexistent"};
	struct buf home = {0};
	struct err e;

	/* A number that no password file has. */
	become(64999);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		setenv("HOME", none[i], 1);
		e.code = ERR_NONE;
		ck_assert_int_eq(private_home_default(&home, &e), -1);
		ck_assert_int_eq(e.code, ERR_CONFIG);
		ck_assert_ptr_nonnull(strstr(e.message, "CSVP_HOME"));
	}
	if (geteuid() == 64999) {
		unsetenv("HOME");
		ck_assert_int_eq(private_home_default(&home, &e), -1);
		ck_assert_int_eq(e.code, ERR_CONFIG);
	}
	ck_assert_uint_eq(home.length, 0);
}
END_TEST

START_TEST(without_home_the_password_file_knows)
{
	struct passwd *entry;
	char *expected;

	/* As root the user `daemon`, who is in every password file. */
	become(1);
	entry = getpwuid(geteuid());
	ck_assert_ptr_nonnull(entry);
	expected = buf_format("%s/.local/share/csvp", entry->pw_dir);
	expect_home(expected);
	free(expected);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    root_has_a_system_folder_whatever_the_environment_says,
	    xdg_data_home_comes_before_home,
	    a_relative_path_counts_as_none,
	    a_user_without_a_home_folder_is_told_to_name_one,
	    without_home_the_password_file_knows,
	};
	Suite *suite = suite_create("private_home");
	TCase *all = tcase_create("private_home");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, NULL, come_back);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
