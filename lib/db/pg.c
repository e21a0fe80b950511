#include "db/pg.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "db/pg_internal.h"

struct pg *
pg_open_begin(const char *conninfo, struct err *e)
{
	struct pg *pg = buf_calloc(1, sizeof *pg);

	pg->conninfo = buf_strdup(conninfo != NULL ? conninfo : "");
	if (pg_connect_begin(pg, e) == 0)
		return pg;
	pg_close(pg);
	return NULL;
}

int
pg_open_finish(struct pg *pg, struct err *e)
{
	return pg_connect_session(pg, e);
}

struct pg *
pg_open(const char *conninfo, struct err *e)
{
	struct pg *pg = pg_open_begin(conninfo, e);

	if (pg == NULL || pg_open_finish(pg, e) == 0)
		return pg;
	pg_close(pg);
	return NULL;
}

void
pg_close(struct pg *pg)
{
	if (pg == NULL)
		return;
	PQfinish(pg->conn);
	if (pg->conninfo != NULL)
		explicit_bzero(pg->conninfo, strlen(pg->conninfo));
	free(pg->conninfo);
	free(pg);
}

const char *
pg_sqlstate(const struct pg *pg)
{
	return pg->sqlstate;
}

bool
pg_lost(const struct pg *pg)
{
	return pg->lost;
}

bool
pg_rested(struct pg *pg)
{
	struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};

	/* The first call takes in a server's last words, the second meets the end behind them. */
	if (!pg->lost && poll(&fd, 1, 0) != 0 && (PQconsumeInput(pg->conn) == 0 || PQconsumeInput(pg->conn) == 0))
		pg->lost = true;
	return !pg->lost && PQstatus(pg->conn) == CONNECTION_OK && PQtransactionStatus(pg->conn) == PQTRANS_IDLE;
}

void
pg_shield(struct pg *pg, bool on)
{
	pg->shielded = on;
}

static PGresult *
simple(struct pg *pg, const char *sql, struct err *e)
{
	if (pg_wait_begin(pg, e) != 0)
		return NULL;
	return pg_wait_result(pg, PQsendQuery(pg->conn, sql), e);
}

int
pg_exec(struct pg *pg, const char *sql, struct err *e)
{
	PGresult *result = simple(pg, sql, e);

	PQclear(result);
	return result != NULL ? 0 : -1;
}

int
pg_execf(struct pg *pg, struct err *e, const char *format, ...)
{
	struct buf sql = {0};
	va_list ap;
	int rc;

	va_start(ap, format);
	buf_vprintf(&sql, format, ap);
	va_end(ap);
	rc = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return rc;
}

int
pg_query(struct pg *pg, struct pg_rows **rows, struct err *e, const char *sql, size_t count, const char *const *params)
{
	if (pg_wait_begin(pg, e) != 0)
		return -1;
	return pg_rows_take(
	    rows, pg_wait_result(pg, PQsendQueryParams(pg->conn, sql, (int)count, NULL, params, NULL, NULL, 0), e));
}

int
pg_begin(struct pg *pg, struct err *e)
{
	return pg_exec(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", e);
}

int
pg_commit(struct pg *pg, struct err *e)
{
	bool shielded = pg->shielded;
	PGresult *result = NULL;
	bool done;

	if (!pg->lost && PQtransactionStatus(pg->conn) == PQTRANS_IDLE)
		return err_set(e, ERR_BUG, "a commit outside a transaction");
	/* A signal must not make the outcome unknown; and to finish is as good as to roll back. */
	pg->shielded = true;
	if (pg_wait_begin(pg, e) == 0) {
		/* A slow disk is no reason to give up on it. */
		pg->deadline = 0;
		result = pg_wait_result(pg, PQsendQuery(pg->conn, "COMMIT"), e);
	}
	pg->shielded = shielded;
	/* Of a failed transaction the server makes a ROLLBACK and calls it a success. */
	done = result != NULL && strcmp(PQcmdStatus(result), "COMMIT") == 0;
	if (result != NULL && !done)
		err_set(e, ERR_BUG, "a failed transaction cannot be committed; it is rolled back");
	PQclear(result);
	return done ? 0 : -1;
}

void
pg_rollback(struct pg *pg)
{
	bool shielded = pg->shielded;
	char sqlstate[sizeof pg->sqlstate];
	struct err e;

	pg_copy_abort(pg);
	if (!pg_in_transaction(pg))
		return;
	/* The caller is about to look at why he rolls back. */
	memcpy(sqlstate, pg->sqlstate, sizeof sqlstate);
	pg->shielded = true;
	if (pg_exec(pg, "ROLLBACK", &e) != 0) {
		log_detail("rollback: %s", e.message);
		pg->lost = true;
	}
	pg->shielded = shielded;
	memcpy(pg->sqlstate, sqlstate, sizeof sqlstate);
}

bool
pg_in_transaction(const struct pg *pg)
{
	PGTransactionStatusType status = PQtransactionStatus(pg->conn);

	return !pg->lost && status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

int
pg_patience(struct pg *pg, int64_t milliseconds, struct err *e)
{
	if (pg->patience == milliseconds)
		return 0;
	if (pg_execf(pg, e, "SET lock_timeout = %" PRId64, milliseconds) != 0)
		return -1;
	pg->patience = milliseconds;
	return 0;
}

int
pg_exec_waiting(struct pg *pg, const char *sql, struct err *e)
{
	/* One message: one round trip, and if the statement fails the server undoes the SET with it. */
	return pg_execf(pg, e, "SET statement_timeout = 0; %s\n; SET statement_timeout = " PG_STATEMENT_TIMEOUT, sql);
}

int
pg_lock(struct pg *pg, int64_t key, struct err *e)
{
	char sql[80];

	snprintf(sql, sizeof sql, "SELECT pg_catalog.pg_advisory_lock(%" PRId64 ")", key);
	return pg_exec_waiting(pg, sql, e);
}

/* The answer of a function that returns boolean: 1, 0 or -1. */
static int
ask(struct pg *pg, struct err *e, const char *function, int64_t key)
{
	char sql[80];
	PGresult *result;
	int yes;

	snprintf(sql, sizeof sql, "SELECT pg_catalog.%s(%" PRId64 ")", function, key);
	result = simple(pg, sql, e);
	if (result == NULL)
		return -1;
	yes = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return yes;
}

int
pg_try_lock(struct pg *pg, int64_t key, struct err *e)
{
	return ask(pg, e, "pg_try_advisory_lock", key);
}

void
pg_unlock(struct pg *pg, int64_t key)
{
	bool shielded = pg->shielded;
	struct err e;

	if (pg->lost)
		return;
	pg->shielded = true;
	if (ask(pg, &e, "pg_advisory_unlock", key) < 0) {
		log_detail("unlock: %s", e.message);
		PQfinish(pg->conn);
		pg->conn = NULL;
		pg->lost = true;
	}
	pg->shielded = shielded;
}
