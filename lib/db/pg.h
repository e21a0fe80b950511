#ifndef DB_PG_H
#define DB_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/pg_copy.h"
#include "db/pg_prepared.h"
#include "db/pg_rows.h"

struct buf;
struct err;
struct pg;
struct pg_rows;

/*
 * A PostgreSQL session, pinned as DESIGN 4 says: TimeZone=UTC, DateStyle=ISO,
 * client_encoding=UTF8, READ COMMITTED by default, extra_float_digits,
 * statement_timeout, keepalives, search_path = pg_catalog, pg_temp (every name
 * in our SQL is qualified). One thread at a time. Nothing reconnects: after a
 * lost connection every call fails with 75. Every wait ends when a signal
 * arrives (base/sig.h): the statement is cancelled and the call returns 130/143.
 * A server that is starting up (57P03) is waited for, 30 s at most.
 * Unless the user says another one, its application_name is program, process
 * and host: "csvp-load 1234@host".
 *
 * Errors: 75 cannot connect, connection lost, 08xxx, 40xxx, 53xxx, 55P03,
 * 55006, 57xxx; 77 for 28xxx and 42501; 78 for 3D000, 25006 (a standby), an
 * encoding other than UTF8 and a malformed conninfo; 65 for 22xxx, 23xxx,
 * P0001, 54000; 74 for 53100 (disk full), 58xxx, XX001, XX002; else 70.
 */
/* A URL or key=value pairs; what it leaves out, or all of it if it is NULL or "", comes from PG* and libpq. */
struct pg *pg_open(const char *conninfo, struct err *e);
void pg_close(struct pg *pg);
/* In two steps: pg_open_begin does not wait for the server. Until pg_open_finish is 0, only pg_close is allowed. */
struct pg *pg_open_begin(const char *conninfo, struct err *e);
int pg_open_finish(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

/* The five-letter SQLSTATE of the last failed call, "" if it had none. */
const char *pg_sqlstate(const struct pg *pg);

/* The connection is lost: the session's locks are gone. */
bool pg_lost(const struct pg *pg);

/* Of a session that has been at rest: is it still there, and outside a transaction? Asks the socket, not the server. */
bool pg_rested(struct pg *pg);

/*
 * On: signals do not end waits; instead every call must be answered within
 * 10 s (else 75). For handing work back after a signal has ended a call.
 */
void pg_shield(struct pg *pg, bool on);

/* Run one or more statements without result. */
int pg_exec(struct pg *pg, const char *sql, struct err *e) __attribute__((warn_unused_result));
int pg_execf(struct pg *pg, struct err *e, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

/* Run one statement with text parameters ($1..; a NULL pointer is NULL). *rows (may be NULL) is freed by pg_rows_free. */
int pg_query(struct pg *pg, struct pg_rows **rows, struct err *e, const char *sql, size_t count,
    const char *const *params) __attribute__((warn_unused_result));

/* The same with the parameters as arguments: PG_QUERY(pg, &rows, e, sql, a, b). At least one. */
#define PG_QUERY(pg, rows, e, sql, ...)                                                                                \
	pg_query(pg, rows, e, sql, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *),                  \
	    (const char *const[]){__VA_ARGS__})

int pg_begin(struct pg *pg, struct err *e) __attribute__((warn_unused_result)); /* READ COMMITTED, said explicitly */
/* Signals do not end a commit; one of a failed transaction rolls back and is 70. */
int pg_commit(struct pg *pg, struct err *e) __attribute__((warn_unused_result));
/* Leave the transaction whatever its state; harmless outside one and on a lost session. */
void pg_rollback(struct pg *pg);
bool pg_in_transaction(const struct pg *pg);

/* A session advisory lock; waits without time limit (until a signal). Counted by PostgreSQL: unlock as often. */
int pg_lock(struct pg *pg, int64_t key, struct err *e) __attribute__((warn_unused_result));
/* The same without waiting: 1 got it, 0 held by another session, -1 error. */
int pg_try_lock(struct pg *pg, int64_t key, struct err *e) __attribute__((warn_unused_result));
/* Not in a failed transaction. A lock that cannot be given back takes the session with it (pg_lost). */
void pg_unlock(struct pg *pg, int64_t key);

/* Outside a transaction: from now on a wait for a lock ends with 75 after so many milliseconds; 0, at first: never. */
int pg_patience(struct pg *pg, int64_t milliseconds, struct err *e) __attribute__((warn_unused_result));

/* Statements that wait for a lock or build a key or index: statement_timeout 0 around them, one transaction. */
int pg_exec_waiting(struct pg *pg, const char *sql, struct err *e) __attribute__((warn_unused_result));

/* A query read row by row in bounded memory (single-row mode); `each` gets one-row results. */
int pg_stream(struct pg *pg, const char *sql, size_t count, const char *const *params,
    int (*each)(void *ctx, const struct pg_rows *row, struct err *e), void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* Quoting for SQL text: "identifier" with doubled quotes, 'literal' safe under any standard_conforming_strings. */
void pg_quote_name(struct buf *sql, const char *name);
void pg_quote_literal(struct buf *sql, const char *text);
/* '{"...",...}' of count texts, each `stride` behind the one before (PostgreSQL, "Array Input and Output Syntax"). */
void pg_quote_array(struct buf *sql, const char *const *texts, size_t count, size_t stride);

#endif
