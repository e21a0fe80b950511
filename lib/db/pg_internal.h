#ifndef DB_PG_INTERNAL_H
#define DB_PG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libpq-fe.h>

struct buf;
struct err;

#define PG_STATEMENT_TIMEOUT "'10min'"
#define PG_MOST_PREPARED 8

struct pg {
	PGconn *conn;
	char *conninfo;
	int64_t connect_ms; /* that connecting may take */
	bool begun;         /* `conn` is on its way to a session: */
	PostgresPollingStatusType step;
	bool lost;
	bool copying;     /* between pg_copy_begin and its end */
	uint64_t copied;  /* rows of the last COPY FROM */
	bool shielded;    /* signals do not end waits, `deadline` does */
	bool cancelled;   /* the statement of this call has been cancelled */
	int64_t patience; /* lock_timeout, milliseconds */
	int64_t deadline; /* of this call, clk_system milliseconds; 0 for none */
	char sqlstate[6];
	const char *prepared[PG_MOST_PREPARED]; /* that the server knows as csvp_0, csvp_1 ... */
	size_t prepared_count;
};

struct pg_rows {
	PGresult *result;
};

/* pg_rows.c: the result of a call (NULL: it has failed) as its rows, or freed if `rows` is NULL. 0, -1. */
int pg_rows_take(struct pg_rows **rows, PGresult *result);

/* pg_connect.c: begin to connect pg->conn, without waiting; bring that to its end, and pin the session's settings. */
int pg_connect_begin(struct pg *pg, struct err *e);
int pg_connect_session(struct pg *pg, struct err *e);

/* pg_error.c: what PostgreSQL said, as an error of ours. */

/* Fill *e from a failed result; remembers its SQLSTATE and whether the connection is lost. Returns -1. */
int pg_error_result(struct pg *pg, const PGresult *result, struct err *e);
/* The same from what libpq says about the connection. */
int pg_error_connection(struct pg *pg, struct err *e);
/* After a cancel of ours: 130/143 if a signal was the reason, else 75. Returns -1. */
int pg_error_cancelled(struct pg *pg, struct err *e);
/* Why a connection could not be made: sets pg->sqlstate if the server said one. */
int pg_error_connect(struct pg *pg, struct err *e);
/* `text` as one line, without a password that a malformed URL may hold. */
void pg_error_line(struct buf *line, const char *text);

/* pg_wait.c: one call's conversation with the server, every wait open to signals. */

/* Before a call sends anything: 75 on a lost session, 70 inside a COPY, 130/143 after a signal. */
int pg_wait_begin(struct pg *pg, struct err *e);
/* The same for the next step of a COPY. */
int pg_wait_continue(struct pg *pg, struct err *e);
/* Send what libpq has buffered. */
int pg_wait_flush(struct pg *pg, struct err *e);
/* Wait for bytes from the server and take them in. */
int pg_wait_input(struct pg *pg, struct err *e);
/* The next result of the statement sent, NULL after the last one. */
PGresult *pg_wait_next(struct pg *pg);
/* After a send that returned `sent`: the last of its results, or NULL and the error of the first that failed. */
PGresult *pg_wait_result(struct pg *pg, int sent, struct err *e);
/* Forget the results that are still to come; pg_wait_abandon cancels their statement first. */
void pg_wait_drain(struct pg *pg);
void pg_wait_abandon(struct pg *pg);

#endif
