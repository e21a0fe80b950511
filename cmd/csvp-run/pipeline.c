#include "pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sig.h"

/* The program beside this one, so that a build folder needs no PATH; else its name, for PATH. */
static char *
find_program(const char *name)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash, *path;

	if (length <= 0)
		return buf_strdup(name);
	self[length] = '\0';
	slash = strrchr(self, '/');
	path = buf_format("%.*s/%s", (int)(slash - self), self, name);
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return buf_strdup(name);
}

static void __attribute__((noreturn)) become(const char *path, const char *const *argv, int in, int out)
{
	if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || dup2(out, STDOUT_FILENO) < 0)
		_exit(ERR_IO);
	sig_default();
	/* execvp takes char *const[], for historical reasons, and changes nothing. */
	execvp(path, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "csvp-run: %s: %s\n", path, strerror(errno));
	_exit(ERR_CONFIG);
}

/* Start all stages; *out gets the read end of the last one's output. */
static int
start(const struct pipeline_stage *stages, size_t count, pid_t *pids, int *out, struct err *e)
{
	int in = -1;

	for (size_t i = 0; i < count; i++) {
		char *path = find_program(stages[i].argv[0]);
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) != 0) {
			free(path);
			return err_errno(e, errno, "pipe");
		}
		pids[i] = fork();
		if (pids[i] == 0)
			become(path, stages[i].argv, in, ends[1]);
		free(path);
		close(ends[1]);
		if (in >= 0)
			close(in);
		in = ends[0];
		if (pids[i] < 0) {
			close(in);
			return err_errno(e, errno, "fork");
		}
	}
	*out = in;
	return 0;
}

static enum err_code
reap(const pid_t *pids, size_t count)
{
	enum err_code worst = ERR_NONE;

	for (size_t i = 0; i < count; i++) {
		int status;

		while (pids[i] > 0 && waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
			continue;
		if (pids[i] > 0)
			worst = err_worse(worst, WIFEXITED(status) ? (enum err_code)WEXITSTATUS(status) : ERR_AGAIN);
	}
	return worst;
}

static void
signal_all(const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGTERM);
}

int
pipeline_run(const struct pipeline_stage *stages, size_t count,
    int (*each)(void *ctx, const struct ref *ref, struct err *e), void *ctx, enum err_code *code, struct err *e)
{
	pid_t *pids = buf_calloc(count, sizeof *pids);
	struct refs_reader *reader = NULL;
	struct ref ref;
	char *line;
	int out = -1, got = -1;

	if (start(stages, count, pids, &out, e) == 0) {
		reader = refs_open(out);
		while ((got = refs_next(reader, &line, e)) == 1)
			if (refs_parse(line, &ref, e) != 0 || each(ctx, &ref, e) != 0) {
				got = -1;
				break;
			}
		refs_close(reader);
		close(out);
	}
	if (got < 0)
		signal_all(pids, count);
	*code = reap(pids, count);
	free(pids);
	if (got < 0 && sig_check(e) != 0) {
		*code = e->code;
		return 0;
	}
	return got;
}

pid_t
pipeline_start(const char *const *argv, struct err *e)
{
	char *path = find_program(argv[0]);
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		/* A parent that is killed passes nothing on; and it may have been killed before this line. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != self)
			_exit(128 + SIGTERM);
		become(path, argv, -1, STDOUT_FILENO);
	}
	free(path);
	return pid < 0 ? err_errno(e, errno, "fork") : pid;
}

int
pipeline_become(const char *const *argv, struct err *e)
{
	char *path = find_program(argv[0]);

	sig_default();
	execvp(path, (char *const *)(uintptr_t)argv);
	err_errno(e, errno, "%s", path);
	free(path);
	return -1;
}
