#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/config.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "cli/redact.h"
#include "flow/site.h"

static int
print_json(const char *name, const char *value, struct err *e)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "name", name);
	if (value != NULL)
		cJSON_AddStringToObject(object, "value", value);
	else
		cJSON_AddNullToObject(object, "value");
	cJSON_AddStringToObject(object, "origin", config_origin(name));
	return admin_print_json(object, e);
}

/* The value as it may be shown, NULL if there is none; freed by the caller. */
static char *
shown_value(const char *name)
{
	const char *value = config_get(name);
	struct err ignored;

	if (value != NULL)
		return redact_value(name, value);
	/* The one default that depends on who asks. */
	return strcmp(name, "CSVP_HOME") == 0 ? site_home(&ignored) : NULL;
}

static void
warn_unknown(void *ctx, const char *name, const char *near)
{
	(void)ctx;
	log_notice("unknown name %s in the environment%s%s", name, near != NULL ? "; hint: did you mean " : "",
	    near != NULL ? near : "");
}

static int
print_all(void *ctx, struct err *e)
{
	const bool *json = ctx;
	static const char *const headers[] = {"NAME", "VALUE", "FROM"};
	static const bool right[] = {false, false, false};
	struct grid *grid;
	int result = 0;

	if (config_load(e) != 0)
		return -1;
	grid = grid_new(headers, right, 3);
	for (const char *const *name = config_names(); result == 0 && *name != NULL; name++) {
		char *shown = shown_value(*name);
		const char *const cells[] = {*name, shown, config_origin(*name)};

		if (*json)
			result = print_json(*name, shown, e);
		else
			grid_row(grid, cells);
		free(shown);
	}
	if (!*json)
		grid_print(grid);
	grid_free(grid);
	config_unknown(warn_unknown, NULL);
	return result;
}

int
admin_config(int argc, char **argv)
{
	bool json = false;
	const struct option table[] = {
	    {"json", '\0', NULL, OPTION_FLAG, &json, "one JSON object a line: name, value, origin"},
	    {.name = NULL},
	};
	const struct program program = {"csvp-admin config", "[--json]",
	    "Print every setting, its value (secrets as ***) and where it comes from: environment, FILE:LINE or "
	    "default.",
	    table, config_names()};

	return admin_plain(&program, argc, argv, print_all, &json);
}
