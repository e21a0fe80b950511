#ifndef CONTRACT_SESSION_H
#define CONTRACT_SESSION_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg.h"
#include "db/private.h"
#include "cases.h"
#include "expect.h"

/*
 * A PostgreSQL of this test program's own, in a folder that is removed at the
 * end, and cases that each run in a process of their own.
 */
static char session_folder[200];
static struct buf session_conninfo;

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
	struct err e = {.message = "it did not run"};
	char *remove = buf_format("rm -rf '%s'", session_folder);
	int rc = private_down(session_folder, &e) == 1 && system(remove) == 0 ? 0 : 1;

	if (rc != 0)
		fprintf(stderr, "the end of the server in %s: %s\n", session_folder, e.message);
	free(remove);
	buf_fini(&session_conninfo);
	return rc;
}

/* As cases_run. What waits for signals has sig_init among its `begin`: handlers and pipe must not be shared by fork. */
static int
session_run(const char *name, void (*begin)(void), void (*end)(void), const TTest *const *tests, size_t count)
{
	int failed;

	log_init(name, LOG_QUIET);
	session_begin();
	failed = cases_run(name, begin, end, tests, count);
	return session_end() != 0 || failed != 0;
}

#endif
