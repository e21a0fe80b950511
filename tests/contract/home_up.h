#ifndef CONTRACT_HOME_UP_H
#define CONTRACT_HOME_UP_H

#include <signal.h>

#include "db/pg.h"
#include "home.h"

/* The server of a case's home. */

/* The number it answers SELECT 40 + 2 with. */
static inline int
home_ask(const char *conninfo)
{
	struct err e = {.message = ""};
	struct pg *pg = pg_open(conninfo, &e);
	struct pg_rows *rows;
	int answer;

	ck_assert_msg(pg != NULL, "%s", e.message);
	OK(PG_QUERY(pg, &rows, &e, "SELECT 40 + $1::int", "2"));
	answer = (int)pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	pg_close(pg);
	return answer;
}

static inline void
home_up(void)
{
	struct buf conninfo = {0};
	struct buf again = {0};
	struct err e;

	OK(private_up(home, true, &conninfo, &e));
	ck_assert_int_eq(home_ask(conninfo.bytes), 42);
	ck_assert_int_eq(private_running(home, &again, &e), 1);
	ck_assert_str_eq(again.bytes, conninfo.bytes);
	buf_fini(&conninfo);
	buf_fini(&again);
}

static inline bool
home_running(void)
{
	struct buf conninfo = {0};
	struct err e = {.message = ""};
	int rc = private_running(home, &conninfo, &e);

	ck_assert_msg(rc >= 0, "%s", e.message);
	ck_assert_int_eq(conninfo.length > 0, rc);
	buf_fini(&conninfo);
	return rc == 1;
}

static inline pid_t
home_pid(void)
{
	char *path = buf_format("%s/postgres/data/postmaster.pid", home);
	FILE *file = fopen(path, "r");
	int pid = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
	fclose(file);
	free(path);
	return pid;
}

/* Until the process is no more (or a zombie that nobody collects). */
static inline void
home_wait_gone(pid_t pid)
{
	char *path = buf_format("/proc/%d/cwd", (int)pid);
	char target[16];

	while (kill(pid, 0) == 0 && readlink(path, target, sizeof target) > 0)
		continue;
	free(path);
}

static inline void
home_kill(void)
{
	pid_t pid = home_pid();

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	home_wait_gone(pid);
}

#endif
