#include "db/pg_internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"

enum {
	SHIELD_MS = 10000, /* an answer to what is sent after a signal */
	CANCEL_MS = 10000  /* the server's answer to a cancel; cancels are looked at between rows, so this is ample */
};

int
pg_wait_begin(struct pg *pg, struct err *e)
{
	if (pg->copying)
		return err_set(e, ERR_BUG, "a statement was sent in the middle of a COPY");
	return pg_wait_continue(pg, e);
}

int
pg_wait_continue(struct pg *pg, struct err *e)
{
	pg->sqlstate[0] = '\0';
	pg->cancelled = false;
	pg->deadline = pg->shielded ? clk_now(clk_system()) + SHIELD_MS : 0;
	if (pg->lost)
		return err_set(e, ERR_AGAIN, "the connection to the database is lost");
	return pg->shielded ? 0 : sig_check(e);
}

static void *
send_cancel(void *handle)
{
	char why[256] = "";

	if (PQcancel(handle, why, sizeof why) == 0)
		log_detail("the statement could not be cancelled: %s", why);
	PQfreeCancel(handle);
	return NULL;
}

/*
 * PQcancel waits without limit for a server that takes no connection in. Then the session is lost: a cancel that
 * arrives later must not meet another statement of it.
 */
static void
cancel(struct pg *pg)
{
	PGcancel *handle = PQgetCancel(pg->conn);
	struct timespec limit;
	pthread_t sender;

	pg->cancelled = true;
	pg->deadline = clk_now(clk_system()) + CANCEL_MS;
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += CANCEL_MS / 1000;
	if (handle == NULL || pthread_create(&sender, NULL, send_cancel, handle) != 0) {
		PQfreeCancel(handle);
		pg->lost = true;
	} else if (pthread_clockjoin_np(sender, NULL, CLOCK_MONOTONIC, &limit) != 0) {
		pthread_detach(sender);
		pg->lost = true;
	}
}

/*
 * Wait until the socket has one of `events`. A signal or the deadline cancels
 * the statement; its answer is then waited for as before, so what the server
 * did is never guessed: a statement that ended just before is a success.
 */
static int
wait_socket(struct pg *pg, short events, struct err *e)
{
	for (;;) {
		bool listen = !pg->cancelled && !pg->shielded;
		struct pollfd fds[2] = {
		    {.fd = PQsocket(pg->conn), .events = events},
		    {.fd = listen ? sig_fd() : -1, .events = POLLIN},
		};
		int64_t left = pg->deadline != 0 ? pg->deadline - clk_now(clk_system()) : -1;
		int n;

		if (fds[0].fd < 0 || pg->lost)
			return pg_error_connection(pg, e);
		if (pg->deadline != 0 && left <= 0 && pg->cancelled)
			return pg_error_connection(pg, e);
		if (pg->deadline != 0 && left <= 0) {
			cancel(pg);
			continue;
		}
		n = poll(fds, 2, (int)left);
		if (n < 0 && errno != EINTR)
			return pg_error_connection(pg, e);
		if (n <= 0)
			continue;
		if (fds[1].revents != 0)
			cancel(pg);
		else
			return 0;
	}
}

int
pg_wait_flush(struct pg *pg, struct err *e)
{
	int more;

	while ((more = PQflush(pg->conn)) == 1) {
		/* A server that waits for us to read its notices does not read what we send. */
		if (wait_socket(pg, POLLIN | POLLOUT, e) != 0)
			return -1;
		if (PQconsumeInput(pg->conn) == 0)
			return pg_error_connection(pg, e);
	}
	return more == 0 ? 0 : pg_error_connection(pg, e);
}

int
pg_wait_input(struct pg *pg, struct err *e)
{
	if (wait_socket(pg, POLLIN, e) != 0)
		return -1;
	return PQconsumeInput(pg->conn) != 0 ? 0 : pg_error_connection(pg, e);
}

PGresult *
pg_wait_next(struct pg *pg)
{
	struct err ignored;

	/* On failure PQgetResult does not block, and knows the server's last words better than the socket's error. */
	while (PQisBusy(pg->conn) && pg_wait_input(pg, &ignored) == 0)
		continue;
	if (pg->lost && PQstatus(pg->conn) != CONNECTION_BAD)
		return NULL;
	return PQgetResult(pg->conn);
}

PGresult *
pg_wait_result(struct pg *pg, int sent, struct err *e)
{
	PGresult *last = NULL;
	PGresult *result;
	bool failed = false;

	if (sent == 0)
		pg_error_connection(pg, e);
	if (sent == 0 || pg_wait_flush(pg, e) != 0)
		failed = true;
	while ((result = pg_wait_next(pg)) != NULL) {
		ExecStatusType status = PQresultStatus(result);
		bool copy = status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;

		if (copy) {
			/* Not a result but the beginning of a conversation nobody wants to have. */
			err_set(e, ERR_BUG, "a COPY was run as an ordinary statement");
			PQclear(result);
			pg->lost = failed = true;
			break;
		}
		if (!failed && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
			pg_error_result(pg, result, e);
			failed = true;
		}
		PQclear(last);
		last = result;
	}
	/* A connection that ended behind a good result does not unmake it. */
	if (!failed && (last == NULL || (pg->lost && PQstatus(pg->conn) != CONNECTION_BAD))) {
		pg_error_connection(pg, e);
		failed = true;
	}
	if (PQstatus(pg->conn) == CONNECTION_BAD)
		pg->lost = true;
	if (failed) {
		PQclear(last);
		return NULL;
	}
	return last;
}

void
pg_wait_drain(struct pg *pg)
{
	PGresult *result;

	while (!pg->lost && (result = pg_wait_next(pg)) != NULL) {
		ExecStatusType status = PQresultStatus(result);
		char *row = NULL;
		struct err ignored;
		int length;

		PQclear(result);
		if (status == PGRES_COPY_IN)
			PQputCopyEnd(pg->conn, "not wanted");
		while (status == PGRES_COPY_OUT && (length = PQgetCopyData(pg->conn, &row, 1)) >= 0) {
			PQfreemem(row);
			row = NULL;
			if (length == 0 && pg_wait_input(pg, &ignored) != 0)
				return;
		}
	}
	if (PQstatus(pg->conn) == CONNECTION_BAD)
		pg->lost = true;
}

void
pg_wait_abandon(struct pg *pg)
{
	if (!pg->lost && !pg->cancelled)
		cancel(pg);
	pg_wait_drain(pg);
}
