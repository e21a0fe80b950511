#include "db/pg_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "base/sig.h"
#include "db/pg.h"

enum {
	CONNECT_MS = 10000,  /* unless the user says connect_timeout */
	STARTING_MS = 30000, /* for a server that says it is starting up or in recovery */
	CLOSED_MS = 5000,    /* for one that hangs up, as it does when another session of it has just crashed */
	AGAIN_MS = 50
};

/*
 * Said in one round trip after the start-up packet, inside which pgbouncer
 * refuses them. A user's own defaults must not change what our SQL means:
 * under repeatable read one chunk is loaded twice. The server's keepalives and
 * the client's (below) end a session whose other side is gone; the 5 minutes
 * also cover one that is stopped, yet leave a reader at its pager in peace.
 */
static const char pins[] =
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';"
    "SET extra_float_digits = 1; SET bytea_output = 'hex'; SET standard_conforming_strings = on;"
    "SET search_path = pg_catalog, pg_temp; SET default_transaction_isolation = 'read committed';"
    "SET statement_timeout = " PG_STATEMENT_TIMEOUT ";"
    "SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '15min';"
    "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6;"
    "SET tcp_user_timeout = '5min'; SET jit = off;";

static void
on_notice(void *ctx, const PGresult *result)
{
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	struct buf line = {0};

	(void)ctx;
	pg_error_line(&line, text != NULL ? text : PQresultErrorMessage(result));
	if (line.length > 0)
		log_detail("postgresql: %s", line.bytes);
	buf_fini(&line);
}

/* Is it a conninfo at all, and how long may connecting take? */
static int
check_conninfo(const char *conninfo, int64_t *milliseconds, struct err *e)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &why);
	struct buf line = {0};

	*milliseconds = CONNECT_MS;
	if (options == NULL) {
		pg_error_line(&line, why != NULL ? why : "out of memory");
		err_set(
		    e, ERR_CONFIG, "not a PostgreSQL URL: %s; hint: postgresql://user@host:5432/database", line.bytes);
		buf_fini(&line);
		PQfreemem(why);
		return -1;
	}
	for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
		const char *value = o->val != NULL ? o->val : o->envvar != NULL ? getenv(o->envvar) : NULL;
		int64_t seconds;

		if (strcmp(o->keyword, "connect_timeout") == 0 && value != NULL && num_int64(value, &seconds) &&
		    seconds > 0 && seconds < 86400)
			*milliseconds = seconds * 1000;
	}
	PQconninfoFree(options);
	return 0;
}

/* The rest of PQconnectStart, open to signals. */
static int
finish(struct pg *pg, struct err *e)
{
	int64_t deadline = clk_now(clk_system()) + pg->connect_ms;

	while (pg->step != PGRES_POLLING_OK) {
		struct pollfd fds[2] = {
		    {.fd = PQsocket(pg->conn), .events = pg->step == PGRES_POLLING_READING ? POLLIN : POLLOUT},
		    {.fd = sig_fd(), .events = POLLIN},
		};
		int64_t left = deadline - clk_now(clk_system());
		int n;

		if (pg->step == PGRES_POLLING_FAILED)
			return pg_error_connect(pg, e);
		if (left <= 0)
			return err_set(e, ERR_AGAIN,
			    "cannot connect to the database: %s port %s did not answer in %d s", PQhost(pg->conn),
			    PQport(pg->conn), (int)(pg->connect_ms / 1000));
		n = poll(fds, 2, (int)left);
		if (n < 0 && errno != EINTR)
			return err_errno(e, errno, "cannot wait for the database");
		if (sig_check(e) != 0)
			return -1;
		if (n > 0)
			pg->step = PQconnectPoll(pg->conn);
	}
	return 0;
}

/* What pg_stat_activity, and csvp-status, call this session: "csvp-load 1234@host". */
static void
name_session(char name[64])
{
	char host[HOST_NAME_MAX + 1] = "";

	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	snprintf(name, 64, "%.20s %d@%s", program_invocation_short_name, (int)getpid(), host);
}

static int
start(struct pg *pg, struct err *e)
{
	char name[64];
	/* What stands before dbname is a default that the conninfo may change; what follows it is pinned. */
	const char *const keywords[] = {"fallback_application_name", "keepalives_idle", "keepalives_interval",
	    "keepalives_count", "tcp_user_timeout", "dbname", "client_encoding", NULL};
	const char *const values[] = {name, "60", "10", "6", "300000", pg->conninfo, "UTF8", NULL};

	name_session(name);
	pg->sqlstate[0] = '\0';
	pg->lost = false;
	PQfinish(pg->conn);
	pg->conn = PQconnectStartParams(keywords, values, 1);
	if (pg->conn == NULL)
		return err_set(e, ERR_AGAIN, "out of memory");
	/* Only this way does a refusal come with its SQLSTATE. */
	PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(pg->conn, on_notice, NULL);
	pg->step = PGRES_POLLING_WRITING;
	pg->begun = PQstatus(pg->conn) != CONNECTION_BAD;
	return pg->begun ? 0 : pg_error_connect(pg, e);
}

static int
try(struct pg *pg, struct err *e)
{
	if (!pg->begun && start(pg, e) != 0)
		return -1;
	pg->begun = false;
	if (finish(pg, e) != 0)
		return -1;
	PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
	if (PQsetnonblocking(pg->conn, 1) != 0)
		return pg_error_connection(pg, e);
	return 0;
}

static int
pin(struct pg *pg, bool watch_client, struct err *e)
{
	int version = PQserverVersion(pg->conn);
	struct buf sql = {0};
	int rc;

	buf_string(&sql, pins);
	if (version >= 140000)
		buf_string(&sql, "SET idle_session_timeout = 0;");
	if (version >= 140000 && watch_client)
		buf_string(&sql, "SET client_connection_check_interval = '10s';");
	if (version >= 170000)
		buf_string(&sql, "SET transaction_timeout = 0;");
	rc = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return rc;
}

/* How long after the first attempt is another one worth while? */
static int64_t
patience(const struct pg *pg, const struct err *e)
{
	if (strcmp(pg->sqlstate, "57P03") == 0 || strcmp(pg->sqlstate, "57P02") == 0)
		return STARTING_MS;
	return e->code == ERR_AGAIN && strstr(e->message, "closed the connection unexpectedly") != NULL ? CLOSED_MS : 0;
}

/* Servers on systems that cannot watch a socket refuse that one setting (22023). */
static int
pin_all(struct pg *pg, struct err *e)
{
	if (pin(pg, true, e) == 0)
		return 0;
	return strcmp(pg->sqlstate, "22023") == 0 ? pin(pg, false, e) : -1;
}

int
pg_connect_begin(struct pg *pg, struct err *e)
{
	struct err why;

	if (check_conninfo(pg->conninfo, &pg->connect_ms, e) != 0)
		return -1;
	/* A server that cannot be reached now is tried again where its answer is waited for. */
	if (start(pg, &why) == 0) {
		struct pollfd socket = {.fd = PQsocket(pg->conn), .events = POLLOUT};

		/* On a machine's own socket the first packet goes at once. */
		if (poll(&socket, 1, 0) == 1)
			pg->step = PQconnectPoll(pg->conn);
	}
	return 0;
}

int
pg_connect_session(struct pg *pg, struct err *e)
{
	int64_t begun = clk_now(clk_system());
	const char *encoding;

	while (try(pg, e) != 0 || pin_all(pg, e) != 0) {
		struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};

		if (clk_now(clk_system()) - begun >= patience(pg, e))
			return -1;
		if (poll(&wake, 1, AGAIN_MS) != 0 && sig_check(e) != 0)
			return -1;
	}
	encoding = PQparameterStatus(pg->conn, "server_encoding");
	if (encoding != NULL && strcmp(encoding, "UTF8") == 0)
		return 0;
	return err_set(e, ERR_CONFIG,
	    "the database %s has the encoding %s, not UTF8; hint: create it with ENCODING 'UTF8' TEMPLATE template0",
	    PQdb(pg->conn), encoding != NULL ? encoding : "(unknown)");
}
