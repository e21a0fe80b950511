/* COPY in both directions and row by row reading, against a real server. */
#include "meanwhile.h"
#include "session.h"

static struct pg *
with_table(const char *columns)
{
	struct pg *pg = session_open("");
	struct err e;

	OK(pg_execf(pg, &e, "CREATE TEMP TABLE t (%s)", columns));
	return pg;
}

START_TEST(rows_put_in_pieces_of_any_size_arrive)
{
	struct pg *pg = with_table("n int, s text");
	struct buf rows = {0};
	struct err e;

	for (int i = 1; i <= 1000; i++)
		buf_printf(&rows, "%d\trow \\\\ %d\n", i, i);
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	ck_assert(pg_in_transaction(pg));
	for (size_t at = 0, size = 1; at < rows.length; at += size, size = size * 2 + 1)
		OK(pg_copy_put(pg, rows.bytes + at, rows.length - at < size ? rows.length - at : size, &e));
	OK(pg_copy_put(pg, "", 0, &e));
	OK(pg_copy_end(pg, &e));
	ck_assert_int_eq(session_int(pg, "SELECT sum(n) FROM t WHERE s = 'row \\ ' || n"), 500500);
	buf_fini(&rows);
	pg_close(pg);
}
END_TEST

START_TEST(a_put_of_many_megabytes_arrives)
{
	struct pg *pg = with_table("s text");
	size_t length = (size_t)20 << 20;
	char *bytes = buf_malloc(length);
	struct err e;

	for (size_t i = 0; i < length; i++)
		bytes[i] = i % 1024 == 1023 ? '\n' : 'x';
	OK(pg_begin(pg, &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	OK(pg_copy_put(pg, bytes, length, &e));
	OK(pg_copy_end(pg, &e));
	OK(pg_commit(pg, &e));
	ck_assert_int_eq(session_int(pg, "SELECT sum(length(s)) FROM t"), (int64_t)(length - length / 1024));
	free(bytes);
	pg_close(pg);
}
END_TEST

START_TEST(a_server_that_talks_during_a_copy_does_not_block_it)
{
	struct pg *pg = with_table("s text");
	struct buf rows = {0};
	struct err e;

	/* More notices than the socket holds, while we send more than it holds. */
	OK(pg_exec(pg,
	    "CREATE FUNCTION pg_temp.shout() RETURNS trigger LANGUAGE plpgsql AS "
	    "$$ BEGIN RAISE NOTICE '%', repeat('x', 1000); RETURN NEW; END $$;"
	    "CREATE TRIGGER shout BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.shout()",
	    &e));
	for (int i = 0; i < 10000; i++)
		buf_printf(&rows, "%01000d\n", i);
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	OK(pg_copy_put(pg, rows.bytes, rows.length, &e));
	OK(pg_copy_end(pg, &e));
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM t"), 10000);
	buf_fini(&rows);
	pg_close(pg);
}
END_TEST

START_TEST(a_row_the_server_refuses_fails_the_end_and_names_its_line)
{
	struct pg *pg = with_table("n int CHECK (n < 10)");
	struct err e;

	OK(pg_begin(pg, &e));
	OK(pg_exec(pg, "SAVEPOINT s", &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	OK(pg_copy_put(pg, "1\n2\nx\n4\n", 8, &e));
	FAILS(ERR_DATA, pg_copy_end(pg, &e));
	ck_assert_str_eq(pg_sqlstate(pg), "22P02");
	ck_assert_ptr_nonnull(strstr(e.message, "COPY t, line 3, column n: \"x\""));
	OK(pg_exec(pg, "ROLLBACK TO s", &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	OK(pg_copy_put(pg, "1\n11\n", 5, &e));
	FAILS(ERR_DATA, pg_copy_end(pg, &e));
	ck_assert_str_eq(pg_sqlstate(pg), "23514");
	OK(pg_exec(pg, "ROLLBACK TO s", &e));
	OK(pg_commit(pg, &e));
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM t"), 0);
	pg_close(pg);
}
END_TEST

START_TEST(an_aborted_copy_leaves_no_row)
{
	struct pg *pg = with_table("n int");
	struct err e;

	pg_copy_abort(pg);
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	OK(pg_copy_put(pg, "1\n2\n", 4, &e));
	pg_copy_abort(pg);
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM t"), 0);
	OK(pg_begin(pg, &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	OK(pg_copy_put(pg, "1\n2\n", 4, &e));
	pg_rollback(pg);
	ck_assert(!pg_in_transaction(pg));
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM t"), 0);
	pg_close(pg);
}
END_TEST

START_TEST(what_is_no_copy_and_a_copy_out_of_place_are_bugs)
{
	struct pg *pg = with_table("n int");
	struct err e;

	FAILS(ERR_BUG, pg_copy_put(pg, "1\n", 2, &e));
	FAILS(ERR_BUG, pg_copy_end(pg, &e));
	FAILS(ERR_BUG, pg_copy_begin(pg, "SELECT 1", &e));
	FAILS(ERR_BUG, pg_copy_begin(pg, "COPY t TO STDOUT", &e));
	FAILS(ERR_BUG, pg_copy_begin(pg, "COPY nowhere FROM STDIN", &e));
	ck_assert_str_eq(pg_sqlstate(pg), "42P01");
	FAILS(ERR_BUG, pg_copy_out(pg, "COPY t FROM STDIN", NULL, NULL, &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	FAILS(ERR_BUG, pg_exec(pg, "SELECT 1", &e));
	OK(pg_copy_put(pg, "1\n", 2, &e));
	OK(pg_copy_end(pg, &e));
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM t"), 1);
	FAILS(ERR_BUG, pg_exec(pg, "COPY t TO STDOUT", &e));
	ck_assert(pg_lost(pg));
	pg_close(pg);
}
END_TEST

/* Counts rows, adds up the numbers they begin with, and fails at the one numbered `last`. */
struct tally {
	int64_t rows;
	int64_t sum;
	int64_t last;
};

static int
tally_text(void *ctx, const char *row, size_t length, struct err *e)
{
	struct tally *tally = ctx;

	ck_assert_int_eq(row[length - 1], '\n');
	tally->rows++;
	tally->sum += strtoll(row, NULL, 10);
	return tally->rows == tally->last ? err_set(e, ERR_IO, "that is enough") : 0;
}

static int
tally_row(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct tally *tally = ctx;

	ck_assert_uint_eq(pg_rows_count(row), 1);
	ck_assert_str_eq(pg_rows_name(row, 0), "n");
	tally->rows++;
	tally->sum += pg_rows_int(row, 0, 0);
	return tally->rows == tally->last ? err_set(e, ERR_IO, "that is enough") : 0;
}

START_TEST(copy_out_gives_every_row_once)
{
	struct pg *pg = session_open("");
	struct tally tally = {0};
	struct err e;

	OK(pg_copy_out(pg, "COPY (SELECT generate_series(1, 300000)) TO STDOUT", tally_text, &tally, &e));
	ck_assert_int_eq(tally.rows, 300000);
	ck_assert_int_eq(tally.sum, 45000150000);
	tally = (struct tally){0};
	OK(pg_copy_out(pg, "COPY (SELECT 1 WHERE false) TO STDOUT", tally_text, &tally, &e));
	ck_assert_int_eq(tally.rows, 0);
	pg_close(pg);
}
END_TEST

START_TEST(a_reader_that_fails_ends_the_copy_with_its_own_error)
{
	struct pg *pg = session_open("");
	struct tally tally = {.last = 3};
	struct err e;

	FAILS(ERR_IO, pg_copy_out(pg, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT", tally_text, &tally, &e));
	ck_assert_str_eq(e.message, "that is enough");
	ck_assert_int_eq(tally.rows, 3);
	ck_assert_int_eq(session_int(pg, "SELECT 7"), 7);
	pg_close(pg);
}
END_TEST

START_TEST(an_error_amid_copy_out_is_told)
{
	struct pg *pg = session_open("");
	struct tally tally = {0};
	struct err e;

	FAILS(ERR_DATA, pg_copy_out(pg, "COPY (SELECT 1 / (50000 - n) FROM generate_series(1, 100000) n) TO STDOUT",
			    tally_text, &tally, &e));
	ck_assert_int_eq(tally.rows, 49999);
	ck_assert_str_eq(pg_sqlstate(pg), "22012");
	ck_assert_int_eq(session_int(pg, "SELECT 7"), 7);
	pg_close(pg);
}
END_TEST

START_TEST(a_stream_gives_every_row_once)
{
	struct pg *pg = session_open("");
	struct tally tally = {0};
	struct err e;

	OK(pg_stream(
	    pg, "SELECT generate_series(1, $1::int) AS n", 1, (const char *const[]){"100000"}, tally_row, &tally, &e));
	ck_assert_int_eq(tally.rows, 100000);
	ck_assert_int_eq(tally.sum, 5000050000);
	tally = (struct tally){0};
	OK(pg_stream(pg, "SELECT 1 WHERE false", 0, NULL, tally_row, &tally, &e));
	ck_assert_int_eq(tally.rows, 0);
	ck_assert_int_eq(session_int(pg, "SELECT 7"), 7);
	pg_close(pg);
}
END_TEST

/* Memory this process has, in kB. */
static int64_t
resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*s %ld", &pages), 1);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

START_TEST(a_stream_of_any_length_needs_bounded_memory)
{
	struct pg *pg = session_open("");
	struct tally tally = {0};
	int64_t before;
	struct err e;

	before = resident();
	OK(pg_stream(
	    pg, "SELECT n, repeat('x', 1000) FROM generate_series(1, 50000) n", 0, NULL, tally_row, &tally, &e));
	ck_assert_int_eq(tally.rows, 50000);
#ifdef __SANITIZE_ADDRESS__
	printf("skip - a_stream_of_any_length_needs_bounded_memory: not measured under sanitizers\n");
	(void)before;
#else
	ck_assert_int_lt(resident() - before, 25000);
#endif
	pg_close(pg);
}
END_TEST

START_TEST(a_stream_ends_early_by_its_reader_or_an_error)
{
	struct pg *pg = session_open("");
	struct tally tally = {.last = 2};
	struct err e;

	FAILS(ERR_IO, pg_stream(pg, "SELECT generate_series(1, 100000000) AS n", 0, NULL, tally_row, &tally, &e));
	ck_assert_str_eq(e.message, "that is enough");
	tally = (struct tally){0};
	FAILS(ERR_DATA,
	    pg_stream(pg, "SELECT 1 / (5 - n) AS n FROM generate_series(1, 10) n", 0, NULL, tally_row, &tally, &e));
	ck_assert_int_eq(tally.rows, 4);
	FAILS(ERR_BUG, pg_stream(pg, "SELECT nix", 0, NULL, tally_row, &tally, &e));
	ck_assert_str_eq(pg_sqlstate(pg), "42703");
	ck_assert_int_eq(session_int(pg, "SELECT 7"), 7);
	pg_close(pg);
}
END_TEST

static const char *const kill_victim =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'";

static pid_t
kill_when(const char *state)
{
	char *condition =
	    buf_format("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND %s", state);
	pid_t pid = session_meanwhile(condition, kill_victim, 0);

	free(condition);
	return pid;
}

START_TEST(a_connection_lost_amid_a_copy_is_told)
{
	struct pg *pg = session_open("application_name=victim");
	static char rows[1 << 20];
	struct err e = {.code = ERR_NONE};
	pid_t helper;

	memset(rows, '\n', sizeof rows);
	OK(pg_exec(pg, "CREATE TEMP TABLE t (s text)", &e));
	OK(pg_begin(pg, &e));
	OK(pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	helper = kill_when("state = 'active' AND wait_event = 'ClientRead'");
	session_join(helper);
	while (pg_copy_put(pg, rows, sizeof rows, &e) == 0)
		continue;
	ck_assert_int_eq(e.code, ERR_AGAIN);
	ck_assert(pg_lost(pg));
	FAILS(ERR_BUG, pg_copy_end(pg, &e));
	pg_rollback(pg);
	pg_close(pg);
}
END_TEST

START_TEST(a_connection_lost_amid_a_reading_is_told)
{
	struct pg *pg = session_open("application_name=victim");
	pid_t helper = kill_when("wait_event = 'PgSleep'");
	struct tally tally = {0};
	struct err e;

	FAILS(ERR_AGAIN, pg_stream(pg, "SELECT 1 AS n UNION ALL SELECT length(pg_sleep(600)::text)", 0, NULL, tally_row,
			     &tally, &e));
	ck_assert_str_eq(pg_sqlstate(pg), "57P01");
	ck_assert(pg_lost(pg));
	session_join(helper);
	pg_close(pg);
	pg = session_open("application_name=victim");
	helper = kill_when("wait_event = 'PgSleep'");
	FAILS(ERR_AGAIN, pg_copy_out(pg, "COPY (SELECT pg_sleep(600)) TO STDOUT", tally_text, &tally, &e));
	ck_assert(pg_lost(pg));
	session_join(helper);
	pg_close(pg);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    rows_put_in_pieces_of_any_size_arrive,
	    a_put_of_many_megabytes_arrives,
	    a_server_that_talks_during_a_copy_does_not_block_it,
	    a_row_the_server_refuses_fails_the_end_and_names_its_line,
	    an_aborted_copy_leaves_no_row,
	    what_is_no_copy_and_a_copy_out_of_place_are_bugs,
	    copy_out_gives_every_row_once,
	    a_reader_that_fails_ends_the_copy_with_its_own_error,
	    an_error_amid_copy_out_is_told,
	    a_stream_gives_every_row_once,
	    a_stream_of_any_length_needs_bounded_memory,
	    a_stream_ends_early_by_its_reader_or_an_error,
	    a_connection_lost_amid_a_copy_is_told,
	    a_connection_lost_amid_a_reading_is_told,
	};

	return session_run("pg_copy", sig_init, NULL, tests, sizeof tests / sizeof *tests);
}
