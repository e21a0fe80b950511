#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/config.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "cli/redact.h"

static void
print_json(const char *name, const char *value)
{
	cJSON *object = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(object, "name", name);
	if (value != NULL)
		cJSON_AddStringToObject(object, "value", value);
	else
		cJSON_AddNullToObject(object, "value");
	cJSON_AddStringToObject(object, "origin", config_origin(name));
	text = cJSON_PrintUnformatted(object);
	puts(text);
	cJSON_free(text);
	cJSON_Delete(object);
}

static void
print_all(bool json)
{
	static const char *const headers[] = {"NAME", "VALUE", "FROM"};
	static const bool right[] = {false, false, false};
	struct grid *grid = grid_new(headers, right, 3);

	for (const char *const *name = config_names(); *name != NULL; name++) {
		const char *value = config_get(*name);
		char *shown = value != NULL ? redact_value(*name, value) : NULL;
		const char *const cells[] = {*name, shown, config_origin(*name)};

		if (json)
			print_json(*name, shown);
		else
			grid_row(grid, cells);
		free(shown);
	}
	if (!json)
		grid_print(grid);
	grid_free(grid);
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
	struct err e = {0};
	char **operands;
	size_t count;

	if (options_parse(&program, argc, argv, &operands, &count, &e) != 0)
		return options_exit(&e);
	if (count > 0)
		(void)err_set(&e, ERR_USAGE, "unexpected operand: %s", operands[0]);
	else if (config_load(&e) == 0)
		print_all(json);
	return options_exit(&e);
}
