#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "scratch.h"

static struct err e;

static bool
readable(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

START_TEST(without_a_signal_nothing_is_pending)
{
	ck_assert_int_eq(sig_fd(), -1);
	sig_init();
	ck_assert(!sig_pending());
	ck_assert_int_eq(sig_check(&e), 0);
	ck_assert_int_ge(sig_fd(), 0);
	ck_assert(!readable(sig_fd()));
}
END_TEST

/* In a child, because a program takes only one. */
static void
expect_taken(int number, enum err_code code, const char *message)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		sig_init();
		raise(number);
		_exit(sig_pending() && sig_check(&e) == -1 && e.code == code && strcmp(e.message, message) == 0 &&
			      readable(sig_fd()) && readable(sig_fd())
			  ? 0
			  : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

START_TEST(a_signal_is_pending_until_the_end_and_wakes_a_poll)
{
	expect_taken(SIGINT, ERR_SIGINT, "interrupted by SIGINT");
	expect_taken(SIGTERM, ERR_SIGTERM, "interrupted by SIGTERM");
	expect_taken(SIGHUP, ERR_SIGTERM, "interrupted by SIGHUP");
}
END_TEST

START_TEST(a_second_signal_ends_the_program_at_once)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		sig_init();
		raise(SIGTERM);
		for (;;)
			raise(SIGINT);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 128 + SIGINT);
}
END_TEST

START_TEST(a_signal_that_is_sent_by_two_is_one)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		sig_init();
		raise(SIGINT);
		raise(SIGTERM);
		_exit(sig_check(&e) == -1 && e.code == ERR_SIGINT ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(a_sleep_ends_with_a_signal_that_came_before)
{
	sig_init();
	raise(SIGTERM);
	clk_sleep(clk_system(), 3600000);
	ck_assert(sig_pending());
}
END_TEST

START_TEST(a_blocked_call_is_interrupted_not_restarted)
{
	struct sigaction action;

	sig_init();
	ck_assert_int_eq(sigaction(SIGTERM, NULL, &action), 0);
	ck_assert_int_eq(action.sa_flags & SA_RESTART, 0);
}
END_TEST

START_TEST(what_was_ignored_stays_ignored)
{
	/* nohup(1), and a shell's background commands. */
	signal(SIGHUP, SIG_IGN);
	sig_init();
	raise(SIGHUP);
	ck_assert(!sig_pending());
	raise(SIGTERM);
	ck_assert(sig_pending());
}
END_TEST

START_TEST(a_closed_pipe_is_an_error_not_a_death)
{
	int ends[2];

	sig_init();
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(write(ends[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(a_child_can_have_the_default_actions_again)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

	sigset_t mask;

	sig_init();
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &mask, NULL), 0);
	sig_default();
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	ck_assert(!sigismember(&mask, SIGCHLD));
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction action;

		ck_assert_int_eq(sigaction(numbers[i], NULL, &action), 0);
		ck_assert(action.sa_handler == SIG_DFL);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    without_a_signal_nothing_is_pending,
	    a_signal_is_pending_until_the_end_and_wakes_a_poll,
	    a_second_signal_ends_the_program_at_once,
	    a_signal_that_is_sent_by_two_is_one,
	    a_sleep_ends_with_a_signal_that_came_before,
	    a_blocked_call_is_interrupted_not_restarted,
	    what_was_ignored_stays_ignored,
	    a_closed_pipe_is_an_error_not_a_death,
	    a_child_can_have_the_default_actions_again,
	};

	return scratch_run("sig", tests, sizeof tests / sizeof *tests);
}
