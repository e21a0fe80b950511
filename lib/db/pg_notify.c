#include "db/pg_notify.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg_internal.h"

/* Take all notifications that have arrived; is one of them meant? */
static bool
take(struct pg *pg, const char *payload)
{
	PGnotify *notify;
	bool meant = false;

	while ((notify = PQnotifies(pg->conn)) != NULL) {
		meant = meant || strcmp(notify->extra, payload) == 0;
		PQfreemem(notify);
	}
	return meant;
}

/* Wait until the server says something; 0 also when the time is over. */
static int
wait_any(struct pg *pg, int64_t milliseconds, struct err *e)
{
	struct pollfd fds[2] = {
	    {.fd = PQsocket(pg->conn), .events = POLLIN},
	    {.fd = pg->shielded ? -1 : sig_fd(), .events = POLLIN},
	};
	int n;

	if (fds[0].fd < 0)
		return pg_error_connection(pg, e);
	n = poll(fds, 2, milliseconds < INT_MAX ? (int)milliseconds : INT_MAX);
	if (n < 0 && errno != EINTR)
		return pg_error_connection(pg, e);
	if (!pg->shielded && sig_check(e) != 0)
		return -1;
	if (n > 0 && fds[0].revents != 0 && PQconsumeInput(pg->conn) == 0)
		return pg_error_connection(pg, e);
	return 0;
}

int
pg_notify_wait(struct pg *pg, const char *payload, int64_t milliseconds, struct err *e)
{
	int64_t end = clk_now(clk_system()) + milliseconds;

	if (pg_wait_begin(pg, e) != 0)
		return -1;
	while (!take(pg, payload)) {
		int64_t left = end - clk_now(clk_system());

		if (left <= 0)
			return 0;
		if (wait_any(pg, left, e) != 0)
			return -1;
	}
	return 1;
}
