#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sig.h"
#include "cli/output.h"

static struct err e;
static int ends[2];

/* Standard output is a pipe that holds 64 kB; nobody reads unless the test does. */
static void
pipe_as_stdout(void)
{
	sig_init();
	if (pipe(ends) != 0 || fcntl(ends[1], F_SETPIPE_SZ, 65536) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		_exit(99);
	close(ends[1]);
}

/* Of `length` bytes in lines of `line`, each with its number in front; freed by the caller. */
static char *
lines(size_t length, size_t line)
{
	char *text = malloc(length + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '.', length);
	for (size_t i = line; i <= length; i += line)
		text[i - 1] = '\n';
	text[length] = '\0';
	return text;
}

/* In a child: its standard output is not the test's. Returns its exit status. */
static int
in_child(int (*work)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(work());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "status %x", (unsigned)status);
	return WEXITSTATUS(status);
}

static int
more_than_fits(void)
{
	char *text = lines(300000, 100);
	bool closed = false;
	int result;

	pipe_as_stdout();
	/* Arrived when the program was about to write: no later one will interrupt it. */
	raise(SIGTERM);
	result = output_write(text, 300000, &closed, &e);
	free(text);
	return result == -1 && !closed ? (int)e.code : 98;
}

START_TEST(a_signal_just_before_a_write_ends_it_when_the_pipe_is_full)
{
	ck_assert_int_eq(in_child(more_than_fits), ERR_SIGTERM);
}
END_TEST

static int
reader_gone(void)
{
	bool closed = false;

	pipe_as_stdout();
	close(ends[0]);
	return output_write("x\n", 2, &closed, &e) == -1 && closed ? (int)e.code : 98;
}

START_TEST(a_reader_that_has_gone_is_told_as_closed)
{
	ck_assert_int_eq(in_child(reader_gone), ERR_IO);
}
END_TEST

/* Another process writes into the same pipe between our writes: so each write must end with a line. */
static int
whole_lines(void)
{
	char *text = lines(60000, 100);
	char piece[65536];
	bool closed = false;
	ssize_t n;

	pipe_as_stdout();
	/* In packet mode a read gives what one write wrote. */
	if (fcntl(STDOUT_FILENO, F_SETFL, O_DIRECT) != 0 || output_write(text, 60000, &closed, &e) != 0)
		return 97;
	for (size_t total = 0; total < 60000; total += (size_t)n) {
		n = read(ends[0], piece, sizeof piece);
		if (n <= 0 || piece[n - 1] != '\n')
			return 98;
	}
	free(text);
	return 0;
}

START_TEST(a_write_ends_with_a_line_so_that_several_may_share_a_pipe)
{
	ck_assert_int_eq(in_child(whole_lines), 0);
}
END_TEST

static int
long_line(void)
{
	char *text = lines(20000, 20000);
	char piece[65536];
	bool closed = false;

	pipe_as_stdout();
	if (output_write(text, 20000, &closed, &e) != 0 || read(ends[0], piece, sizeof piece) != 20000 ||
	    memcmp(piece, text, 20000) != 0)
		return 98;
	free(text);
	return 0;
}

START_TEST(a_long_line_comes_out_as_it_is)
{
	ck_assert_int_eq(in_child(long_line), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("output");
	TCase *t = tcase_create("output");
	SRunner *runner;
	int failed;

	tcase_add_test(t, a_signal_just_before_a_write_ends_it_when_the_pipe_is_full);
	tcase_add_test(t, a_reader_that_has_gone_is_told_as_closed);
	tcase_add_test(t, a_write_ends_with_a_line_so_that_several_may_share_a_pipe);
	tcase_add_test(t, a_long_line_comes_out_as_it_is);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
