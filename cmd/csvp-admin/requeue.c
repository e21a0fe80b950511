#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "admin.h"
#include "base/err.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "db/pg.h"
#include "flow/handoff.h"
#include "flow/site.h"
#include "queue/queue.h"

static void
print(const int64_t *sent, bool json)
{
	static const char *const headers[] = {"QUEUE", "SENT"};
	static const bool right[] = {false, true};
	struct grid *grid = grid_new(headers, right, 2);

	for (enum queue_name to = QUEUE_SPLIT; to < QUEUE_DEAD; to++) {
		char count[24];

		snprintf(count, sizeof count, "%" PRId64, sent[to]);
		if (json)
			printf("{\"queue\":\"%s\",\"sent\":%s}\n", queue_stage(to), count);
		else
			grid_row(grid, (const char *const[]){queue_stage(to), count});
	}
	if (!json)
		grid_print(grid);
	grid_free(grid);
}

static int
requeue(void *ctx, struct err *e)
{
	struct site *site = site_open(e);
	struct pg *pg = site != NULL ? site_connect(site, e) : NULL;
	struct queue *queue = pg != NULL ? site_queue(site, e) : NULL;
	int64_t sent[QUEUE_COUNT];
	int result = queue != NULL ? handoff_sweep(pg, queue, false, sent, e) : -1;

	if (result == 0)
		print(sent, *(const bool *)ctx);
	queue_close(queue);
	pg_close(pg);
	site_close(site);
	return result;
}

int
admin_requeue(int argc, char **argv)
{
	bool json = false;
	const struct option table[] = {
	    {"json", '\0', NULL, OPTION_FLAG, &json, "one JSON object a line: queue, sent"},
	    {.name = NULL},
	};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_QUEUE_URL", "CSVP_HOME", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-admin requeue", "[--json]",
	    "Send to the workers' queues all that the ledger says is undone and nobody works on, as after a queue was "
	    "lost. Print how many messages that were.",
	    table, environment};

	return admin_plain(&program, argc, argv, requeue, &json);
}
