#include "db/private_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"

/* What the child reports: less than PIPE_BUF, so it arrives whole or not at all. */
struct report {
	int rc;
	struct err e;
};

/* Enter the folder first: root may, while the server's user may not even see the way there. */
static int
become(const struct private_home *h, struct err *e)
{
	if (chdir(h->folder) != 0)
		return err_errno(e, errno, "cannot enter %s", h->folder);
	if (geteuid() == 0 && (initgroups(h->user, h->gid) != 0 || setgid(h->gid) != 0 || setuid(h->uid) != 0))
		return err_errno(e, errno, "cannot become user %s, to run PostgreSQL", h->user);
	return 0;
}

/* A child of ours and the pipe it writes to. */
struct child {
	pid_t pid;
	int fd;
	bool told; /* of our signal */
};

static int
child_fork(struct child *child, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(e, errno, "cannot make a pipe");
	/* What is begun after a signal is there to tidy up. */
	child->told = sig_pending();
	child->pid = fork();
	if (child->pid < 0) {
		err_errno(e, errno, "cannot make a process");
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	child->fd = fds[child->pid == 0 ? 1 : 0];
	close(fds[child->pid == 0 ? 0 : 1]);
	return 0;
}

/* Read what it writes; a signal that comes meanwhile is passed on to it, once. */
static ssize_t
child_read(struct child *child, void *bytes, size_t size)
{
	for (;;) {
		struct pollfd fds[2] = {
		    {.fd = child->fd, .events = POLLIN},
		    {.fd = child->told ? -1 : sig_fd(), .events = POLLIN},
		};
		ssize_t length;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (fds[1].revents != 0) {
			kill(child->pid, SIGTERM);
			child->told = true;
		}
		if (fds[0].revents == 0)
			continue;
		length = read(child->fd, bytes, size);
		if (length >= 0 || errno != EINTR)
			return length;
	}
}

/* Its exit status as a shell has it; -1 if somebody set SIGCHLD to be ignored. */
static int
child_wait(struct child *child)
{
	int status;

	close(child->fd);
	while (waitpid(child->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
private_child_run(const struct private_home *h, int (*work)(const struct private_home *h, struct err *e), struct err *e)
{
	static char data[] = "data";
	static char run[] = "run";
	struct private_home inside = *h;
	struct report report = {.rc = -1};
	struct child child;
	ssize_t length;

	inside.data = data;
	if (!h->outside)
		inside.sockets = run;
	if (child_fork(&child, e) != 0)
		return -1;
	if (child.pid == 0) {
		/* Of the terminal's signals only the parent hears. */
		setsid();
		signal(SIGCHLD, SIG_DFL);
		umask(077);
		if (become(h, &report.e) == 0)
			report.rc = work(&inside, &report.e);
		length = write(child.fd, &report, sizeof report);
		_exit(length == (ssize_t)sizeof report ? 0 : 1);
	}
	length = child_read(&child, &report, sizeof report);
	child_wait(&child);
	if (length != (ssize_t)sizeof report) {
		report.rc = -1;
		err_set(&report.e, ERR_AGAIN, "the process that starts PostgreSQL was killed");
	}
	/* Only we know which signal it was. */
	if (report.rc < 0 && sig_check(e) == 0)
		*e = report.e;
	return report.rc;
}

int
private_child_output(const char *folder, const char *const *argv, struct buf *output, struct err *e)
{
	struct child child;
	char bytes[4096];
	ssize_t length;

	if (child_fork(&child, e) != 0)
		return -1;
	if (child.pid == 0)
		private_child_exec(folder, child.fd, argv);
	while ((length = child_read(&child, bytes, sizeof bytes)) > 0)
		buf_append(output, bytes, (size_t)length);
	return child_wait(&child);
}

static void
clean_environment(void)
{
	/* Settings of a client (PG*, LC_*, secrets) are not the server's. */
	static const char *const kept[] = {"PATH", "LD_LIBRARY_PATH", "HOME", "PG_GRANDPARENT_PID"};
	char *values[sizeof kept / sizeof *kept];

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		values[i] = getenv(kept[i]) != NULL ? buf_strdup(getenv(kept[i])) : NULL;
	clearenv();
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (values[i] != NULL)
			setenv(kept[i], values[i], 1);
	setenv("LC_ALL", "C", 1);
}

/* Out of the way of 0 to 3, which may be free if our caller closed them. */
static int
high(int fd)
{
	return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 4) : -1;
}

const char *
private_child_folder(const char *path)
{
	return access(path, X_OK) == 0 ? path : "/proc/self/fd/3";
}

void
private_child_exec(const char *folder, int output, const char *const *argv)
{
	union {
		const char *const *in;
		char *const *out;
	} arguments = {.in = argv}; /* execvp takes them unchanged, its type only does not say so */
	int nothing = high(open("/dev/null", O_RDONLY | O_CLOEXEC));
	int standing = folder != NULL ? high(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) : -1;
	sigset_t none;

	/* PostgreSQL goes back and forth between folders by name, so where it stands it must be able to return to. */
	if (nothing < 0 || (folder != NULL && standing < 0) || setsid() < 0 || chdir("/") != 0 || dup2(output, 1) < 0 ||
	    dup2(output, 2) < 0 || dup2(nothing, 0) < 0 || (standing >= 0 && dup2(standing, 3) < 0))
		_exit(126);
	clean_environment();
	sig_default();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A shell's $(...) or flock waits as long as anybody has its descriptor. */
	closefrom(standing >= 0 ? 4 : 3);
	execvp(argv[0], arguments.out);
	dprintf(2, "FATAL:  cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}
