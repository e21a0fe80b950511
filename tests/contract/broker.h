#ifndef CONTRACT_BROKER_H
#define CONTRACT_BROKER_H

#include <unistd.h>

#include "base/clk.h"
#include "cases.h"
#include "ledger/ledger.h"
#include "net/aws.h"
#include "queue/queue.h"
#include "meanwhile.h"
#include "service.h"

/*
 * The message queue under test: the cases run over a PostgreSQL and an
 * ElasticMQ of the program's own, or in place of that one over each URL
 * (separated by blanks) of CSVP_TEST_QUEUE_URL.
 */
static const char *given; /* the URL the cases run over now; NULL: the PostgreSQL */
static char *prefix;      /* of this case's queues: a broker may be shared */
static struct queue *queue;
static struct err e;

static inline struct queue *
open_queue(int64_t visibility)
{
	static const struct aws aws = {.access_key = "csvp", .secret_key = "csvp-secret"};
	struct queue_options options = {.url = given != NULL ? given : "pg:",
	    .conninfo = session_conninfo.bytes,
	    .aws = &aws,
	    .visibility = visibility,
	    .prefix = prefix};
	struct queue *opened = queue_open(&options, &e);

	ck_assert_msg(opened != NULL, "%s", e.message);
	return opened;
}

static void
begin(void)
{
	sig_init();
	if (given == NULL) {
		struct pg *pg = session_open("");

		ck_assert_msg(ledger_migrate(pg, &e) >= 0, "%s", e.message);
		pg_close(pg);
	}
	prefix = buf_format("test-%d-%llx-", getpid(), (unsigned long long)clk_random(clk_system()));
	queue = open_queue(30000);
}

static void
end(void)
{
	/* A queue of a shared broker stays, but empty; after a signal even that is not possible. */
	for (int i = 0; i < QUEUE_COUNT && !sig_pending(); i++)
		OK(queue_purge(queue, (enum queue_name)i, &e));
	queue_close(queue);
	free(prefix);
}

static int
broker_run(const char *name, const TTest *const *tests, size_t count)
{
	const char *more = getenv("CSVP_TEST_QUEUE_URL");
	struct service own = {NULL, NULL};
	char *list, *rest;
	int failed = session_run(name, begin, end, tests, count);

	if (more == NULL || more[0] == '\0')
		more = service_start(&own, "elasticmq", "CSVP_QUEUE_URL") ? own.url : "";
	list = rest = buf_strdup(more);
	while ((given = strsep(&rest, " ")) != NULL)
		if (given[0] != '\0')
			failed |= cases_run(given, begin, end, tests, count);
	free(list);
	if (own.folder != NULL)
		service_stop(&own);
	return failed;
}

#endif
