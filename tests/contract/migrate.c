/* Migrations, against a real server: each in a database of its own. */
#include <unistd.h>

#include "db/migrate.h"
#include "meanwhile.h"
#include "session.h"

static const struct migration list[] = {
    {1, "first", "CREATE TABLE csvp.a (n int); INSERT INTO csvp.a VALUES (1);"},
    {2, "second", "ALTER TABLE csvp.a ADD m int DEFAULT 7 -- a comment at the end"},
    {3, "broken", "INSERT INTO csvp.a VALUES (3); SELECT 1 / 0"},
};
static struct pg *admin;
static char *database;
static char *more;

static void
begin(void)
{
	struct err e;

	sig_init();
	admin = session_open("");
	database = buf_format("m%d", (int)getpid());
	more = buf_format("dbname=%s", database);
	OK(pg_execf(admin, &e, "CREATE DATABASE %s", database));
}

static void
end(void)
{
	struct err e;

	OK(pg_execf(admin, &e, "DROP DATABASE %s WITH (FORCE)", database));
	pg_close(admin);
	free(database);
	free(more);
}

START_TEST(each_is_run_once_and_recorded)
{
	struct pg *pg = session_open(more);
	struct err e = {.message = ""};

	ck_assert_int_eq(migrate_pending(pg, list, 2, &e), 2);
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM pg_namespace WHERE nspname = 'csvp'"), 0);
	ck_assert_int_eq(migrate_run(pg, list, 1, &e), 1);
	ck_assert_int_eq(migrate_pending(pg, list, 2, &e), 1);
	ck_assert_int_eq(migrate_run(pg, list, 2, &e), 1);
	ck_assert_int_eq(migrate_run(pg, list, 2, &e), 0);
	ck_assert_int_eq(migrate_pending(pg, list, 2, &e), 0);
	ck_assert_int_eq(session_int(pg, "SELECT n + m FROM csvp.a"), 8);
	ck_assert_int_eq(
	    session_int(pg,
		"SELECT count(*) FROM csvp.migration WHERE (version, name) IN ((1, 'first'), (2, 'second')) "
		"AND applied_at <= now()"),
	    2);
	pg_close(pg);
}
END_TEST

START_TEST(one_that_fails_is_named_and_leaves_nothing)
{
	struct pg *pg = session_open(more);
	struct err e = {.message = ""};

	FAILS(ERR_DATA, migrate_run(pg, list, 3, &e));
	ck_assert_ptr_nonnull(strstr(e.message, "migration 3 (broken): "));
	ck_assert(!pg_in_transaction(pg));
	ck_assert_int_eq(migrate_pending(pg, list, 3, &e), 1);
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM csvp.a"), 1);
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
	pg_close(pg);
}
END_TEST

START_TEST(a_database_of_a_newer_csvp_is_refused)
{
	struct pg *pg = session_open(more);
	struct err e = {.message = ""};

	ck_assert_int_eq(migrate_run(pg, list, 2, &e), 2);
	FAILS(ERR_CONFIG, migrate_run(pg, list, 1, &e));
	ck_assert_ptr_nonnull(strstr(e.message, "version 2"));
	FAILS(ERR_CONFIG, migrate_pending(pg, list, 1, &e));
	pg_close(pg);
}
END_TEST

START_TEST(two_programs_at_once_run_each_once)
{
	pid_t pids[4];
	int sum = 0;

	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			struct err e = {.message = ""};
			struct pg *pg = session_open(more);
			int applied = migrate_run(pg, list, 2, &e);

			ck_assert_msg(applied >= 0, "%s", e.message);
			pg_close(pg);
			_exit(applied);
		}
	}
	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	ck_assert_int_eq(sum, 2);
}
END_TEST

START_TEST(a_user_who_may_not_create_is_told_so)
{
	struct err e = {.message = ""};
	char *as = buf_format("%s user=m%d", more, (int)getpid());
	struct pg *pg;

	OK(pg_execf(admin, &e, "CREATE ROLE m%d LOGIN", (int)getpid()));
	pg = session_open(as);
	ck_assert_int_eq(migrate_pending(pg, list, 2, &e), 2);
	FAILS(ERR_PERMISSION, migrate_run(pg, list, 2, &e));
	pg_close(pg);
	free(as);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    each_is_run_once_and_recorded,
	    one_that_fails_is_named_and_leaves_nothing,
	    a_database_of_a_newer_csvp_is_refused,
	    two_programs_at_once_run_each_once,
	    a_user_who_may_not_create_is_told_so,
	};

	return session_run("migrate", begin, end, tests, sizeof tests / sizeof *tests);
}
