#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/config.h"

static char folder[] = "/tmp/unit-config-XXXXXX";
static char *path;
static struct err e;

static void
begin(void)
{
	for (const char *const *name = config_names(); *name != NULL; name++)
		unsetenv(*name);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = buf_format("%s/csvp.conf", folder);
	setenv("CSVP_CONFIG", path, 1);
}

static void
end(void)
{
	char *command = buf_format("rm -rf %s", folder);

	ck_assert_int_eq(system(command), 0);
	free(command);
	free(path);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

static int
load(const char *text)
{
	FILE *stream = fopen(path, "w");

	ck_assert_ptr_nonnull(stream);
	fputs(text, stream);
	fclose(stream);
	e = (struct err){0};
	return config_load(&e);
}

static char *
at(int line)
{
	static char *text;

	free(text);
	text = buf_format("%s:%d", path, line);
	return text;
}

START_TEST(environment_beats_file_beats_nothing)
{
	setenv("CSVP_HOME", "/env", 1);
	ck_assert_int_eq(load("CSVP_HOME=/file\nCSVP_SCHEMA=files\n"), 0);
	ck_assert_str_eq(config_get("CSVP_HOME"), "/env");
	ck_assert_str_eq(config_origin("CSVP_HOME"), "environment");
	ck_assert_str_eq(config_get("CSVP_SCHEMA"), "files");
	ck_assert_str_eq(config_origin("CSVP_SCHEMA"), at(2));
	ck_assert_ptr_null(config_get("CSVP_STORE_URL"));
	ck_assert_str_eq(config_origin("CSVP_STORE_URL"), "default");
}
END_TEST

START_TEST(an_empty_value_is_not_set)
{
	setenv("CSVP_HOME", "", 1);
	ck_assert_int_eq(load("CSVP_HOME=/file\nCSVP_SCHEMA=\nCSVP_AUTOSTART=\"\"\n"), 0);
	ck_assert_str_eq(config_get("CSVP_HOME"), "/file");
	ck_assert_ptr_null(config_get("CSVP_SCHEMA"));
	ck_assert_str_eq(config_origin("CSVP_SCHEMA"), "default");
	ck_assert_ptr_null(config_get("CSVP_AUTOSTART"));
}
END_TEST

START_TEST(lines_are_read_as_systemd_reads_them)
{
	ck_assert_int_eq(load("# a comment\n; another\n\n   \n"
			      "  CSVP_HOME= /with blanks inside \t\r\n"
			      "CSVP_SCHEMA='single \"quoted\" \\n '\n"
			      "CSVP_STORE_URL=\"a \\\"b\\\" \\\\ \\$c \\d\"\n"
			      "CSVP_QUEUE_URL=back\\slash#no comment\n"
			      "CSVP_SEARCH_URL=no newline at the end"),
	    0);
	ck_assert_str_eq(config_get("CSVP_HOME"), "/with blanks inside");
	ck_assert_str_eq(config_get("CSVP_SCHEMA"), "single \"quoted\" \\n ");
	ck_assert_str_eq(config_get("CSVP_STORE_URL"), "a \"b\" \\ $c \\d");
	ck_assert_str_eq(config_get("CSVP_QUEUE_URL"), "backslash#no comment");
	ck_assert_str_eq(config_get("CSVP_SEARCH_URL"), "no newline at the end");
}
END_TEST

START_TEST(the_last_line_of_a_name_wins)
{
	ck_assert_int_eq(load("CSVP_HOME=/a\nCSVP_HOME=/b\n"), 0);
	ck_assert_str_eq(config_get("CSVP_HOME"), "/b");
	ck_assert_str_eq(config_origin("CSVP_HOME"), at(2));
}
END_TEST

START_TEST(names_of_libpq_and_aws_reach_the_environment)
{
	setenv("PGHOST", "/env", 1);
	ck_assert_int_eq(load("PGHOST=/file\nPGPORT=5433\nAWS_REGION=eu-north-1\nPGSSLCRLDIR=/crl\n"), 0);
	ck_assert_str_eq(getenv("PGHOST"), "/env");
	ck_assert_str_eq(config_origin("PGHOST"), "environment");
	ck_assert_str_eq(getenv("PGPORT"), "5433");
	ck_assert_str_eq(config_origin("PGPORT"), at(2));
	ck_assert_str_eq(getenv("AWS_REGION"), "eu-north-1");
	ck_assert_str_eq(getenv("PGSSLCRLDIR"), "/crl");
	unsetenv("PGPORT");
	unsetenv("PGSSLCRLDIR");
}
END_TEST

START_TEST(names_of_other_programs_are_passed_over)
{
	ck_assert_int_eq(load("TZ=UTC\nCSVP_HOME=/a\nhttp_proxy=x\n"), 0);
	ck_assert_str_eq(config_get("CSVP_HOME"), "/a");
}
END_TEST

static void
refused(const char *text, int line, const char *reason)
{
	char *message = buf_format("%s:%d: %s", path, line, reason);

	ck_assert_int_eq(load(text), -1);
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(e.message, message);
	free(message);
}

START_TEST(a_line_it_cannot_read_is_refused_with_its_place)
{
	refused("CSVP_HOME=/a\nCSVP_HOME\n", 2, "not a NAME=value line");
	refused("export CSVP_HOME=/a\n", 1, "not a NAME=value line; hint: without export");
	refused("CSVP_HOME = /a\n", 1, "not a NAME=value line");
	refused("\n=x\n", 2, "not a NAME=value line");
	refused("CSVP_HOME='/a\n", 1, "CSVP_HOME: the ' quote is not closed on its line");
	refused("CSVP_HOME=\"/a\\\"\n", 1, "CSVP_HOME: the \" quote is not closed on its line");
	refused("CSVP_HOME='/a' b\n", 1, "CSVP_HOME: text after the closing ' quote");
	refused("CSVP_HOME=/a\\\n/b\n", 1, "CSVP_HOME: a line that continues on the next one is not supported");
	refused("CSVP_CONFIG=/a\n", 1, "CSVP_CONFIG names the file to read; hint: set it in the environment");
}
END_TEST

START_TEST(an_unknown_or_mistyped_name_is_refused)
{
	refused("CSVP_NOTHING=1\n", 1, "unknown name CSVP_NOTHING; hint: csvp-admin config lists the names");
	refused("CSVP_DATABASE_URI=x\n", 1, "unknown name CSVP_DATABASE_URI; hint: did you mean CSVP_DATABASE_URL");
	refused("CVSP_DATABASE_URL=x\n", 1, "unknown name CVSP_DATABASE_URL; hint: did you mean CSVP_DATABASE_URL");
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	FILE *stream = fopen(path, "w");

	fwrite("CSVP_HOME=/a\0b\n", 1, 15, stream);
	fclose(stream);
	ck_assert_int_eq(config_load(&e), -1);
	ck_assert_int_eq(e.code, ERR_CONFIG);
}
END_TEST

START_TEST(a_named_file_that_is_missing_is_refused)
{
	setenv("CSVP_CONFIG", "/nowhere/csvp.conf", 1);
	ck_assert_int_eq(config_load(&e), -1);
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(e.message, "cannot read configuration file /nowhere/csvp.conf: No such file or directory; "
				    "hint: CSVP_CONFIG names it");
	setenv("CSVP_CONFIG", folder, 1);
	ck_assert_int_eq(config_load(&e), -1);
	ck_assert_int_eq(e.code, ERR_CONFIG);
}
END_TEST

START_TEST(without_a_name_the_personal_file_is_read)
{
	char *subfolder = buf_format("%s/csvp", folder);

	free(path);
	path = buf_format("%s/csvp.conf", subfolder);
	ck_assert_int_eq(mkdir(subfolder, 0700), 0);
	unsetenv("CSVP_CONFIG");
	setenv("XDG_CONFIG_HOME", folder, 1);
	ck_assert_int_eq(load("CSVP_SCHEMA=personal\n"), 0);
	ck_assert_str_eq(config_get("CSVP_SCHEMA"), "personal");
	setenv("HOME", folder, 1);
	unsetenv("XDG_CONFIG_HOME");
	free(subfolder);
	subfolder = buf_format("%s/.config", folder);
	ck_assert_int_eq(mkdir(subfolder, 0700), 0);
	free(subfolder);
	subfolder = buf_format("%s/.config/csvp", folder);
	ck_assert_int_eq(mkdir(subfolder, 0700), 0);
	free(path);
	path = buf_format("%s/csvp.conf", subfolder);
	ck_assert_int_eq(load("CSVP_SCHEMA=home\n"), 0);
	ck_assert_str_eq(config_get("CSVP_SCHEMA"), "home");
	free(subfolder);
}
END_TEST

START_TEST(every_name_has_a_meaning)
{
	for (const char *const *name = config_names(); *name != NULL; name++)
		ck_assert_ptr_nonnull(config_meaning(*name));
	ck_assert_ptr_null(config_meaning("NOTHING"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, environment_beats_file_beats_nothing);
	tcase_add_test(tests, an_empty_value_is_not_set);
	tcase_add_test(tests, lines_are_read_as_systemd_reads_them);
	tcase_add_test(tests, the_last_line_of_a_name_wins);
	tcase_add_test(tests, names_of_libpq_and_aws_reach_the_environment);
	tcase_add_test(tests, names_of_other_programs_are_passed_over);
	tcase_add_test(tests, a_line_it_cannot_read_is_refused_with_its_place);
	tcase_add_test(tests, an_unknown_or_mistyped_name_is_refused);
	tcase_add_test(tests, a_nul_byte_is_refused);
	tcase_add_test(tests, a_named_file_that_is_missing_is_refused);
	tcase_add_test(tests, without_a_name_the_personal_file_is_read);
	tcase_add_test(tests, every_name_has_a_meaning);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
