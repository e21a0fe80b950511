#ifndef CONTRACT_SESSION_H
#define CONTRACT_SESSION_H

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "db/pg.h"
#include "db/private.h"

/*
 * A PostgreSQL of this test program's own, in a folder that is removed at the
 * end, and cases that each run in a process of their own.
 */
static char session_folder[200];
static struct buf session_conninfo;

/* The call must succeed; else its error is the failure's text. */
#define OK(call)                                                                                                       \
	do {                                                                                                           \
		struct err *err_ = &e;                                                                                 \
		err_->message[0] = '\0';                                                                               \
		ck_assert_msg((call) == 0, "%s: %s", #call, err_->message);                                            \
	} while (0)

/* The call must fail with this code. */
#define FAILS(expected, call)                                                                                          \
	do {                                                                                                           \
		e.code = ERR_NONE;                                                                                     \
		ck_assert_msg((call) == -1, "%s: no error", #call);                                                    \
		ck_assert_msg(e.code == (expected), "%s: %d: %s", #call, e.code, e.message);                           \
	} while (0)

static inline struct pg *
session_open(const char *more)
{
	char *conninfo = buf_format("%s %s", session_conninfo.bytes, more);
	struct err e = {.message = ""};
	struct pg *pg = pg_open(conninfo, &e);

	ck_assert_msg(pg != NULL, "%s", e.message);
	free(conninfo);
	return pg;
}

/* The first value of a query, as a number. */
static inline int64_t
session_int(struct pg *pg, const char *sql)
{
	struct err e = {.message = ""};
	struct pg_rows *rows;
	int64_t value;

	ck_assert_msg(pg_query(pg, &rows, &e, sql, 0, NULL) == 0, "%s: %s", sql, e.message);
	ck_assert_uint_gt(pg_rows_count(rows), 0);
	value = pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return value;
}

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

static void
session_begin(void)
{
	const char *above = getenv("TEST_TMP");
	struct err e = {.message = ""};

	snprintf(session_folder, sizeof session_folder, "%s/pg-XXXXXX", above != NULL ? above : "/tmp");
	if (mkdtemp(session_folder) == NULL || private_up(session_folder, true, &session_conninfo, &e) != 0) {
		fprintf(stderr, "%s: %s\n", session_folder, e.message);
		exit(1);
	}
}

static int
session_end(void)
{
	struct err e = {.message = ""};
	char *remove = buf_format("rm -rf '%s'", session_folder);
	int rc = private_down(session_folder, &e) == 1 ? 0 : 1;

	if (rc != 0)
		fprintf(stderr, "private_down: %s\n", e.message);
	if (system(remove) != 0)
		rc = 1;
	free(remove);
	buf_fini(&session_conninfo);
	return rc;
}

static int
session_run(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	log_init(name, LOG_QUIET);
	session_begin();
	/* A case that must end by a signal's arrival is hung long before this. */
	tcase_set_timeout(all, 50);
	/* Not shared by fork: each case has handlers and a pipe of its own. */
	tcase_add_checked_fixture(all, sig_init, NULL);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return session_end() != 0 || failed != 0;
}

#endif
