#include "openapi_operation.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/api_token.h"
#include "response.h"
#include "route.h"

cJSON *
openapi_operation_ref(const char *schema)
{
	cJSON *ref = cJSON_CreateObject();
	char *path = buf_format("#/components/schemas/%s", schema);

	cJSON_AddStringToObject(ref, "$ref", path);
	free(path);
	return ref;
}

static cJSON *
parameter(const char *name, const char *in, const char *text, bool required, cJSON *schema)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "name", name);
	cJSON_AddStringToObject(object, "in", in);
	cJSON_AddStringToObject(object, "description", text);
	cJSON_AddBoolToObject(object, "required", required);
	cJSON_AddItemToObject(object, "schema", schema);
	return object;
}

static cJSON *
choices_of(const char *choices)
{
	cJSON *list = cJSON_CreateArray();

	for (const char *at = choices; *at != '\0';) {
		size_t length = strcspn(at, " ");
		char *word = buf_strndup(at, length);

		cJSON_AddItemToArray(list, cJSON_CreateString(word));
		free(word);
		at += length + (at[length] == ' ');
	}
	return list;
}

/* What dispatch takes for this kind. */
static cJSON *
schema_of(const struct route_parameter *p)
{
	static const char *const types[] = {[ROUTE_TEXT] = "string",
	    [ROUTE_INTEGER] = "integer",
	    [ROUTE_BOOLEAN] = "boolean",
	    [ROUTE_CHOICE] = "string"};
	cJSON *schema = cJSON_CreateObject();

	cJSON_AddStringToObject(schema, "type", types[p->kind]);
	if (p->kind == ROUTE_INTEGER) {
		cJSON_AddNumberToObject(schema, "minimum", (double)p->least);
		/* Beyond 2^53 JSON's readers disagree about a number; it is then the largest there is, and need not be said. */
		if (p->most < INT64_C(1) << 53)
			cJSON_AddNumberToObject(schema, "maximum", (double)p->most);
		else
			cJSON_AddStringToObject(schema, "format", "int64");
	}
	if (p->kind == ROUTE_CHOICE)
		cJSON_AddItemToObject(schema, "enum", choices_of(p->choices));
	if (p->repeatable) {
		cJSON *list = cJSON_CreateObject();

		cJSON_AddStringToObject(list, "type", "array");
		cJSON_AddItemToObject(list, "items", schema);
		return list;
	}
	return schema;
}

/* The names between braces. */
static void
add_segments(cJSON *list, const char *pattern)
{
	while ((pattern = strchr(pattern, '{')) != NULL) {
		char *name = buf_strndup(pattern + 1, strcspn(pattern, "}") - 1);
		bool id = strcmp(name, "id") == 0;

		cJSON_AddItemToArray(
		    list, parameter(name, "path",
			      id                             ? "The job's number."
			      : strcmp(name, "dataset") == 0 ? "The dataset's name."
							     : "What identifies it.",
			      true,
			      cJSON_Parse(id ? "{\"type\":\"integer\",\"minimum\":1,\"format\":\"int64\"}"
					     : "{\"type\":\"string\",\"minLength\":1}")));
		free(name);
		pattern++;
	}
}

static cJSON *
parameters_of(const struct route *route)
{
	cJSON *list = cJSON_CreateArray();

	add_segments(list, route->pattern);
	for (const struct route_parameter *p = route->parameters; p != NULL && p->name != NULL; p++) {
		cJSON *object = parameter(p->name, p->header ? "header" : "query", p->text, p->required, schema_of(p));

		if (p->example != NULL)
			cJSON_AddStringToObject(object, "example", p->example);
		cJSON_AddItemToArray(list, object);
	}
	return list;
}

/* A body of each of these types: JSON by its schema, else text, or any bytes. */
static cJSON *
content_of(const char *types, const char *schema, bool any)
{
	cJSON *content = cJSON_CreateObject();

	for (const char *at = types; *at != '\0';) {
		size_t length = strcspn(at, " ");
		char *type = buf_strndup(at, length);
		cJSON *media = cJSON_AddObjectToObject(content, type);

		if (schema != NULL && strstr(type, "json") != NULL && strstr(type, "ndjson") == NULL)
			cJSON_AddItemToObject(media, "schema", openapi_operation_ref(schema));
		else if (strcmp(type, "multipart/form-data") == 0)
			cJSON_AddItemToObject(media, "schema",
			    cJSON_Parse("{\"type\":\"object\",\"properties\":{\"file\":{\"type\":\"string\","
					"\"format\":\"binary\",\"contentMediaType\":\"application/"
					"octet-stream\"}},\"required\":[\"file\"]}"));
		else
			cJSON_AddItemToObject(media, "schema",
			    cJSON_Parse(any ? "{\"type\":\"string\",\"format\":\"binary\"}" : "{\"type\":\"string\"}"));
		free(type);
		at += length + (at[length] == ' ');
	}
	return content;
}

static cJSON *
answer(const char *text, cJSON *content)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "description", text);
	if (content != NULL)
		cJSON_AddItemToObject(object, "content", content);
	return object;
}

static cJSON *
answers_of(const struct route *route)
{
	cJSON *object = cJSON_CreateObject();

	for (const struct route_answer *a = route->answers; a < route->answers + 4 && a->status != 0; a++) {
		bool problem = a->schema != NULL && strcmp(a->schema, "Problem") == 0;
		bool empty = a->status == 204 || a->status / 100 == 3;
		const char *types = problem                ? "application/problem+json"
				    : route->gives != NULL ? route->gives
							   : "application/json";
		char status[12];

		snprintf(status, sizeof status, "%d", a->status);
		cJSON_AddItemToObject(
		    object, status, answer(a->text, empty ? NULL : content_of(types, a->schema, false)));
	}
	cJSON_AddItemToObject(object, "default",
	    answer("A problem: the request is not right, not allowed, or cannot be done now.",
		content_of("application/problem+json", "Problem", false)));
	return object;
}

cJSON *
openapi_operation(const struct route *route)
{
	cJSON *object = cJSON_CreateObject(), *body;
	char *text = buf_format("%s%sScope: %s.", route->text != NULL ? route->text : "",
	    route->text != NULL ? "\n\n" : "", api_token_scope(route->scope));

	cJSON_AddStringToObject(object, "operationId", route->id);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(object, "tags"), cJSON_CreateString(route->tag));
	cJSON_AddStringToObject(object, "summary", route->summary);
	cJSON_AddStringToObject(object, "description", text);
	free(text);
	cJSON_AddItemToObject(object, "parameters", parameters_of(route));
	if (route->takes != NULL) {
		body = cJSON_AddObjectToObject(object, "requestBody");
		cJSON_AddBoolToObject(body, "required", !route->empty);
		cJSON_AddItemToObject(body, "content", content_of(route->takes, route->body, true));
	}
	cJSON_AddItemToObject(object, "responses", answers_of(route));
	/* A token, or none: what is allowed without one is a setting. */
	cJSON_AddItemToObject(object, "security", cJSON_Parse(route->scope == API_NONE ? "[]" : "[{\"token\":[]},{}]"));
	return object;
}
