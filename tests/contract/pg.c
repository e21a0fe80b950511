/* Sessions, statements, rows, transactions and errors, against a real server. */
#include "meanwhile.h"
#include "session.h"

static void
expect_setting(struct pg *pg, const char *name, const char *expected)
{
	struct pg_rows *rows;
	struct err e;

	OK(PG_QUERY(pg, &rows, &e, "SELECT current_setting($1)", name));
	ck_assert_msg(strcmp(pg_rows_text(rows, 0, 0), expected) == 0, "%s is %s", name, pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
}

START_TEST(a_session_is_pinned_whatever_the_servers_defaults)
{
	struct pg *pg = session_open("options='-c TimeZone=Asia/Tokyo -c DateStyle=german -c lock_timeout=1 "
				     "-c search_path=public -c statement_timeout=1h -c extra_float_digits=-5 "
				     "-c default_transaction_isolation=serializable -c bytea_output=escape'");
	char host[64] = "", *name;

	expect_setting(pg, "TimeZone", "UTC");
	expect_setting(pg, "DateStyle", "ISO, YMD");
	expect_setting(pg, "client_encoding", "UTF8");
	expect_setting(pg, "search_path", "pg_catalog, pg_temp");
	expect_setting(pg, "default_transaction_isolation", "read committed");
	expect_setting(pg, "transaction_isolation", "read committed");
	expect_setting(pg, "statement_timeout", "10min");
	expect_setting(pg, "lock_timeout", "0");
	expect_setting(pg, "extra_float_digits", "1");
	expect_setting(pg, "bytea_output", "hex");
	expect_setting(pg, "client_connection_check_interval", "10s");
	gethostname(host, sizeof host - 1);
	name = buf_format("pg %d@%s", (int)getpid(), host);
	expect_setting(pg, "application_name", name);
	free(name);
	pg_close(pg);
}
END_TEST

START_TEST(a_transaction_sees_what_others_commit_although_the_server_says_repeatable_read)
{
	struct pg *admin = session_open("");
	struct pg *pg, *other;
	struct err e;

	OK(pg_exec(admin,
	    "CREATE TABLE public.seen (n int);"
	    "ALTER DATABASE postgres SET default_transaction_isolation = 'repeatable read'",
	    &e));
	pg = session_open("");
	other = session_open("");
	/* Nor does it matter what the session itself was told. */
	OK(pg_exec(pg, "SET default_transaction_isolation = 'repeatable read'", &e));
	OK(pg_begin(pg, &e));
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM public.seen"), 0);
	OK(pg_exec(other, "INSERT INTO public.seen VALUES (1)", &e));
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM public.seen"), 1);
	OK(pg_commit(pg, &e));
	OK(pg_exec(admin, "ALTER DATABASE postgres RESET default_transaction_isolation; DROP TABLE public.seen", &e));
	pg_close(pg);
	pg_close(other);
	pg_close(admin);
}
END_TEST

static void
expect_refused(enum err_code code, const char *conninfo, const char *text)
{
	struct err e = {.message = ""};
	struct pg *pg = pg_open(conninfo, &e);

	ck_assert_ptr_null(pg);
	ck_assert_msg(e.code == code, "%s: %d: %s", conninfo, e.code, e.message);
	ck_assert_msg(strstr(e.message, text) != NULL, "%s lacks '%s'", e.message, text);
	ck_assert_ptr_null(strstr(e.message, "secret"));
	ck_assert_ptr_null(strstr(e.message, "LOCATION"));
}

START_TEST(a_connection_that_cannot_be_made_says_why)
{
	char *no_database = buf_format("%s dbname=nix", session_conninfo.bytes);
	char *no_role = buf_format("%s user=nix", session_conninfo.bytes);

	expect_refused(ERR_CONFIG, no_database, "database \"nix\" does not exist");
	expect_refused(ERR_PERMISSION, no_role, "role \"nix\" does not exist");
	expect_refused(ERR_AGAIN, "host=/nowhere", "/nowhere/.s.PGSQL");
	expect_refused(ERR_AGAIN, "host=127.0.0.1 port=1", "refused");
	expect_refused(ERR_CONFIG, "port=x", "port");
	expect_refused(ERR_CONFIG, "postgresql://u@h/d?nix=1", "nix");
	expect_refused(ERR_CONFIG, "postgresql//u:secret@h/d", "postgresql//u:***@h/d");
	expect_refused(ERR_CONFIG, "mysql://u:secret@h/d", "not a PostgreSQL URL");
	free(no_database);
	free(no_role);
}
END_TEST

START_TEST(a_database_that_is_not_utf8_is_refused)
{
	struct pg *admin = session_open("");
	char *latin = buf_format("%s dbname=latin", session_conninfo.bytes);
	struct err e;

	OK(pg_exec(admin, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", &e));
	expect_refused(ERR_CONFIG, latin, "latin has the encoding LATIN1");
	OK(pg_exec(admin, "DROP DATABASE latin", &e));
	pg_close(admin);
	free(latin);
}
END_TEST

START_TEST(a_server_that_recovers_from_a_crash_is_waited_for)
{
	struct pg *victim = session_open("");
	struct pg *pg;
	struct err e;
	pid_t pid = (pid_t)session_int(victim, "SELECT pg_backend_pid()");

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	FAILS(ERR_AGAIN, pg_exec(victim, "SELECT 1", &e));
	ck_assert(pg_lost(victim));
	pg_close(victim);
	pg = session_open("");
	ck_assert_int_eq(session_int(pg, "SELECT 7"), 7);
	pg_close(pg);
}
END_TEST

START_TEST(values_come_and_go_as_text)
{
	struct pg *pg = session_open("");
	struct pg_rows *rows;
	struct err e;

	OK(PG_QUERY(pg, &rows, &e,
	    "SELECT $1::text AS a, $2::bigint - 1 AS b, $3::text AS c, $4::boolean, 0.1::float8, NULL::int, false "
	    "FROM generate_series(1, 2)",
	    "it's \\ \xc3\xa4", "-9223372036854775807", NULL, "yes"));
	ck_assert_uint_eq(pg_rows_count(rows), 2);
	ck_assert_uint_eq(pg_rows_columns(rows), 7);
	ck_assert_str_eq(pg_rows_name(rows, 0), "a");
	ck_assert_str_eq(pg_rows_text(rows, 1, 0), "it's \\ \xc3\xa4");
	ck_assert_uint_eq(pg_rows_length(rows, 1, 0), 9);
	ck_assert_int_eq(pg_rows_int(rows, 0, 1), INT64_MIN);
	ck_assert_ptr_null(pg_rows_text(rows, 0, 2));
	ck_assert_uint_eq(pg_rows_length(rows, 0, 2), 0);
	ck_assert(pg_rows_bool(rows, 0, 3));
	ck_assert_str_eq(pg_rows_text(rows, 0, 4), "0.1");
	ck_assert_int_eq(pg_rows_int(rows, 0, 5), 0);
	ck_assert(!pg_rows_bool(rows, 0, 5));
	ck_assert(!pg_rows_bool(rows, 0, 6));
	pg_rows_free(rows);
	pg_rows_free(NULL);
	pg_close(pg);
}
END_TEST

static void
expect_prepared(struct pg *pg, const char *param, const char *expected)
{
	static const char sql[] = "SELECT n, $1::text FROM public.typed";
	struct pg_rows *rows;
	struct err e;

	OK(pg_prepared(pg, &rows, &e, sql, 1, &param));
	ck_assert_str_eq(pg_rows_text(rows, 0, 0), expected);
	ck_assert_str_eq(pg_rows_text(rows, 0, 1), param);
	pg_rows_free(rows);
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM pg_prepared_statements"), 1);
}

START_TEST(a_prepared_statement_is_prepared_once_and_anew_when_its_table_was_altered_or_the_session_cleared)
{
	struct pg *pg = session_open("");
	struct err e;

	OK(pg_exec(pg, "CREATE TABLE public.typed (n int); INSERT INTO public.typed VALUES (1)", &e));
	expect_prepared(pg, "a", "1");
	expect_prepared(pg, "b", "1");
	OK(pg_exec(pg, "ALTER TABLE public.typed ALTER n TYPE text USING n || ' or so'", &e));
	expect_prepared(pg, "c", "1 or so");
	OK(pg_exec(pg, "DEALLOCATE ALL", &e));
	expect_prepared(pg, "d", "1 or so");
	OK(pg_exec(pg, "DROP TABLE public.typed", &e));
	pg_close(pg);
}
END_TEST

START_TEST(a_statement_tells_how_many_rows_it_changed)
{
	struct pg *pg = session_open("");
	struct pg_rows *rows;
	struct err e;

	OK(pg_exec(pg, "CREATE TEMP TABLE t (n int); INSERT INTO t SELECT generate_series(1, 5)", &e));
	OK(PG_QUERY(pg, &rows, &e, "UPDATE t SET n = 0 WHERE n > $1", "2"));
	ck_assert_uint_eq(pg_rows_affected(rows), 3);
	ck_assert_uint_eq(pg_rows_count(rows), 0);
	pg_rows_free(rows);
	OK(pg_query(pg, &rows, &e, "CREATE TEMP TABLE u (n int)", 0, NULL));
	ck_assert_uint_eq(pg_rows_affected(rows), 0);
	pg_rows_free(rows);
	OK(pg_execf(pg, &e, "INSERT INTO u VALUES (%d), (%d)", 1, 2));
	ck_assert_int_eq(session_int(pg, "SELECT sum(n) FROM u"), 3);
	pg_close(pg);
}
END_TEST

START_TEST(an_error_has_the_exit_code_of_its_class)
{
	static const struct {
		const char *sqlstate;
		enum err_code code;
	} cases[] = {{"08006", ERR_AGAIN}, {"40001", ERR_AGAIN}, {"40P01", ERR_AGAIN}, {"53200", ERR_AGAIN},
	    {"53300", ERR_AGAIN}, {"55P03", ERR_AGAIN}, {"57014", ERR_AGAIN}, {"57P01", ERR_AGAIN},
	    {"28P01", ERR_PERMISSION}, {"42501", ERR_PERMISSION}, {"3D000", ERR_CONFIG}, {"25006", ERR_CONFIG},
	    {"22003", ERR_DATA}, {"22P02", ERR_DATA}, {"23505", ERR_DATA}, {"23514", ERR_DATA}, {"P0001", ERR_DATA},
	    {"54000", ERR_DATA}, {"0A000", ERR_DATA}, {"2BP01", ERR_DATA}, {"53100", ERR_IO}, {"58030", ERR_IO},
	    {"XX001", ERR_IO}, {"42601", ERR_BUG}, {"42P01", ERR_BUG}, {"XX000", ERR_BUG}};
	struct pg *pg = session_open("");
	struct err e;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		FAILS(cases[i].code,
		    pg_execf(pg, &e, "DO $$ BEGIN RAISE 'no' USING ERRCODE = '%s'; END $$", cases[i].sqlstate));
		ck_assert_str_eq(pg_sqlstate(pg), cases[i].sqlstate);
		ck_assert(!pg_lost(pg));
	}
	OK(pg_exec(pg, "SELECT 1", &e));
	ck_assert_str_eq(pg_sqlstate(pg), "");
	pg_close(pg);
}
END_TEST

START_TEST(an_error_is_one_line_with_detail_and_hint)
{
	struct pg *pg = session_open("");
	struct err e;

	FAILS(ERR_DATA, pg_exec(pg,
			    "DO $$ BEGIN RAISE E'one\\n  two' USING ERRCODE = '23505', DETAIL = E'so\\nit is', "
			    "HINT = 'do better'; END $$",
			    &e));
	ck_assert_str_eq(e.message, "postgresql: one two (so it is); hint: do better");
	FAILS(ERR_BUG, pg_exec(pg, "SELEC 1", &e));
	ck_assert_ptr_nonnull(strstr(e.message, "[42601]"));
	pg_close(pg);
}
END_TEST

START_TEST(the_first_error_of_several_statements_ends_them)
{
	struct pg *pg = session_open("");
	struct err e;

	FAILS(ERR_DATA, pg_exec(pg, "CREATE TEMP TABLE t (n int); SELECT 1 / 0; SELECT nonsense", &e));
	ck_assert_str_eq(pg_sqlstate(pg), "22012");
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM pg_class WHERE relname = 't'"), 0);
	pg_close(pg);
}
END_TEST

START_TEST(a_commit_makes_it_visible_and_a_rollback_does_not)
{
	struct pg *pg = session_open("");
	struct err e;

	OK(pg_exec(pg, "CREATE TEMP TABLE t (n int)", &e));
	pg_rollback(pg);
	ck_assert(!pg_in_transaction(pg));
	OK(pg_begin(pg, &e));
	ck_assert(pg_in_transaction(pg));
	OK(pg_exec(pg, "INSERT INTO t VALUES (1)", &e));
	OK(pg_commit(pg, &e));
	ck_assert(!pg_in_transaction(pg));
	OK(pg_begin(pg, &e));
	OK(pg_exec(pg, "INSERT INTO t VALUES (2)", &e));
	FAILS(ERR_DATA, pg_exec(pg, "INSERT INTO t VALUES (1 / 0)", &e));
	ck_assert(pg_in_transaction(pg));
	pg_rollback(pg);
	ck_assert_str_eq(pg_sqlstate(pg), "22012");
	ck_assert(!pg_in_transaction(pg));
	ck_assert_int_eq(session_int(pg, "SELECT sum(n) FROM t"), 1);
	pg_close(pg);
}
END_TEST

START_TEST(a_commit_that_commits_nothing_is_an_error)
{
	struct pg *pg = session_open("");
	struct err e;

	FAILS(ERR_BUG, pg_commit(pg, &e));
	OK(pg_begin(pg, &e));
	FAILS(ERR_DATA, pg_exec(pg, "SELECT 1 / 0", &e));
	FAILS(ERR_BUG, pg_commit(pg, &e));
	ck_assert(!pg_in_transaction(pg));
	OK(pg_exec(pg, "CREATE TEMP TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)", &e));
	OK(pg_begin(pg, &e));
	OK(pg_exec(pg, "INSERT INTO t VALUES (1), (1)", &e));
	FAILS(ERR_DATA, pg_commit(pg, &e));
	ck_assert_str_eq(pg_sqlstate(pg), "23505");
	ck_assert(!pg_in_transaction(pg));
	pg_close(pg);
}
END_TEST

static void
expect_lost(struct pg *pg)
{
	struct pg_rows *rows;
	struct err e;

	ck_assert(pg_lost(pg));
	ck_assert(!pg_in_transaction(pg));
	FAILS(ERR_AGAIN, pg_exec(pg, "SELECT 1", &e));
	FAILS(ERR_AGAIN, PG_QUERY(pg, &rows, &e, "SELECT $1", "x"));
	FAILS(ERR_AGAIN, pg_begin(pg, &e));
	FAILS(ERR_AGAIN, pg_commit(pg, &e));
	FAILS(ERR_AGAIN, pg_lock(pg, 1, &e));
	FAILS(ERR_AGAIN, pg_try_lock(pg, 1, &e));
	FAILS(ERR_AGAIN, pg_copy_begin(pg, "COPY t FROM STDIN", &e));
	pg_unlock(pg, 1);
	pg_rollback(pg);
	pg_copy_abort(pg);
}

START_TEST(a_session_ended_by_somebody_else_is_lost_for_good)
{
	struct pg *admin = session_open("");
	struct pg *pg = session_open("");
	struct err e;

	OK(pg_begin(pg, &e));
	OK(pg_execf(
	    admin, &e, "SELECT pg_terminate_backend(%d, 5000)", (int)session_int(pg, "SELECT pg_backend_pid()")));
	ck_assert(!pg_lost(pg));
	FAILS(ERR_AGAIN, pg_exec(pg, "SELECT 1", &e));
	expect_lost(pg);
	pg_close(pg);
	pg_close(admin);
}
END_TEST

START_TEST(a_session_ended_in_the_middle_of_a_statement_is_lost)
{
	struct pg *pg = session_open("application_name=victim");
	pid_t helper = session_meanwhile(
	    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event = 'PgSleep'",
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'", 0);
	struct err e;

	FAILS(ERR_AGAIN, pg_exec(pg, "SELECT pg_sleep(600)", &e));
	ck_assert_str_eq(pg_sqlstate(pg), "57P01");
	ck_assert_ptr_nonnull(strstr(e.message, "administrator"));
	expect_lost(pg);
	pg_close(pg);
	session_join(helper);
}
END_TEST

START_TEST(quoted_names_and_literals_mean_themselves)
{
	static const char *const texts[] = {
	    "", "a", "it's", "a\"b", "back\\slash", "\\' \"", "E'x'", "\xc3\xa4\n\t;--", "$1 %s"};
	struct pg *pg = session_open("");
	struct err e;

	for (size_t i = 0; i < 2 * (sizeof texts / sizeof *texts); i++) {
		const char *text = texts[i / 2];
		struct pg_rows *rows;
		struct buf sql = {0};

		OK(pg_execf(pg, &e, "SET standard_conforming_strings = %s", i % 2 == 0 ? "on" : "off"));
		buf_string(&sql, "SELECT");
		pg_quote_literal(&sql, text);
		buf_string(&sql, " AS ");
		pg_quote_name(&sql, text[0] != '\0' ? text : "x");
		OK(pg_query(pg, &rows, &e, sql.bytes, 0, NULL));
		ck_assert_str_eq(pg_rows_text(rows, 0, 0), text);
		ck_assert_str_eq(pg_rows_name(rows, 0), text[0] != '\0' ? text : "x");
		pg_rows_free(rows);
		buf_fini(&sql);
	}
	pg_close(pg);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_session_is_pinned_whatever_the_servers_defaults,
	    a_transaction_sees_what_others_commit_although_the_server_says_repeatable_read,
	    a_connection_that_cannot_be_made_says_why,
	    a_database_that_is_not_utf8_is_refused,
	    a_server_that_recovers_from_a_crash_is_waited_for,
	    values_come_and_go_as_text,
	    a_prepared_statement_is_prepared_once_and_anew_when_its_table_was_altered_or_the_session_cleared,
	    a_statement_tells_how_many_rows_it_changed,
	    an_error_has_the_exit_code_of_its_class,
	    an_error_is_one_line_with_detail_and_hint,
	    the_first_error_of_several_statements_ends_them,
	    a_commit_makes_it_visible_and_a_rollback_does_not,
	    a_commit_that_commits_nothing_is_an_error,
	    a_session_ended_by_somebody_else_is_lost_for_good,
	    a_session_ended_in_the_middle_of_a_statement_is_lost,
	    quoted_names_and_literals_mean_themselves,
	};

	return session_run("pg", sig_init, NULL, tests, sizeof tests / sizeof *tests);
}
