#ifndef UNIT_CAPTURE_H
#define UNIT_CAPTURE_H

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"

/*
 * Run `run` in a child whose descriptor `fd` is a terminal of `columns` cells,
 * or a pipe if that is 0; append to *out what it wrote there. Returns its exit
 * status, 0 if `run` returns.
 */
static int
capture(void (*run)(void *ctx), void *ctx, int fd, int columns, struct buf *out)
{
	struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
	struct termios raw = {0};
	char bytes[4096];
	int ends[2], status;
	ssize_t n;
	pid_t child;

	cfmakeraw(&raw);
	if (columns > 0 ? openpty(&ends[0], &ends[1], NULL, &raw, &size) != 0 : pipe(ends) != 0)
		abort();
	child = fork();
	if (child == 0) {
		dup2(ends[1], fd);
		close(ends[0]);
		close(ends[1]);
		run(ctx);
		fflush(NULL);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof bytes)) > 0)
		buf_append(out, bytes, (size_t)n);
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
