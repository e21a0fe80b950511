#include "crew.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/sig.h"
#include "flow/site.h"
#include "queue/queue.h"

#include "pipeline.h"

/*
 * A worker that ends is started again after this, doubled each time it lived
 * less than ten times as long as it had been waited for: at most a tenth of
 * the time goes into waiting, unless it cannot live at all. Milliseconds.
 */
#define PAUSE_MS 200
#define LOOK_MS 1000 /* at the private server */
#define LONGEST_PAUSE_MS 30000

struct member {
	const char *const *argv;
	pid_t pid;     /* 0: not running */
	int64_t began; /* when it was started last */
	int64_t start; /* when it is to be started */
	int64_t pause; /* before the next start */
	unsigned starts;
};

#define MEMBERS 3

/* Both only end the wait: they are blocked but in it. */
static volatile sig_atomic_t asked;

static void
on_signal(int number)
{
	if (number == SIGUSR1)
		asked = 1;
}

/* SIGCHLD and SIGUSR1 come only in ppoll, with the mask that *waiting gets. */
static void
listen_to_signals(sigset_t *waiting)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t both;

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGCHLD);
	sigprocmask(SIG_BLOCK, &both, waiting);
	sigdelset(waiting, SIGUSR1);
	sigdelset(waiting, SIGCHLD);
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
ended(struct member *m, int status)
{
	int64_t now = clk_now(clk_system());

	m->pid = 0;
	m->pause = now - m->began >= 10 * m->pause   ? PAUSE_MS
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
reap(struct member *members)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < MEMBERS; i++)
			if (members[i].pid == pid)
				ended(&members[i], status);
}

/* What the queues hold: "split 0, load 12+2, index 3+1, dead 0 (waiting+at work)". */
static void
tell_queues(const struct site *site, struct buf *line)
{
	struct err e = {0};
	struct queue *queue = site_queue(site, &e);
	struct queue_depth depth;

	buf_string(line, "; messages waiting+at work:");
	for (int i = 0; queue != NULL && i < QUEUE_COUNT; i++) {
		if (queue_depth(queue, (enum queue_name)i, &depth, &e) != 0)
			break;
		buf_printf(line, "%s %s %" PRIu64 "+%" PRIu64, i > 0 ? "," : "", queue_stage((enum queue_name)i),
		    depth.visible, depth.in_flight);
	}
	if (e.code != ERR_NONE)
		buf_printf(line, " unknown: %s", e.message);
	queue_close(queue);
}

/* In a child: a database that does not answer must not keep workers from being started. */
static void
tell(const struct member *members, const struct site *site)
{
	struct buf line = {0};

	if (fork() != 0)
		return;
	for (size_t i = 0; i < MEMBERS; i++) {
		buf_printf(&line, "%s%s ", i > 0 ? ", " : "", members[i].argv[0]);
		if (members[i].pid > 0)
			buf_printf(&line, "%d up %" PRId64 " s", (int)members[i].pid,
			    (clk_now(clk_system()) - members[i].began) / 1000);
		else
			buf_string(&line, "down");
		buf_printf(&line, " (started %u times)", members[i].starts);
	}
	tell_queues(site, &line);
	log_error("%s", line.bytes);
	_exit(0);
}

/* Pass the signal on, and wait: each hands back what it has. */
static void
stop(struct member *members)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (members[i].pid > 0)
			kill(members[i].pid, SIGTERM);
	for (size_t i = 0; i < MEMBERS; i++)
		while (members[i].pid > 0 && waitpid(members[i].pid, NULL, 0) < 0 && errno == EINTR)
			continue;
}

/* Start what is to run and does not; *next gets how long until that is due again, -1: nothing is. */
static int
start_due(struct member *members, int64_t *next, struct err *e)
{
	int64_t now = clk_now(clk_system());

	*next = -1;
	for (size_t i = 0; i < MEMBERS; i++) {
		struct member *m = &members[i];

		if (m->pid > 0)
			continue;
		if (now >= m->start && start(m, e) != 0)
			return -1;
		if (m->pid == 0 && (*next < 0 || m->start - now < *next))
			*next = m->start - now;
	}
	return 0;
}

static int
watch(struct member *members, const struct site *site, const sigset_t *waiting, struct err *e)
{
	struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};
	int64_t next;

	while (sig_check(e) == 0) {
		struct timespec pause;

		reap(members);
		if (start_due(members, &next, e) != 0)
			return -1;
		if (asked) {
			asked = 0;
			tell(members, site);
		}
		site_revive(site);
		if (next < 0 || next > LOOK_MS)
			next = LOOK_MS;
		pause = (struct timespec){.tv_sec = next / 1000, .tv_nsec = next % 1000 * 1000000};
		if (ppoll(&wake, 1, &pause, waiting) < 0 && errno != EINTR)
			return err_errno(e, errno, "ppoll");
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
crew_run(const struct site *site, uint64_t threads, const char *const *arguments, struct err *e)
{
	static const char *const names[MEMBERS] = {"csvp-split", "csvp-load", "csvp-index"};
	struct member members[MEMBERS];
	sigset_t waiting;
	char jobs[32];
	int result;

	listen_to_signals(&waiting);
	/* Workers wait for a private server: it is started here if it dies, and not if somebody stops it. */
	setenv("CSVP_AUTOSTART", "no", 1);
	snprintf(jobs, sizeof jobs, "--jobs=%" PRIu64, threads);
	for (size_t i = 0; i < MEMBERS; i++)
		members[i] =
		    (struct member){.argv = worker_argv(names[i], i > 0 ? jobs : NULL, arguments), .pause = PAUSE_MS};
	result = watch(members, site, &waiting, e);
	stop(members);
	for (size_t i = 0; i < MEMBERS; i++)
		free((void *)(uintptr_t)members[i].argv);
	return result;
}
