#include "crew.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/sig.h"

#include "pipeline.h"

/* A worker that ends is started again after this, doubled each time it lived less than a minute. Milliseconds. */
#define PAUSE_MS 200
#define LONGEST_PAUSE_MS 30000
#define LIVED_MS 60000

/* A child that ends wakes nobody up here: it is looked for this often. */
#define LOOK_MS 100

struct member {
	const char *const *argv;
	pid_t pid;     /* 0: not running */
	int64_t began; /* when it was started last */
	int64_t start; /* when it is to be started */
	int64_t pause; /* before the next start */
	unsigned starts;
};

static volatile sig_atomic_t asked;

static void
on_usr1(int number)
{
	(void)number;
	asked = 1;
}

static int
start(struct member *m, struct err *e)
{
	m->pid = pipeline_start(m->argv, e);
	if (m->pid < 0) {
		m->pid = 0;
		return -1;
	}
	m->began = clk_now(clk_system());
	m->starts++;
	log_detail("%s: started as %d", m->argv[0], (int)m->pid);
	return 0;
}

static void
reap(struct member *m)
{
	int64_t now = clk_now(clk_system());
	int status;

	if (m->pid == 0 || waitpid(m->pid, &status, WNOHANG) != m->pid)
		return;
	m->pid = 0;
	m->pause = now - m->began >= LIVED_MS        ? PAUSE_MS
		   : m->pause * 2 < LONGEST_PAUSE_MS ? m->pause * 2
						     : LONGEST_PAUSE_MS;
	m->start = now + m->pause;
	if (WIFEXITED(status))
		log_error("%s ended with %d; it is started again in %" PRId64 " ms", m->argv[0], WEXITSTATUS(status),
		    m->pause);
	else
		log_error("%s was killed by signal %d; it is started again in %" PRId64 " ms", m->argv[0],
		    WTERMSIG(status), m->pause);
}

static void
tell(const struct member *members, size_t count)
{
	struct buf line = {0};

	for (size_t i = 0; i < count; i++) {
		buf_printf(&line, "%s%s ", i > 0 ? ", " : "", members[i].argv[0]);
		if (members[i].pid > 0)
			buf_printf(&line, "%d up %" PRId64 " s", (int)members[i].pid,
			    (clk_now(clk_system()) - members[i].began) / 1000);
		else
			buf_string(&line, "down");
		buf_printf(&line, " (started %u times)", members[i].starts);
	}
	log_error("%s", line.bytes);
	buf_fini(&line);
}

/* Pass the signal on, and wait: each hands back what it has. */
static void
stop(struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (members[i].pid > 0)
			kill(members[i].pid, SIGTERM);
	for (size_t i = 0; i < count; i++)
		while (members[i].pid > 0 && waitpid(members[i].pid, NULL, 0) < 0 && errno == EINTR)
			continue;
}

static int
watch(struct member *members, size_t count, struct err *e)
{
	struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};

	while (sig_check(e) == 0) {
		for (size_t i = 0; i < count; i++) {
			reap(&members[i]);
			if (members[i].pid == 0 && clk_now(clk_system()) >= members[i].start &&
			    start(&members[i], e) != 0)
				return -1;
		}
		if (asked) {
			asked = 0;
			tell(members, count);
		}
		if (poll(&wake, 1, LOOK_MS) < 0 && errno != EINTR)
			return err_errno(e, errno, "poll");
	}
	e->message[0] = '\0';
	return -1;
}

/* NAME --worker [--jobs=N] ARGUMENTS...; freed by the caller. */
static const char **
worker_argv(const char *name, const char *jobs, const char *const *arguments)
{
	size_t count = 0, given = 0;
	const char **argv;

	while (arguments[given] != NULL)
		given++;
	argv = buf_calloc(given + 4, sizeof *argv);
	argv[count++] = name;
	argv[count++] = "--worker";
	if (jobs != NULL)
		argv[count++] = jobs;
	for (size_t i = 0; i < given; i++)
		argv[count++] = arguments[i];
	return argv;
}

int
crew_run(uint64_t threads, const char *const *arguments, struct err *e)
{
	static const char *const names[] = {"csvp-split", "csvp-load", "csvp-index"};
	struct sigaction action = {.sa_handler = on_usr1};
	struct member members[3];
	char jobs[32];
	int result;

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	snprintf(jobs, sizeof jobs, "--jobs=%" PRIu64, threads);
	for (size_t i = 0; i < 3; i++)
		members[i] =
		    (struct member){.argv = worker_argv(names[i], i > 0 ? jobs : NULL, arguments), .pause = PAUSE_MS};
	result = watch(members, 3, e);
	stop(members, 3);
	for (size_t i = 0; i < 3; i++)
		free((void *)(uintptr_t)members[i].argv);
	return result;
}
