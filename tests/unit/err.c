#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "scratch.h"

static struct err e;

START_TEST(an_error_is_a_code_and_a_message)
{
	ck_assert_int_eq(err_set(&e, ERR_DATA, "line %d: %s", 7, "no such column"), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_str_eq(e.message, "line 7: no such column");
}
END_TEST

START_TEST(context_is_put_before_and_the_code_stays)
{
	err_set(&e, ERR_IO, "disk full");
	ck_assert_int_eq(err_prefix(&e, "store %s", "x"), -1);
	ck_assert_int_eq(err_prefix(&e, "job %d", 42), -1);
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_str_eq(e.message, "job 42: store x: disk full");
}
END_TEST

START_TEST(an_error_may_be_built_from_itself)
{
	err_set(&e, ERR_IO, "disk full");
	err_set(&e, ERR_AGAIN, "%s (twice)", e.message);
	ck_assert_str_eq(e.message, "disk full (twice)");
	err_prefix(&e, "%s", e.message);
	ck_assert_str_eq(e.message, "disk full (twice): disk full (twice)");
}
END_TEST

START_TEST(control_characters_do_not_reach_a_terminal)
{
	err_set(&e, ERR_DATA, "a\033[31mb\nc\td\177e\001");
	ck_assert_str_eq(e.message, "a\\x1b[31mb\\x0ac\\x09d\\x7fe\\x01");
	err_prefix(&e, "\r");
	ck_assert_str_eq(e.message, "\\x0d: a\\x1b[31mb\\x0ac\\x09d\\x7fe\\x01");
	err_set(&e, ERR_DATA, "caf\xc3\xa9");
	ck_assert_str_eq(e.message, "caf\xc3\xa9");
}
END_TEST

START_TEST(a_message_too_long_is_cut_and_stays_a_string)
{
	char text[3000];

	for (int control = 0; control < 2; control++) {
		memset(text, control ? '\a' : 'x', sizeof text - 1);
		text[sizeof text - 1] = '\0';
		err_set(&e, ERR_DATA, "%s", text);
		ck_assert_uint_gt(strlen(e.message), sizeof e.message - 8);
		ck_assert_uint_lt(strlen(e.message), sizeof e.message);
		for (int i = 0; i < 3; i++)
			err_prefix(&e, "%s", text);
		ck_assert_uint_lt(strlen(e.message), sizeof e.message);
		err_errno(&e, EIO, "%s", text);
		/* What the system says stays in sight. */
		ck_assert(control || strstr(e.message, strerror(EIO)) != NULL);
	}
}
END_TEST

START_TEST(the_system_s_number_chooses_the_code)
{
	static const struct {
		int number;
		enum err_code code;
	} cases[] = {
	    {ENOENT, ERR_NOINPUT},
	    {ENOTDIR, ERR_NOINPUT},
	    {EISDIR, ERR_NOINPUT},
	    {EACCES, ERR_PERMISSION},
	    {EPERM, ERR_PERMISSION},
	    {EROFS, ERR_PERMISSION},
	    {EIO, ERR_IO},
	    {ENOSPC, ERR_IO},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(err_errno(&e, cases[i].number, "x.csv"), -1);
		ck_assert_int_eq(e.code, cases[i].code);
		ck_assert_int_eq(strncmp(e.message, "x.csv: ", 7), 0);
		ck_assert_str_eq(e.message + 7, strerror(cases[i].number));
	}
}
END_TEST

START_TEST(the_worse_of_two_codes_is_the_higher)
{
	ck_assert_int_eq(err_worse(ERR_NONE, ERR_REJECTS), ERR_REJECTS);
	ck_assert_int_eq(err_worse(ERR_AGAIN, ERR_DATA), ERR_AGAIN);
	ck_assert_int_eq(err_worse(ERR_SIGTERM, ERR_CONFIG), ERR_SIGTERM);
	ck_assert_int_eq(err_worse(ERR_NONE, ERR_NONE), ERR_NONE);
}
END_TEST

START_TEST(codes_are_the_exit_statuses_scripts_know)
{
	static const int codes[] = {ERR_NONE, ERR_REJECTS, ERR_USAGE, ERR_DATA, ERR_NOINPUT, ERR_UNAVAILABLE, ERR_BUG,
	    ERR_IO, ERR_AGAIN, ERR_PERMISSION, ERR_CONFIG, ERR_SIGINT, ERR_SIGTERM};
	static const int expected[] = {0, 3, 64, 65, 66, 69, 70, 74, 75, 77, 78, 130, 143};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		ck_assert_int_eq(codes[i], expected[i]);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    an_error_is_a_code_and_a_message,
	    context_is_put_before_and_the_code_stays,
	    an_error_may_be_built_from_itself,
	    control_characters_do_not_reach_a_terminal,
	    a_message_too_long_is_cut_and_stays_a_string,
	    the_system_s_number_chooses_the_code,
	    the_worse_of_two_codes_is_the_higher,
	    codes_are_the_exit_statuses_scripts_know,
	};

	return scratch_run("err", tests, sizeof tests / sizeof *tests);
}
