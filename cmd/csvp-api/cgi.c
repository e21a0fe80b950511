#include "cgi.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sig.h"
#include "gateway.h"

static const char *
variable(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static ssize_t
read_body(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	ssize_t got;

	(void)ctx;
	do {
		if (sig_check(e) != 0)
			return -1;
		got = read(STDIN_FILENO, bytes, capacity);
	} while (got < 0 && errno == EINTR);
	return got >= 0 ? got : err_errno(e, errno, "the body cannot be read");
}

static int
write_answer(void *ctx, const void *bytes, size_t length, struct err *e)
{
	const char *at = bytes;

	(void)ctx;
	while (length > 0) {
		ssize_t put = write(STDOUT_FILENO, at, length);

		if (put < 0 && errno != EINTR)
			return err_errno(e, errno, "the answer cannot be written");
		if (put < 0 && sig_check(e) != 0)
			return -1;
		if (put > 0) {
			at += put;
			length -= (size_t)put;
		}
	}
	return 0;
}

/* A web server takes the end of a program's output for the end of the answer, whatever its exit status. */
static void
cut(void *ctx)
{
	(void)ctx;
}

bool
cgi_started(void)
{
	return variable(NULL, "GATEWAY_INTERFACE") != NULL;
}

const struct gateway *
cgi_gateway(void)
{
	static const struct gateway gateway = {variable, read_body, write_answer, cut, NULL, NULL};

	return &gateway;
}
