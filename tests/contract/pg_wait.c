/* Locks, time limits and signals: what ends a wait, and what does not. */
#include "meanwhile.h"
#include "session.h"

static const char waiting_for_lock[] =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event_type = 'Lock'";
static const char asleep[] =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event = 'PgSleep'";

/* Nothing of ours still runs in the server: what a signal ended has been cancelled there, too. */
static void
expect_idle(struct pg *admin)
{
	session_wait_until(admin, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'waiter' AND "
				  "state = 'active'");
}

START_TEST(a_lock_is_one_sessions_and_counted)
{
	struct pg *one = session_open("");
	struct pg *two = session_open("");
	struct err e;

	OK(pg_lock(one, INT64_MIN, &e));
	ck_assert_int_eq(pg_try_lock(one, INT64_MIN, &e), 1);
	ck_assert_int_eq(pg_try_lock(two, INT64_MIN, &e), 0);
	ck_assert_int_eq(pg_try_lock(two, INT64_MAX, &e), 1);
	pg_unlock(one, INT64_MIN);
	ck_assert_int_eq(pg_try_lock(two, INT64_MIN, &e), 0);
	pg_unlock(one, INT64_MIN);
	ck_assert_int_eq(pg_try_lock(two, INT64_MIN, &e), 1);
	ck_assert(!pg_lost(one));
	pg_close(one);
	pg_close(two);
}
END_TEST

START_TEST(a_lock_outlives_a_rollback_and_ends_with_its_session)
{
	struct pg *one = session_open("");
	struct pg *two = session_open("");
	struct err e;

	OK(pg_begin(one, &e));
	OK(pg_lock(one, 1, &e));
	FAILS(ERR_DATA, pg_exec(one, "SELECT 1 / 0", &e));
	pg_rollback(one);
	ck_assert_int_eq(pg_try_lock(two, 1, &e), 0);
	pg_close(one);
	OK(pg_lock(two, 1, &e));
	pg_close(two);
}
END_TEST

START_TEST(a_lock_that_cannot_be_given_back_takes_the_session_with_it)
{
	struct pg *one = session_open("");
	struct pg *two = session_open("");
	struct err e;

	OK(pg_lock(one, 2, &e));
	OK(pg_begin(one, &e));
	FAILS(ERR_DATA, pg_exec(one, "SELECT 1 / 0", &e));
	pg_unlock(one, 2);
	ck_assert(pg_lost(one));
	OK(pg_lock(two, 2, &e));
	FAILS(ERR_AGAIN, pg_exec(one, "SELECT 1", &e));
	pg_close(one);
	pg_close(two);
}
END_TEST

START_TEST(a_wait_for_a_lock_has_no_time_limit)
{
	struct pg *pg = session_open("application_name=waiter");
	char *long_enough = buf_format("%s AND clock_timestamp() - query_start > '200 ms'", waiting_for_lock);
	struct err e;
	pid_t helper;

	OK(pg_exec(pg, "CREATE TABLE public.locked (n int); SET statement_timeout = 20", &e));
	FAILS(ERR_AGAIN, pg_exec(pg, "SELECT pg_sleep(600)", &e));
	ck_assert_str_eq(pg_sqlstate(pg), "57014");
	/* Another session has both locks until we have waited ten times our limit. */
	helper = fork();
	ck_assert_int_ge(helper, 0);
	if (helper == 0) {
		struct pg *holder = session_open("");
		struct pg *watch = session_open("");

		OK(pg_lock(holder, 3, &e));
		OK(pg_begin(holder, &e));
		OK(pg_exec(holder, "LOCK TABLE public.locked", &e));
		OK(pg_lock(holder, 4, &e));
		session_wait_until(watch, long_enough);
		pg_unlock(holder, 3);
		session_wait_until(watch, long_enough);
		OK(pg_commit(holder, &e));
		pg_close(holder);
		pg_close(watch);
		_exit(0);
	}
	OK(pg_exec(pg, "RESET statement_timeout", &e));
	session_wait_until(pg, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4");
	OK(pg_exec(pg, "SET statement_timeout = 20", &e));
	OK(pg_lock(pg, 3, &e));
	OK(pg_exec(pg, "SET statement_timeout = 20", &e));
	OK(pg_exec_waiting(pg, "LOCK TABLE public.locked; INSERT INTO public.locked VALUES (1)", &e));
	ck_assert_int_eq(session_int(pg, "SELECT (current_setting('statement_timeout') = '10min')::int"), 1);
	session_join(helper);
	OK(pg_exec(pg, "DROP TABLE public.locked", &e));
	free(long_enough);
	pg_close(pg);
}
END_TEST

START_TEST(a_failed_wait_leaves_the_limit_as_it_was)
{
	struct pg *pg = session_open("");
	struct err e;

	FAILS(ERR_DATA, pg_exec_waiting(pg, "SELECT 1 / 0 -- by a comment at the end", &e));
	ck_assert_int_eq(session_int(pg, "SELECT (current_setting('statement_timeout') = '10min')::int"), 1);
	OK(pg_exec_waiting(pg, "SELECT 1 -- by a comment at the end", &e));
	ck_assert_int_eq(session_int(pg, "SELECT (current_setting('statement_timeout') = '10min')::int"), 1);
	pg_close(pg);
}
END_TEST

static void
signal_ends_lock_wait(int number, enum err_code code)
{
	struct pg *holder = session_open("");
	struct pg *pg = session_open("application_name=waiter");
	struct err e;
	pid_t helper;

	OK(pg_lock(holder, 5, &e));
	pg_shield(holder, true);
	helper = session_meanwhile(waiting_for_lock, NULL, number);
	FAILS(code, pg_lock(pg, 5, &e));
	ck_assert(!pg_lost(pg));
	expect_idle(holder);
	session_join(helper);
	pg_close(pg);
	pg_close(holder);
}

START_TEST(sigterm_ends_a_wait_for_a_lock)
{
	signal_ends_lock_wait(SIGTERM, ERR_SIGTERM);
}
END_TEST

START_TEST(sigint_ends_a_wait_for_a_lock)
{
	signal_ends_lock_wait(SIGINT, ERR_SIGINT);
}
END_TEST

START_TEST(a_signal_ends_a_statement_in_the_server_too)
{
	struct pg *pg = session_open("application_name=waiter");
	struct pg *admin = session_open("");
	pid_t helper = session_meanwhile(asleep, NULL, SIGTERM);
	struct err e;

	FAILS(ERR_SIGTERM, pg_exec(pg, "SELECT pg_sleep(600)", &e));
	ck_assert_str_eq(e.message, "interrupted by SIGTERM");
	pg_shield(admin, true);
	expect_idle(admin);
	session_join(helper);
	pg_close(pg);
	pg_close(admin);
}
END_TEST

START_TEST(after_a_signal_only_a_shielded_session_works)
{
	struct pg *pg = session_open("");
	struct err e;

	OK(pg_exec(pg, "CREATE TEMP TABLE t (n int)", &e));
	OK(pg_begin(pg, &e));
	OK(pg_lock(pg, 6, &e));
	raise(SIGTERM);
	FAILS(ERR_SIGTERM, pg_exec(pg, "INSERT INTO t VALUES (1)", &e));
	ck_assert(pg_in_transaction(pg));
	pg_rollback(pg);
	ck_assert(!pg_in_transaction(pg));
	ck_assert_ptr_null(pg_open(session_conninfo.bytes, &e));
	ck_assert_int_eq(e.code, ERR_SIGTERM);
	pg_shield(pg, true);
	OK(pg_exec(pg, "INSERT INTO t VALUES (2)", &e));
	ck_assert_int_eq(session_int(pg, "SELECT sum(n) FROM t"), 2);
	pg_shield(pg, false);
	FAILS(ERR_SIGTERM, pg_exec(pg, "SELECT 1", &e));
	pg_unlock(pg, 6);
	ck_assert(!pg_lost(pg));
	pg_close(pg);
}
END_TEST

START_TEST(a_shielded_statement_must_be_answered_in_ten_seconds)
{
	struct pg *pg = session_open("");
	struct err e;

	pg_shield(pg, true);
	FAILS(ERR_AGAIN, pg_exec(pg, "SELECT pg_sleep(600)", &e));
	ck_assert_str_eq(e.message, "the database did not answer in time");
	ck_assert(!pg_lost(pg));
	OK(pg_exec(pg, "SELECT 1", &e));
	pg_close(pg);
}
END_TEST

START_TEST(a_signal_does_not_stop_a_commit)
{
	struct pg *pg = session_open("");
	struct err e;

	OK(pg_exec(pg, "CREATE TEMP TABLE t (n int)", &e));
	OK(pg_begin(pg, &e));
	OK(pg_exec(pg, "INSERT INTO t VALUES (1)", &e));
	raise(SIGINT);
	OK(pg_commit(pg, &e));
	pg_shield(pg, true);
	ck_assert_int_eq(session_int(pg, "SELECT sum(n) FROM t"), 1);
	pg_close(pg);
}
END_TEST

START_TEST(a_signal_ends_a_copy_that_the_server_does_not_read)
{
	struct pg *pg = session_open("application_name=waiter");
	struct pg *holder = session_open("");
	static char rows[1 << 20];
	struct err e = {.code = ERR_NONE};
	pid_t helper;

	memset(rows, '\n', sizeof rows);
	OK(pg_lock(holder, 7, &e));
	OK(pg_exec(pg,
	    "CREATE TEMP TABLE t (s text);"
	    "CREATE FUNCTION pg_temp.stop() RETURNS trigger LANGUAGE plpgsql AS "
	    "$$ BEGIN PERFORM pg_advisory_lock(7); RETURN NEW; END $$;"
	    "CREATE TRIGGER stop BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.stop()",
	    &e));
	OK(pg_begin(pg, &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	helper = session_meanwhile(waiting_for_lock, NULL, SIGTERM);
	while (pg_copy_put(pg, rows, sizeof rows, &e) == 0)
		continue;
	ck_assert_int_eq(e.code, ERR_SIGTERM);
	ck_assert(!pg_lost(pg));
	ck_assert(pg_in_transaction(pg));
	pg_rollback(pg);
	ck_assert(!pg_in_transaction(pg));
	session_join(helper);
	pg_close(pg);
	pg_close(holder);
}
END_TEST

static int
ignore_row(void *ctx, const struct pg_rows *row, struct err *e)
{
	(void)ctx;
	(void)row;
	(void)e;
	return 0;
}

static int
ignore_text(void *ctx, const char *row, size_t length, struct err *e)
{
	(void)ctx;
	(void)row;
	(void)length;
	(void)e;
	return 0;
}

START_TEST(a_signal_ends_a_stream_of_rows_that_never_stops)
{
	struct pg *pg = session_open("application_name=waiter");
	pid_t helper = session_meanwhile("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waiter' AND "
					 "query LIKE '%many' AND state = 'active'",
	    NULL, SIGTERM);
	struct err e;

	FAILS(ERR_SIGTERM,
	    pg_stream(pg, "SELECT generate_series(1, 1000000000000) AS many", 0, NULL, ignore_row, NULL, &e));
	ck_assert(!pg_lost(pg));
	session_join(helper);
	pg_close(pg);
}
END_TEST

START_TEST(a_signal_ends_a_copy_out_that_never_stops)
{
	struct pg *pg = session_open("application_name=waiter");
	pid_t helper = session_meanwhile("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waiter' AND "
					 "query LIKE 'COPY%' AND state = 'active'",
	    NULL, SIGTERM);
	struct err e;

	FAILS(ERR_SIGTERM,
	    pg_copy_out(pg, "COPY (SELECT generate_series(1, 1000000000000)) TO STDOUT", ignore_text, NULL, &e));
	ck_assert(!pg_lost(pg));
	session_join(helper);
	pg_close(pg);
}
END_TEST

/* Only the process that takes in connections, and with them cancels: sessions go on. */
#define SIGNAL_POSTMASTER(signal) "COPY (SELECT 1) TO PROGRAM 'kill -" signal " $(head -n 1 postmaster.pid)'"

START_TEST(a_cancel_that_is_not_taken_in_loses_the_session)
{
	struct pg *pg = session_open("application_name=waiter");
	struct pg *admin = session_open("");
	pid_t helper = session_meanwhile(asleep, SIGNAL_POSTMASTER("STOP"), SIGTERM);
	struct err e, ignored;
	int result = pg_exec(pg, "SELECT pg_sleep(600)", &e);

	pg_shield(admin, true);
	OK(pg_exec(admin, SIGNAL_POSTMASTER("CONT"), &ignored));
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(e.code, ERR_SIGTERM);
	ck_assert(pg_lost(pg));
	session_join(helper);
	pg_close(pg);
	/* It is taken in now, and ends what was lost. */
	expect_idle(admin);
	pg_close(admin);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_lock_is_one_sessions_and_counted,
	    a_lock_outlives_a_rollback_and_ends_with_its_session,
	    a_lock_that_cannot_be_given_back_takes_the_session_with_it,
	    a_wait_for_a_lock_has_no_time_limit,
	    a_failed_wait_leaves_the_limit_as_it_was,
	    sigterm_ends_a_wait_for_a_lock,
	    sigint_ends_a_wait_for_a_lock,
	    a_signal_ends_a_statement_in_the_server_too,
	    after_a_signal_only_a_shielded_session_works,
	    a_shielded_statement_must_be_answered_in_ten_seconds,
	    a_signal_does_not_stop_a_commit,
	    a_signal_ends_a_copy_that_the_server_does_not_read,
	    a_signal_ends_a_stream_of_rows_that_never_stops,
	    a_signal_ends_a_copy_out_that_never_stops,
	    a_cancel_that_is_not_taken_in_loses_the_session,
	};

	return session_run("pg_wait", sig_init, NULL, tests, sizeof tests / sizeof *tests);
}
