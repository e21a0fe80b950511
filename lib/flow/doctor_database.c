#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "db/pg.h"
#include "flow/doctor_internal.h"
#include "flow/site.h"
#include "ledger/ledger.h"

/* Versions of the server: what works, and what the tests run on. */
enum { OLDEST_VERSION = 130000, TESTED_VERSION = 150000 };

/* Between this machine and the server, in seconds: signatures of S3 and SQS are refused from 5 minutes on. */
#define SKEW 5.0

/* A query of one row without parameters; NULL when it failed, which has then been said. */
static struct pg_rows *
ask(struct doctor *d, const char *sql)
{
	struct pg_rows *rows;
	struct err e;

	if (d->pg == NULL)
		return NULL;
	if (pg_query(d->pg, &rows, &e, sql, 0, NULL) != 0) {
		doctor_say_error(d, NULL, &e);
		return NULL;
	}
	if (pg_rows_count(rows) == 1)
		return rows;
	pg_rows_free(rows);
	return NULL;
}

static void
check_version(struct doctor *d)
{
	struct pg_rows *rows = ask(d, "SELECT current_setting('server_version_num')::int,"
				      " split_part(current_setting('server_version'), ' ', 1), current_database(),"
				      " current_user, pg_is_in_recovery()");
	int64_t number;

	if (rows == NULL)
		return;
	number = pg_rows_int(rows, 0, 0);
	if (number < OLDEST_VERSION)
		doctor_say(d, DOCTOR_FAIL, ERR_CONFIG, "use PostgreSQL 15 or later", "PostgreSQL %s is too old",
		    pg_rows_text(rows, 0, 1));
	else if (pg_rows_bool(rows, 0, 4))
		doctor_say(d, DOCTOR_FAIL, ERR_CONFIG, "name the primary server in CSVP_DATABASE_URL",
		    "PostgreSQL %s is a standby: nothing can be written", pg_rows_text(rows, 0, 1));
	else
		doctor_say(d, number < TESTED_VERSION ? DOCTOR_WARN : DOCTOR_OK, ERR_NONE,
		    number < TESTED_VERSION ? "csvp is tested with PostgreSQL 15 and later" : NULL,
		    "PostgreSQL %s, database %s, user %s", pg_rows_text(rows, 0, 1), pg_rows_text(rows, 0, 2),
		    pg_rows_text(rows, 0, 3));
	pg_rows_free(rows);
}

static void
check_migrations(struct doctor *d)
{
	struct err e;
	int pending = ledger_pending_migrations(d->pg, &e);

	d->migrated = pending == 0;
	if (pending < 0)
		doctor_say_error(d, NULL, &e);
	else if (pending > 0)
		doctor_say(d, DOCTOR_FAIL, ERR_CONFIG, "csvp-admin migrate", "%d migrations are to be done", pending);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "migrated");
}

/* What the user may do, one right a row: what for, and the statement that gives it. */
static void
check_rights(struct doctor *d)
{
	struct pg_rows *rows;
	struct err e;
	bool all = true;

	if (PG_QUERY(d->pg, &rows, &e,
		"SELECT held, needed_for, format('GRANT %s TO %I', given, current_user) FROM (VALUES"
		" (has_database_privilege(current_database(), 'TEMPORARY'), 'load (temporary tables)',"
		"  format('TEMPORARY ON DATABASE %I', current_database())),"
		" (coalesce(has_schema_privilege(to_regnamespace(quote_ident($1)), 'CREATE'),"
		"   has_database_privilege(current_database(), 'CREATE')), format('create tables in schema %s', $1),"
		"  CASE WHEN to_regnamespace(quote_ident($1)) IS NULL THEN format('CREATE ON DATABASE %I',"
		"   current_database()) ELSE format('CREATE, USAGE ON SCHEMA %I', $1) END),"
		" (coalesce(has_schema_privilege(to_regnamespace('csvp'), 'CREATE'),"
		"   has_database_privilege(current_database(), 'CREATE')), 'keep the ledger in schema csvp',"
		"  CASE WHEN to_regnamespace('csvp') IS NULL THEN format('CREATE ON DATABASE %I', current_database())"
		"   ELSE 'CREATE, USAGE ON SCHEMA csvp' END)) AS r (held, needed_for, given)",
		site_schema(d->site)) != 0) {
		doctor_say_error(d, NULL, &e);
		return;
	}
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		if (pg_rows_bool(rows, i, 0))
			continue;
		all = false;
		doctor_say(d, DOCTOR_FAIL, ERR_CONFIG, pg_rows_text(rows, i, 2), "the user may not %s",
		    pg_rows_text(rows, i, 1));
	}
	if (all)
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "the user may do what csvp needs");
	pg_rows_free(rows);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
check_clocks(struct doctor *d)
{
	double before = now(), after, theirs, skew;
	struct pg_rows *rows = ask(d, "SELECT extract(epoch FROM clock_timestamp())::float8");

	if (rows == NULL)
		return;
	after = now();
	theirs = strtod(pg_rows_text(rows, 0, 0), NULL);
	pg_rows_free(rows);
	/* Somewhere in between it was asked. */
	skew = theirs < before ? before - theirs : theirs > after ? theirs - after : 0;
	if (skew > SKEW)
		doctor_say(d, DOCTOR_WARN, ERR_NONE, "let NTP set both clocks",
		    "the server's clock and this machine's are %.1f s apart", skew);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "its clock agrees within %.1f s", skew + (after - before));
}

void
doctor_database(struct doctor *d)
{
	struct err e;

	d->pg = site_open_session(d->site, &e);
	if (d->pg == NULL) {
		doctor_say_error(d, "is it running, and does CSVP_DATABASE_URL name it? csvp-admin config", &e);
		return;
	}
	check_version(d);
	check_migrations(d);
	check_rights(d);
	check_clocks(d);
}

/*
 * Settings that make trouble, as they are before csvp's own sessions pin some
 * of them (reset_val). `bad` is an SQL condition on the value v.
 */
static const struct {
	const char *name, *bad, *trouble, *hint;
} settings[] = {
    {"fsync", "v = 'off'", "a crash of the machine destroys the database", "fsync = on"},
    {"full_page_writes", "v = 'off'", "a crash of the machine destroys the database", "full_page_writes = on"},
    {"synchronous_commit", "v = 'off'", "a crash of the server forgets what was reported as done",
	"synchronous_commit = on"},
    {"autovacuum", "v = 'off'", "tables grow with each change and plans grow stale", "autovacuum = on"},
    {"track_counts", "v = 'off'", "autovacuum does nothing without it", "track_counts = on"},
    {"default_transaction_isolation", "v <> 'read committed'",
	"csvp's sessions set read committed, but edits by other programs may fail to serialize",
	"default_transaction_isolation = 'read committed'"},
    {"default_transaction_read_only", "v = 'on'", "nothing can be written", "default_transaction_read_only = off"},
    {"max_wal_size", "v::bigint < 256", "loading makes a checkpoint every few seconds", "max_wal_size = '4GB'"},
};

void
doctor_database_settings(struct doctor *d)
{
	bool good = true;

	if (d->pg == NULL)
		return;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		char *sql = buf_format("SELECT %s, v FROM (SELECT reset_val AS v FROM pg_settings WHERE name = '%s') s",
		    settings[i].bad, settings[i].name);
		struct pg_rows *rows = ask(d, sql);

		free(sql);
		if (rows == NULL)
			continue;
		if (pg_rows_bool(rows, 0, 0)) {
			good = false;
			doctor_say(d, DOCTOR_WARN, ERR_NONE, settings[i].hint, "%s is %s: %s", settings[i].name,
			    pg_rows_text(rows, 0, 1), settings[i].trouble);
		}
		pg_rows_free(rows);
	}
	if (good)
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "its settings are safe");
}

/* What csvp-run --workers opens on this machine: two a thread of load, three of index, two for split, three heartbeats. */
static int64_t
sessions_of_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return (cores < 1 ? 1 : cores) * 5 + 5;
}

static void
check_room(struct doctor *d)
{
	struct pg_rows *rows =
	    ask(d, "SELECT least(current_setting('max_connections')::bigint - "
		   "current_setting('superuser_reserved_connections')"
		   "::bigint - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
		   " nullif((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1),"
		   " nullif((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), -1))");
	int64_t room, needed = sessions_of_workers();

	if (rows == NULL)
		return;
	room = pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	if (room < needed)
		doctor_say(d, DOCTOR_WARN, ERR_NONE,
		    "max_connections, ALTER ROLE ... CONNECTION LIMIT, or workers with -j",
		    "%" PRId64 " sessions more may be opened, the workers of this machine open %" PRId64, room, needed);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL,
		    "room for %" PRId64 " sessions more, the workers of this machine open %" PRId64, room, needed);
}

/* Has the backend of this session changed, or is it shared with one that is in a transaction? 1, 0, -1. */
static int
is_pooled(struct pg *pg, struct pg *other, int64_t key, struct err *e)
{
	static const char sql[] = "SELECT pg_backend_pid()";
	struct pg_rows *mine, *theirs, *again;
	int got, pooled;

	if (pg_try_lock(pg, key, e) < 0 || pg_query(pg, &mine, e, sql, 0, NULL) != 0)
		return -1;
	pooled = pg_begin(other, e) == 0 && pg_query(other, &theirs, e, sql, 0, NULL) == 0 ? 0 : -1;
	if (pooled == 0) {
		if (pg_query(pg, &again, e, sql, 0, NULL) == 0) {
			pooled = pg_rows_int(mine, 0, 0) == pg_rows_int(theirs, 0, 0) ||
				 pg_rows_int(mine, 0, 0) != pg_rows_int(again, 0, 0);
			pg_rows_free(again);
		} else {
			pooled = -1;
		}
		pg_rows_free(theirs);
	}
	pg_rollback(other);
	pg_rows_free(mine);
	if (pooled != 0)
		return pooled;
	got = pg_try_lock(other, key, e);
	return got;
}

/* A pooler that gives sessions away between transactions loses what csvp relies on: session locks, TEMP tables, SET. */
static void
check_pooling(struct doctor *d)
{
	int64_t key = ledger_lock_key(LEDGER_LOCK_DOCTOR, getpid(), 0);
	struct pg *pg, *other;
	struct err e;
	int pooled = -1;

	pg = pg_open(site_conninfo(d->site), &e);
	other = pg != NULL ? pg_open(site_conninfo(d->site), &e) : NULL;
	if (other != NULL)
		pooled = is_pooled(pg, other, key, &e);
	if (pooled < 0)
		doctor_say_error(d, NULL, &e);
	else if (pooled > 0)
		doctor_say(d, DOCTOR_FAIL, ERR_CONFIG, "connect directly, or with pool_mode = session",
		    "a pooler gives its sessions away between transactions: locks and temporary tables are lost");
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "sessions are kept, and with them their locks");
	pg_close(other);
	pg_close(pg);
}

void
doctor_database_sessions(struct doctor *d)
{
	if (d->pg == NULL)
		return;
	check_room(d);
	check_pooling(d);
}
