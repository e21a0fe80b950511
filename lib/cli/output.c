#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/sig.h"

/*
 * As much as a pipe takes without blocking once it is writable: PIPE_BUF. A
 * larger write would block until all of it is taken, and a signal that came
 * just before it would not end that.
 */
static size_t
piece(const char *bytes, size_t length)
{
	const char *newline;

	if (length <= PIPE_BUF)
		return length;
	newline = memrchr(bytes, '\n', PIPE_BUF);
	return newline != NULL ? (size_t)(newline - bytes) + 1 : PIPE_BUF;
}

int
output_write(const char *bytes, size_t length, bool *closed, struct err *e)
{
	struct pollfd p[2] = {{.fd = STDOUT_FILENO, .events = POLLOUT}, {.fd = sig_fd(), .events = POLLIN}};
	size_t done = 0;

	while (done < length) {
		ssize_t n;

		/* Writable first: a signal ends only the wait for a reader that does not read. */
		(void)poll(p, 2, -1);
		if (p[0].revents == 0 && sig_check(e) != 0)
			return -1;
		if (p[0].revents == 0)
			continue;
		n = write(STDOUT_FILENO, bytes + done, piece(bytes + done, length - done));
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EINTR && errno != EAGAIN) {
			*closed = errno == EPIPE;
			return err_set(e, ERR_IO, "cannot write standard output: %s", strerror(errno));
		}
	}
	return 0;
}
