#include <stdbool.h>
#include <stdio.h>

#include "admin.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/config.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/rate.h"
#include "ledger/throttle.h"

static int
print_all(struct pg *pg, bool json, struct err *e)
{
	static const char *const headers[] = {"STAGE", "RATE"};
	static const bool right[] = {false, true};
	char text[THROTTLE_COUNT][RATE_TEXT];
	struct rate rate;
	struct grid *grid;

	for (size_t i = 0; i < THROTTLE_COUNT; i++) {
		if (throttle_get(pg, (enum throttle_resource)i, &rate, e) != 0)
			return -1;
		rate_print(&rate, text[i]);
	}
	grid = grid_new(headers, right, 2);
	for (size_t i = 0; i < THROTTLE_COUNT; i++) {
		const char *name = throttle_name((enum throttle_resource)i);

		if (json)
			printf("{\"stage\":\"%s\",\"rate\":\"%s\"}\n", name, text[i]);
		else
			grid_row(grid, (const char *const[]){name, text[i]});
	}
	if (!json)
		grid_print(grid);
	grid_free(grid);
	return 0;
}

/* Look at the operands before a database is started for them. */
static int
parse(char **operands, size_t count, enum throttle_resource *resource, struct rate *rate, struct err *e)
{
	if (count == 0)
		return 0;
	if (count != 2)
		return err_set(e, ERR_USAGE, "usage: csvp-admin throttle [load|index RATE]");
	if (!throttle_find(operands[0], resource))
		return err_set(e, ERR_USAGE, "'%s' has no throttle; hint: load or index", operands[0]);
	return rate_parse(operands[1], rate, e);
}

int
admin_throttle(int argc, char **argv)
{
	bool json = false;
	const struct option table[] = {
	    {"json", '\0', NULL, OPTION_FLAG, &json, "one JSON object a line: stage, rate"},
	    {.name = NULL},
	};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_HOME", "CSVP_LOAD_RATE", "CSVP_INDEX_RATE", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-admin throttle", "[--json] [load|index RATE]",
	    "Print how fast all workers together may load and index, or set it: 5000/s (records), 2MB/s (bytes) or "
	    "unlimited. Running workers follow within a second.",
	    table, environment};
	enum throttle_resource resource;
	struct site *site = NULL;
	struct pg *pg = NULL;
	struct rate rate;
	struct err e = {0};
	char **operands;
	size_t count;

	if (options_parse(&program, argc, argv, &operands, &count, &e) != 0 ||
	    parse(operands, count, &resource, &rate, &e) != 0)
		return options_exit(&e);
	site = site_open(&e);
	pg = site != NULL ? site_connect(site, &e) : NULL;
	if (pg != NULL && (count > 0 ? throttle_set(pg, resource, &rate, &e) : print_all(pg, json, &e)) != 0)
		log_detail("no rate was %s", count > 0 ? "set" : "printed");
	pg_close(pg);
	site_close(site);
	return options_exit(&e);
}
