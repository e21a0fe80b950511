#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sig.h"
#include "capture.h"
#include "cli/refs.h"

static struct err e;

static void
accepted(const char *line, int64_t job, int64_t chunk, int failure)
{
	struct ref ref;

	ck_assert_msg(refs_parse(line, &ref, &e) == 0, "%s: %s", line, e.message);
	ck_assert_int_eq(ref.job, job);
	ck_assert_int_eq(ref.chunk, chunk);
	ck_assert_int_eq((int)ref.failure, failure);
}

START_TEST(the_five_forms_are_read)
{
	accepted("42", 42, -1, 0);
	accepted("42/7", 42, 7, 0);
	accepted("42/0", 42, 0, 0);
	accepted("!42 65", 42, -1, 65);
	accepted("!42/7 75", 42, 7, 75);
	accepted("!- 66", 0, -1, 66);
	accepted("9223372036854775807/1", INT64_MAX, 1, 0);
	accepted("!42 1", 42, -1, 1);
	accepted("!42 255", 42, -1, 255);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const lines[] = {"", " ", "x", "42 ", " 42", "042", "+42", "-42", "0", "0/1", "42/", "/7",
	    "42/07", "42/00", "42/7/1", "42/ 7", "42/7 ", "42.0", "0x2a", "9223372036854775808", "42 65", "-", "!",
	    "!42", "!42 ", "!42 0", "!42 065", "!42 256", "!42  65", "! 65", "!-", "!-/1 65", "!0 65", "!42/ 65",
	    "!42 65 ", "!!42 65", "- 65", "id,name,country"};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct ref ref = {.job = 99};

		ck_assert_msg(refs_parse(lines[i], &ref, &e) == -1, "accepted: \"%s\"", lines[i]);
		ck_assert_int_eq(e.code, ERR_USAGE);
		ck_assert_int_eq(ref.job, 99);
	}
	ck_assert_str_eq(e.message, "not a reference: \"id,name,country\"; hint: JOB or JOB/CHUNK, as 42 or 42/7");
}
END_TEST

START_TEST(a_carriage_return_is_told_by_its_name)
{
	struct ref ref;

	ck_assert_int_eq(refs_parse("42\r", &ref, &e), -1);
	ck_assert_str_eq(
	    e.message, "not a reference: \"42\\x0d\": it ends in a carriage return; hint: lines end in LF alone");
}
END_TEST

static void
print_all(void *ctx)
{
	static const struct ref refs[] = {
	    {42, -1, ERR_NONE}, {42, 7, ERR_NONE}, {42, -1, ERR_DATA}, {42, 7, ERR_AGAIN}, {0, -1, ERR_NOINPUT}};
	bool closed;

	(void)ctx;
	for (size_t i = 0; i < sizeof refs / sizeof *refs; i++)
		if (refs_print(&refs[i], &closed, &e) != 0)
			_exit(1);
}

START_TEST(what_is_printed_is_what_is_read)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(print_all, NULL, STDOUT_FILENO, 0, &out), 0);
	ck_assert_str_eq(out.bytes, "42\n42/7\n!42 65\n!42/7 75\n!- 66\n");
	buf_fini(&out);
}
END_TEST

static void
print_nowhere(void *ctx)
{
	struct ref ref = {1, -1, ERR_NONE};
	bool closed = false;
	int ends[2];

	(void)ctx;
	signal(SIGPIPE, SIG_IGN);
	if (pipe(ends) != 0)
		abort();
	close(ends[0]);
	dup2(ends[1], STDOUT_FILENO);
	_exit(refs_print(&ref, &closed, &e) == -1 && e.code == ERR_IO && closed ? 0 : 1);
}

static void
print_full(void *ctx)
{
	struct ref ref = {1, -1, ERR_NONE};
	bool closed = true;

	(void)ctx;
	if (freopen("/dev/full", "w", stdout) == NULL)
		abort();
	_exit(refs_print(&ref, &closed, &e) == -1 && e.code == ERR_IO && !closed ? 0 : 1);
}

START_TEST(a_reader_that_has_gone_is_not_a_full_disk)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(print_nowhere, NULL, STDERR_FILENO, 0, &out), 0);
	ck_assert_int_eq(capture(print_full, NULL, STDERR_FILENO, 0, &out), 0);
	buf_fini(&out);
}
END_TEST

static void
print_until_interrupted(void *ctx)
{
	struct ref ref = {1, -1, ERR_NONE};
	bool closed;
	int ends[2];

	(void)ctx;
	sig_init();
	if (pipe(ends) != 0)
		abort();
	dup2(ends[1], STDOUT_FILENO);
	raise(SIGTERM);
	/* The signal is known from the start; lines are still printed while somebody can take them. */
	for (int i = 0; i < 1000000; i++)
		if (refs_print(&ref, &closed, &e) != 0)
			_exit(i > 100 && e.code == ERR_SIGTERM ? 0 : 1);
	_exit(2);
}

START_TEST(a_signal_ends_the_wait_for_a_reader_that_does_not_read)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(print_until_interrupted, NULL, STDERR_FILENO, 0, &out), 0);
	buf_fini(&out);
}
END_TEST

static int ends[2];
static struct refs_reader *reader;

static void
begin(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	reader = refs_open(ends[0]);
}

static void
end(void)
{
	refs_close(reader);
	close(ends[0]);
	close(ends[1]);
}

static void
put(const void *bytes, size_t length)
{
	ck_assert_int_eq(write(ends[1], bytes, length), (ssize_t)length);
}

START_TEST(lines_are_seen_as_they_come)
{
	char *line;

	put("1\n2", 3);
	ck_assert_int_eq(refs_next(reader, &line, &e), 1);
	ck_assert_str_eq(line, "1");
	put("3\n\n4", 4);
	ck_assert_int_eq(refs_next(reader, &line, &e), 1);
	ck_assert_str_eq(line, "23");
	ck_assert_int_eq(refs_next(reader, &line, &e), 1);
	ck_assert_str_eq(line, "");
	close(ends[1]);
	ck_assert_int_eq(refs_next(reader, &line, &e), 1);
	ck_assert_str_eq(line, "4");
	ck_assert_int_eq(refs_next(reader, &line, &e), 0);
	ck_assert_int_eq(refs_next(reader, &line, &e), 0);
}
END_TEST

START_TEST(more_lines_than_the_buffer_holds_come_whole)
{
	char *line, expected[32];

	for (int i = 1; i <= 5000; i++) {
		int length = snprintf(expected, sizeof expected, "%d/%d\n", i, i);

		put(expected, (size_t)length);
	}
	for (int i = 1; i <= 5000; i++) {
		snprintf(expected, sizeof expected, "%d/%d", i, i);
		ck_assert_int_eq(refs_next(reader, &line, &e), 1);
		ck_assert_str_eq(line, expected);
	}
}
END_TEST

START_TEST(data_instead_of_references_is_refused)
{
	char bytes[5000], *line;

	memset(bytes, 'x', sizeof bytes);
	put(bytes, sizeof bytes);
	ck_assert_int_eq(refs_next(reader, &line, &e), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	char *line;

	put("42\0x\n", 5);
	ck_assert_int_eq(refs_next(reader, &line, &e), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
}
END_TEST

START_TEST(a_stream_that_cannot_be_read_is_an_io_error)
{
	struct refs_reader *closed = refs_open(1000);
	char *line;

	ck_assert_int_eq(refs_next(closed, &line, &e), -1);
	ck_assert_int_eq(e.code, ERR_IO);
	refs_close(closed);
}
END_TEST

START_TEST(a_signal_ends_the_wait_for_a_line)
{
	char *line;

	sig_init();
	raise(SIGINT);
	ck_assert_int_eq(refs_next(reader, &line, &e), -1);
	ck_assert_int_eq(e.code, ERR_SIGINT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("refs");
	TCase *lines = tcase_create("lines"), *streams = tcase_create("streams");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(lines, the_five_forms_are_read);
	tcase_add_test(lines, anything_else_is_refused);
	tcase_add_test(lines, a_carriage_return_is_told_by_its_name);
	tcase_add_test(lines, what_is_printed_is_what_is_read);
	tcase_add_test(lines, a_reader_that_has_gone_is_not_a_full_disk);
	tcase_add_test(lines, a_signal_ends_the_wait_for_a_reader_that_does_not_read);
	suite_add_tcase(suite, lines);
	tcase_add_checked_fixture(streams, begin, end);
	tcase_add_test(streams, lines_are_seen_as_they_come);
	tcase_add_test(streams, more_lines_than_the_buffer_holds_come_whole);
	tcase_add_test(streams, data_instead_of_references_is_refused);
	tcase_add_test(streams, a_nul_byte_is_refused);
	tcase_add_test(streams, a_stream_that_cannot_be_read_is_an_io_error);
	tcase_add_test(streams, a_signal_ends_the_wait_for_a_line);
	suite_add_tcase(suite, streams);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
