#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sig.h"

/* The other screen, without cursor and line wrap, and back (the private modes 1049, 25 and 7 of xterm, which all know). */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

static volatile sig_atomic_t entered;
static volatile sig_atomic_t stopped; /* SIGTSTP has come */
static volatile sig_atomic_t resized;

static const int deadly[] = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static void
put(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		length -= (size_t)n;
	}
}

/* Async-signal-safe, and harmless when called twice. */
static void
restore(void)
{
	if (!entered)
		return;
	entered = 0;
	put(leave, sizeof leave - 1);
}

static void
on_deadly(int number)
{
	restore();
	signal(number, SIG_DFL);
	raise(number);
}

static void
on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static void
on_resize(int number)
{
	(void)number;
	resized = 1;
}

/* Without SA_RESTART: the wait ends, and the picture is drawn anew. */
static void
handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler}, old;

	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

bool
screen_open(void)
{
	if (isatty(STDOUT_FILENO) == 0)
		return false;
	sig_before_end(restore);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		handle(deadly[i], on_deadly);
	handle(SIGTSTP, on_stop);
	handle(SIGWINCH, on_resize);
	entered = 1;
	put(enter, sizeof enter - 1);
	return true;
}

void
screen_close(void)
{
	restore();
	sig_before_end(NULL);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		handle(deadly[i], SIG_DFL);
	handle(SIGTSTP, SIG_DFL);
	handle(SIGWINCH, SIG_DFL);
}

/* The shell gets its terminal back until it lets us go on. */
static void
stop(void)
{
	stopped = 0;
	restore();
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	handle(SIGTSTP, on_stop);
	entered = 1;
	put(enter, sizeof enter - 1);
}

static size_t
count_lines(const char *lines)
{
	size_t count = 0;

	for (; (lines = strchr(lines, '\n')) != NULL; lines++)
		count++;
	return count;
}

void
screen_draw(const char *lines, size_t head)
{
	struct winsize size = {.ws_row = 24};
	size_t rows, count = count_lines(lines), skip;
	bool first = true;
	struct buf out = {0};

	if (!entered)
		return;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 2)
		size.ws_row = 24;
	rows = size.ws_row;
	skip = count > rows ? count - rows : 0;
	buf_string(&out, resized ? "\033[H\033[2J" : "\033[H");
	resized = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(lines, "\n");

		if (i < head || i >= head + skip) {
			/* No newline behind the last line of the screen: it would scroll. */
			buf_string(&out, first ? "" : "\r\n");
			first = false;
			buf_append(&out, lines, length);
			buf_string(&out, "\033[K");
		}
		lines += length + 1;
	}
	buf_string(&out, "\033[J");
	put(out.bytes, out.length);
	buf_fini(&out);
}

void
screen_wait(int64_t milliseconds)
{
	struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};

	if (!stopped && !resized)
		(void)poll(&wake, 1, (int)milliseconds);
	if (stopped)
		stop();
}
