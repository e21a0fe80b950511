#include "openapi.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "call.h"
#include "csvp-api/components.json.h"
#include "openapi_dataset.h"
#include "openapi_operation.h"
#include "route.h"

static const struct tag {
	const char *name, *text;
} tags[] = {
    {"datasets", "Tables with a search index; files are uploaded into them."},
    {"search", "Find records by words and conditions."},
    {"records", "Single records, by their key."},
    {"jobs", "What became of each file: progress, books, rejects."},
    {"throttle", "How fast workers may be."},
    {"health", "Whether it works, and how much it does."},
    {"documentation", "This document, and the page that shows it."},
};

static cJSON *
tag_list(void)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		cJSON *tag = cJSON_CreateObject();

		cJSON_AddStringToObject(tag, "name", tags[i].name);
		cJSON_AddStringToObject(tag, "description", tags[i].text);
		cJSON_AddItemToArray(list, tag);
	}
	return list;
}

static void
add_head(cJSON *document)
{
	cJSON *info, *server;

	cJSON_AddStringToObject(document, "openapi", "3.1.0");
	info = cJSON_AddObjectToObject(document, "info");
	cJSON_AddStringToObject(info, "title", "csvp");
	cJSON_AddStringToObject(info, "version", CSVP_VERSION);
	cJSON_AddStringToObject(info, "summary", "CSV files into PostgreSQL tables and a search index");
	cJSON_AddStringToObject(info, "description",
	    "Upload a file, wait for its job, search its records. What is not allowed without a token takes"
	    " `Authorization: Bearer csvp_...`, from `csvp-admin token create`.");
	cJSON_AddItemToObject(info, "license", cJSON_Parse("{\"name\":\"ISC\",\"identifier\":\"ISC\"}"));
	server = cJSON_CreateObject();
	cJSON_AddStringToObject(server, "url", "/");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(document, "servers"), server);
	cJSON_AddItemToObject(document, "tags", tag_list());
}

/* The methods of a path stand together. */
static cJSON *
path_of(cJSON *paths, const char *pattern)
{
	cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, pattern);

	return path != NULL ? path : cJSON_AddObjectToObject(paths, pattern);
}

static void
add_paths(cJSON *document)
{
	cJSON *paths = cJSON_AddObjectToObject(document, "paths");

	for (size_t i = 0; i < route_count(); i++) {
		const struct route *route = route_at(i);
		char *method;

		if (route->hidden)
			continue;
		method = buf_strdup(route->method);

		for (char *letter = method; *letter != '\0'; letter++)
			*letter |= 0x20;
		cJSON_AddItemToObject(path_of(paths, route->pattern), method, openapi_operation(route));
		free(method);
	}
}

/* What both the table and the datasets' own columns say. */
static int
add_datasets(struct call *c, cJSON *document, struct err *e)
{
	int result = call_identify(c, e);

	if (result != 0)
		return result;
	if (c->scope < API_READ)
		return 0;
	return call_site(c, e) == 0 ? openapi_dataset_all(c->site, document, e) : -1;
}

/* C1 controls (ISO 6429) stand in JSON as they are, but YAML has no place for them, and many read this as YAML. */
static char *
print(const cJSON *document)
{
	char *json = cJSON_PrintUnformatted(document);
	struct buf text = {0};

	for (const char *at = json; at != NULL && *at != '\0'; at++) {
		bool c1 = at[0] == '\xc2' && (unsigned char)at[1] < 0xa0;

		if (c1)
			buf_printf(&text, "\\u%04x", (unsigned char)*++at);
		else
			buf_byte(&text, *at);
	}
	cJSON_free(json);
	return text.length > 0 ? buf_detach(&text) : NULL;
}

static int
send(struct call *c, cJSON *document)
{
	char *text = print(document);

	cJSON_Delete(document);
	if (text == NULL)
		return response_problem(&c->response, 503, "out of memory; try again");
	response_text(&c->response, 200, "application/json", text);
	free(text);
	return 0;
}

int
api_openapi(struct call *c, struct err *e)
{
	cJSON *document = cJSON_CreateObject(), *components;
	int result;

	add_head(document);
	add_paths(document);
	components = cJSON_AddObjectToObject(document, "components");
	cJSON_AddItemToObject(components, "schemas", cJSON_Parse(json_components));
	cJSON_AddItemToObject(components, "securitySchemes",
	    cJSON_Parse(
		"{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"csvp-admin token create\"}}"));
	result = add_datasets(c, document, e);
	if (result == 0)
		return send(c, document);
	cJSON_Delete(document);
	return result < 0 ? -1 : 0;
}
