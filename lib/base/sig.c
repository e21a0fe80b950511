#include "base/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/err.h"

/*
 * One request often comes twice: timeout(1) sends it to the program and then to
 * its group; a terminal sends it to a whole group and systemd to a whole unit,
 * in which the parent passes it on as well. What comes so soon after the first
 * is the first. Milliseconds.
 */
enum { ONE_REQUEST_MS = 200 };

static _Atomic int caught;
static _Atomic int64_t caught_at; /* when, by clk_system */
static int wake[2] = {-1, -1};
static void (*before_end)(void);
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void
on_signal(int number)
{
	int saved = errno;

	if (caught != 0) {
		if (clk_now(clk_system()) - caught_at < ONE_REQUEST_MS)
			return;
		if (before_end != NULL)
			before_end();
		_exit(128 + number);
	}
	caught_at = clk_now(clk_system());
	caught = number;
	if (wake[1] >= 0) {
		ssize_t ignored = write(wake[1], "", 1);
		(void)ignored;
	}
	errno = saved;
}

void
sig_init(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		wake[0] = wake[1] = -1;
	sigemptyset(&action.sa_mask);
	/* No SA_RESTART: a blocked read returns EINTR, so that the loop around it looks at the flag. */
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction old;

		/* nohup(1) ignores SIGHUP and a shell ignores SIGINT for `cmd &`: keep that. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

void
sig_before_end(void (*act)(void))
{
	before_end = act;
}

bool
sig_pending(void)
{
	return caught != 0;
}

int
sig_check(struct err *e)
{
	if (caught == 0)
		return 0;
	return err_set(e, caught == SIGINT ? ERR_SIGINT : ERR_SIGTERM, "interrupted by %s",
	    caught == SIGINT   ? "SIGINT"
	    : caught == SIGHUP ? "SIGHUP"
			       : "SIGTERM");
}

int
sig_fd(void)
{
	return wake[0];
}

void
sig_default(void)
{
	sigset_t none;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
