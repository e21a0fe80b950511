#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/config.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "cli/redact.h"
#include "flow/site.h"

static int
print_json(const char *name, const char *value, struct err *e)
{
	cJSON *object = cJSON_CreateObject();
	char *text = NULL;

	if (cJSON_AddStringToObject(object, "name", name) != NULL &&
	    (value != NULL ? cJSON_AddStringToObject(object, "value", value)
			   : cJSON_AddNullToObject(object, "value")) != NULL &&
	    cJSON_AddStringToObject(object, "origin", config_origin(name)) != NULL)
		text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	if (text == NULL)
		return err_set(e, ERR_AGAIN, "out of memory");
	puts(text);
	cJSON_free(text);
	return 0;
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
