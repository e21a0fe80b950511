#ifndef CONTRACT_MEANWHILE_H
#define CONTRACT_MEANWHILE_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"

/* What another session does while the case waits. */

static inline void
session_wait_until(struct pg *pg, const char *condition)
{
	char *sql = buf_format("SELECT (%s)::int", condition);

	while (session_int(pg, sql) == 0)
		continue;
	free(sql);
}

/*
 * In a process and a session of its own: wait until `condition` holds, then run
 * `sql` (if any) and send `number` (if any) to this process.
 */
static inline pid_t
session_meanwhile(const char *condition, const char *sql, int number)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	struct err e;
	struct pg *pg;

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	pg = session_open("application_name=meanwhile");
	session_wait_until(pg, condition);
	if (sql != NULL)
		OK(pg_exec(pg, sql, &e));
	if (number != 0)
		kill(parent, number);
	pg_close(pg);
	_exit(0);
}

static inline void
session_join(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		continue;
	ck_assert_int_eq(status, 0);
}

#endif
