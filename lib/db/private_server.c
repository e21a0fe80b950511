#include "db/private_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/num.h"
#include "base/sig.h"

#define SOCKET ".s.PGSQL." PRIVATE_PORT

enum {
	PATIENCE_MS = 60000, /* recovery after a crash, or the last checkpoint, on a slow disk */
	LOOK_MS = 20
};

/* A lock file of PostgreSQL's: line 1 is the process, in postmaster.pid line 8 how far it is. False: there is none. */
static bool
read_lock_file(const char *folder, const char *name, int64_t *pid, char status[16])
{
	char *path = buf_format("%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	char line[4096];

	*pid = 0;
	status[0] = '\0';
	free(path);
	if (file == NULL)
		return false;
	for (int number = 1; number <= 8 && fgets(line, sizeof line, file) != NULL; number++) {
		line[strcspn(line, " \n")] = '\0';
		if (number == 1)
			num_int64(line, pid);
		if (number == 8)
			snprintf(status, 16, "%.15s", line);
	}
	fclose(file);
	return *pid > 1;
}

static bool
answers(const struct private_home *h)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	if (fd < 0)
		return false;
	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", h->sockets, SOCKET);
	/* EAGAIN: somebody listens, but has no time just now. */
	yes = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
	close(fd);
	return yes;
}

bool
private_server_ready(const struct private_home *h)
{
	char status[16];
	int64_t pid;

	return read_lock_file(h->data, "postmaster.pid", &pid, status) && strcmp(status, "ready") == 0 && answers(h);
}

/* A number in a file may by now be anybody's: our server is the process that stands in our data folder. */
static bool
is_server(const struct private_home *h, int64_t pid)
{
	struct stat ours, its;
	char path[64];

	snprintf(path, sizeof path, "/proc/%" PRId64 "/cwd", pid);
	return stat(h->data, &ours) == 0 && stat(path, &its) == 0 && ours.st_dev == its.st_dev &&
	       ours.st_ino == its.st_ino;
}

/* Its process, 0 if it does not run. */
static pid_t
find_server(const struct private_home *h, char status[16])
{
	int64_t pid;

	return read_lock_file(h->data, "postmaster.pid", &pid, status) && is_server(h, pid) ? (pid_t)pid : 0;
}

/* Between two looks at a condition. */
static int
look_again(int64_t deadline, const char *what, struct err *e)
{
	struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};

	poll(&wake, 1, LOOK_MS);
	if (sig_check(e) != 0)
		return -1;
	if (clk_now(clk_system()) < deadline)
		return 0;
	return err_set(e, ERR_AGAIN, "PostgreSQL is still %s after %d s", what, PATIENCE_MS / 1000);
}

static int64_t
patience(void)
{
	return clk_now(clk_system()) + PATIENCE_MS;
}

int
private_server_stop(const struct private_home *h, struct err *e)
{
	int64_t deadline = patience();
	char status[16];
	pid_t pid = find_server(h, status);

	if (pid == 0)
		return 0;
	/* Fast shutdown: sessions are ended, their transactions rolled back. */
	if (kill(pid, SIGINT) != 0 && errno != ESRCH)
		return err_errno(e, errno, "cannot stop PostgreSQL, process %d", (int)pid);
	while (find_server(h, status) == pid)
		if (look_again(deadline, "shutting down", e) != 0)
			return -1;
	return 1;
}

int
private_server_settle(const struct private_home *h, struct err *e)
{
	int64_t deadline = patience();
	char status[16];

	while (find_server(h, status) != 0) {
		if (private_server_ready(h))
			return 1;
		/* Somebody removed its socket: nobody will reach it any more. */
		if (strcmp(status, "ready") == 0)
			return private_server_stop(h, e) < 0 ? -1 : 0;
		if (look_again(deadline, strcmp(status, "stopping") == 0 ? "shutting down" : "starting up", e) != 0)
			return -1;
	}
	return 0;
}

/*
 * Somebody answers although no server of ours runs: that of a HOME by the same
 * name, deleted under its server. It goes, for at its end it would take our
 * socket away with its own.
 */
static int
end_orphan(const struct private_home *h, struct err *e)
{
	char link[64], target[4096], status[16];
	ssize_t length;
	int64_t pid;

	read_lock_file(h->sockets, SOCKET ".lock", &pid, status);
	snprintf(link, sizeof link, "/proc/%" PRId64 "/cwd", pid);
	length = readlink(link, target, sizeof target - 1);
	target[length > 0 ? length : 0] = '\0';
	if (strstr(target, " (deleted)") == NULL)
		return err_set(e, ERR_AGAIN, "another PostgreSQL, process %" PRId64 ", listens in %s; hint: stop it",
		    pid, h->sockets);
	kill((pid_t)pid, SIGQUIT);
	return 0;
}

/*
 * Make the socket's folder, with no socket in it. The files of a server that
 * was killed go: PostgreSQL would ask whether the process whose number they
 * hold lives, and that may by now be anybody.
 */
static int
clear_sockets(const struct private_home *h, struct err *e)
{
	static const char *const files[] = {SOCKET, SOCKET ".lock"};
	int64_t deadline = patience();

	if (mkdir(h->sockets, 0700) != 0 && errno != EEXIST)
		return err_errno(e, errno, "cannot make %s", h->sockets);
	if (private_home_sockets(h, e) < 0)
		return -1;
	while (answers(h))
		if (end_orphan(h, e) != 0 || look_again(deadline, "shutting down", e) != 0)
			return -1;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char *path = buf_format("%s/%s", h->sockets, files[i]);
		int rc = unlink(path) == 0 || errno == ENOENT ? 0 : err_errno(e, errno, "cannot remove %s", path);

		free(path);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
data_version(void)
{
	FILE *file = fopen("data/PG_VERSION", "re");
	int version = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &version) != 1)
		version = 0;
	fclose(file);
	return version;
}

/* In the new process. */
static void __attribute__((noreturn)) become_server(const struct private_home *h, const char *program, const char *data)
{
	int log = open("log/start.log", O_WRONLY | O_CLOEXEC | O_CREAT | O_TRUNC | O_APPEND, 0600);
	char status[16], text[24];
	int64_t stale;

	/*
	 * After a reboot the process number in a left-over lock file may be another
	 * program's, and PostgreSQL would wait for that one to go. It disregards a
	 * number it is told is its own grandparent's (so pg_ctl does it); its check
	 * of the shared memory still finds a server that really runs.
	 */
	if (read_lock_file(h->data, "postmaster.pid", &stale, status)) {
		snprintf(text, sizeof text, "%" PRId64, stale);
		setenv("PG_GRANDPARENT_PID", text, 1);
	}
	private_child_exec(h->data, log,
	    (const char *const[]){program, "-D", private_child_folder(data), "-k", h->outside ? h->sockets : "../run",
		"-p", PRIVATE_PORT, NULL});
}

/* The last thing that went wrong, in start.log or, once the server had opened it, in the newest log. */
static void
last_words(struct buf *words)
{
	glob_t logs;
	time_t newest = 0;

	buf_string(words, "see its log");
	if (glob("log/*.log", 0, NULL, &logs) != 0)
		return;
	for (size_t i = 0; i < logs.gl_pathc; i++) {
		FILE *file = fopen(logs.gl_pathv[i], "re");
		char line[2000];
		struct stat st;

		if (file == NULL)
			continue;
		while (
		    fstat(fileno(file), &st) == 0 && st.st_mtime >= newest && fgets(line, sizeof line, file) != NULL) {
			const char *what = strstr(line, "FATAL:  ");

			what = what != NULL ? what : strstr(line, "PANIC:  ");
			if (what == NULL)
				continue;
			newest = st.st_mtime;
			buf_reset(words);
			buf_append(words, what + 8, strcspn(what + 8, "\n"));
		}
		fclose(file);
	}
	globfree(&logs);
}

/* 1 ready, 0 it ended before and may be tried again, -1. */
static int
try_start(const struct private_home *h, const char *program, int64_t deadline, struct err *e)
{
	char *data = buf_format("%s/data", h->folder);
	struct buf words = {0};
	pid_t pid = fork();
	int rc = -1;

	if (pid == 0)
		become_server(h, program, data);
	free(data);
	if (pid < 0)
		return err_errno(e, errno, "cannot make a process");
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (private_server_ready(h))
			return 1;
		if (look_again(deadline, "starting up", e) != 0)
			return -1;
	}
	last_words(&words);
	/* After kill -9 of the server its sessions take a moment to notice. */
	if (strstr(words.bytes, "shared memory block") != NULL)
		rc = look_again(deadline, "waiting for the sessions of a killed server", e);
	else
		err_set(e, strstr(words.bytes, "No space left") != NULL ? ERR_IO : ERR_AGAIN, "%s", words.bytes);
	buf_fini(&words);
	return rc;
}

int
private_server_start(const struct private_home *h, struct err *e)
{
	int64_t deadline = patience();
	struct buf binaries = {0};
	char *program = NULL;
	int version;
	int rc = -1;

	if (private_binaries_find(data_version(), &binaries, &version, e) != 0)
		goto done;
	program = buf_format("%s/postgres", binaries.bytes);
	if (mkdir("log", 0700) != 0 && errno != EEXIST)
		err_errno(e, errno, "cannot make the folder log");
	else if (clear_sockets(h, e) == 0)
		do
			rc = try_start(h, program, deadline, e);
		while (rc == 0);
	if (rc < 0)
		err_prefix(e, "cannot start PostgreSQL in %s", h->folder);
done:
	free(program);
	buf_fini(&binaries);
	return rc < 0 ? -1 : 0;
}
