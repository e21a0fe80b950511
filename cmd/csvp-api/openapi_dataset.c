#include "openapi_dataset.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"
#include "flow/catalogue.h"
#include "flow/find.h"
#include "flow/site.h"
#include "ledger/dataset.h"
#include "net/url.h"
#include "openapi_operation.h"
#include "schema/shape.h"
#include "search/query.h"

#define SEARCH "/api/datasets/{dataset}/search"
#define RECORDS "/api/datasets/{dataset}/records"

/* Examples are read from so many datasets, more make the document slow; longer values are none: one may be of 16 MB. */
enum { MOST_EXAMPLES = 50, LONGEST_EXAMPLE = 200 };

struct writing {
	const struct site *site;
	cJSON *document;
	size_t examples;
};

/* A name of a component has few letters; the title says the dataset's own. */
static char *
schema_name(const struct dataset *dataset)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

	return strspn(dataset->name, letters) == strlen(dataset->name) ? buf_format("Record_%s", dataset->name)
								       : buf_format("Record_%" PRId64, dataset->id);
}

/* The columns of one record by name. */
static int
keep_record(void *ctx, const struct search_hit *hit, struct err *e)
{
	struct {
		const struct shape *shape;
		cJSON *record;
	} *found = ctx;

	(void)e;
	found->record = cJSON_CreateObject();
	for (size_t i = 0; i < found->shape->count; i++) {
		const struct column *c = &found->shape->columns[i];
		struct buf json = {0};

		if (hit->values[i] == NULL || strlen(hit->values[i]) > LONGEST_EXAMPLE)
			continue;
		type_to_json(c->type, &json, hit->values[i], strlen(hit->values[i]));
		cJSON_AddRawToObject(found->record, c->name, json.bytes);
		buf_fini(&json);
	}
	return 0;
}

/* A record that is there; NULL: none, or it cannot be found now, and the document does without. */
static cJSON *
example_of(struct writing *w, const char *dataset)
{
	struct {
		const struct shape *shape;
		cJSON *record;
	} found = {NULL, NULL};
	struct search_page page = {0};
	struct find *find;
	struct query query;
	struct err e;
	cJSON *parsed = NULL;
	char *text;

	if (w->examples++ >= MOST_EXAMPLES || (find = find_open(w->site, dataset, &e)) == NULL)
		return NULL;
	query_init(&query);
	query.limit = 1;
	found.shape = find_shape(find);
	if (find_run(find, &query, keep_record, &found, &page, &e) == 0)
		search_page_fini(&page);
	query_fini(&query);
	find_close(find);
	/* Raw numbers become ordinary ones, to be taken out one by one. */
	text = found.record != NULL ? cJSON_PrintUnformatted(found.record) : NULL;
	if (text != NULL)
		parsed = cJSON_Parse(text);
	cJSON_free(text);
	cJSON_Delete(found.record);
	return parsed;
}

/* Of a value that may be missing: null is allowed, too. */
static void
allow_null(cJSON *schema)
{
	cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type"), *list;

	if (cJSON_IsArray(type)) {
		cJSON_AddItemToArray(type, cJSON_CreateString("null"));
		return;
	}
	list = cJSON_CreateArray();
	cJSON_AddItemToArray(list, cJSON_CreateString(type->valuestring));
	cJSON_AddItemToArray(list, cJSON_CreateString("null"));
	cJSON_ReplaceItemInObjectCaseSensitive(schema, "type", list);
}

static cJSON *
record_schema(const struct dataset *dataset, const struct shape *shape, const cJSON *example)
{
	cJSON *schema = cJSON_CreateObject(), *properties, *required;

	cJSON_AddStringToObject(schema, "type", "object");
	cJSON_AddStringToObject(schema, "title", dataset->name);
	properties = cJSON_AddObjectToObject(schema, "properties");
	for (size_t i = 0; i < shape->count; i++) {
		cJSON *property = cJSON_Parse(type_openapi(shape->columns[i].type));

		if (!shape_in_key(shape, i))
			allow_null(property);
		cJSON_AddStringToObject(property, "title", shape->columns[i].header);
		cJSON_AddItemToObject(properties, shape->columns[i].name, property);
	}
	if (shape->key_count > 0) {
		required = cJSON_AddArrayToObject(schema, "required");
		for (size_t i = 0; i < shape->key_count; i++)
			cJSON_AddItemToArray(required, cJSON_CreateString(shape->columns[shape->key[i]].name));
	}
	if (example != NULL)
		cJSON_AddItemToObject(schema, "example", cJSON_Duplicate(example, true));
	return schema;
}

static bool
is_taken(const cJSON *parameters, const char *name)
{
	const cJSON *parameter;

	cJSON_ArrayForEach(
	    parameter, parameters) if (strcmp(cJSON_GetObjectItemCaseSensitive(parameter, "name")->valuestring, name) ==
				       0) return true;
	return false;
}

/* Unless the route has one of this name: the column is then for `where`. */
static void
add_parameter(cJSON *parameters, const struct column *c, const char *suffix, const char *text, const cJSON *example)
{
	char *name = buf_format("%s%s", c->name, suffix);
	cJSON *object, *schema;

	if (!is_taken(parameters, name)) {
		object = cJSON_CreateObject();
		cJSON_AddStringToObject(object, "name", name);
		cJSON_AddStringToObject(object, "in", "query");
		cJSON_AddStringToObject(object, "description", text);
		schema = cJSON_AddObjectToObject(object, "schema");
		cJSON_AddStringToObject(schema, "type", type_json(c->type));
		/* An array of them, since Swagger UI fills in what is called `example`: all conditions at once. */
		if (example != NULL) {
			cJSON *list = cJSON_AddArrayToObject(schema, "examples");

			cJSON_AddItemToArray(list, cJSON_Duplicate(example, true));
		}
		cJSON_AddItemToArray(parameters, object);
	}
	free(name);
}

static void
add_columns(cJSON *parameters, const struct shape *shape, const cJSON *example)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *c = &shape->columns[i];
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(example, c->name);

		add_parameter(parameters, c, "", "Only records with this value.", value);
		if (c->type == TYPE_BOOLEAN)
			continue;
		add_parameter(parameters, c, "_min", "Only records with this value or a greater one.", value);
		add_parameter(parameters, c, "_max", "Only records with this value or a smaller one.", value);
	}
}

/* An operation of the general path, as it is for this dataset; NULL: there is none. */
static cJSON *
operation_for(const struct writing *w, const char *path, const char *method, const struct dataset *dataset)
{
	const cJSON *paths = cJSON_GetObjectItemCaseSensitive(w->document, "paths");
	const cJSON *general = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(paths, path), method);
	cJSON *operation = cJSON_Duplicate(general, true);
	char *text;

	if (operation == NULL)
		return NULL;
	/* Its first parameter is the dataset. */
	cJSON_DeleteItemFromArray(cJSON_GetObjectItemCaseSensitive(operation, "parameters"), 0);
	text = buf_format(
	    "%s_%" PRId64, cJSON_GetObjectItemCaseSensitive(operation, "operationId")->valuestring, dataset->id);
	cJSON_ReplaceItemInObjectCaseSensitive(operation, "operationId", cJSON_CreateString(text));
	free(text);
	text = buf_format("%s: %s", dataset->name, cJSON_GetObjectItemCaseSensitive(operation, "summary")->valuestring);
	cJSON_ReplaceItemInObjectCaseSensitive(operation, "summary", cJSON_CreateString(text));
	free(text);
	return operation;
}

static void
add_operation(struct writing *w, const char *path, const char *method, const struct dataset *dataset, cJSON *operation)
{
	cJSON *paths = cJSON_GetObjectItemCaseSensitive(w->document, "paths");
	char *name = url_encode_value(dataset->name);
	char *own = buf_format("/api/datasets/%s%s", name, strrchr(path, '/'));

	cJSON_AddItemToObject(cJSON_AddObjectToObject(paths, own), method, operation);
	free(own);
	free(name);
}

/* The results of its pages are records of this schema. */
static void
name_results(cJSON *operation, const char *schema)
{
	cJSON *answer =
	    cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(operation, "responses"), "200");
	cJSON *content = cJSON_GetObjectItemCaseSensitive(answer, "content");
	cJSON *media = cJSON_GetObjectItemCaseSensitive(content, "application/json");
	cJSON *all, *page, *results;

	if (media == NULL)
		return;
	page = cJSON_CreateObject();
	results = cJSON_AddObjectToObject(cJSON_AddObjectToObject(page, "properties"), "results");
	cJSON_AddItemToObject(results, "items", openapi_operation_ref(schema));
	all = cJSON_CreateArray();
	cJSON_AddItemToArray(all, cJSON_DetachItemFromObject(media, "schema"));
	cJSON_AddItemToArray(all, page);
	cJSON_AddItemToObject(cJSON_AddObjectToObject(media, "schema"), "allOf", all);
}

static int
add_dataset(void *ctx, const struct catalogue_entry *entry, struct err *e)
{
	struct writing *w = ctx;
	const struct dataset *dataset = entry->dataset;
	cJSON *components = cJSON_GetObjectItemCaseSensitive(w->document, "components");
	cJSON *schemas = cJSON_GetObjectItemCaseSensitive(components, "schemas");
	cJSON *example, *operation;
	char *name;

	(void)e;
	if (dataset->state != DATASET_READY || entry->problem != NULL)
		return 0;
	name = schema_name(dataset);
	example = example_of(w, dataset->name);
	cJSON_AddItemToObject(schemas, name, record_schema(dataset, entry->shape, example));
	operation = operation_for(w, SEARCH, "get", dataset);
	if (operation != NULL) {
		add_columns(cJSON_GetObjectItemCaseSensitive(operation, "parameters"), entry->shape, example);
		name_results(operation, name);
		add_operation(w, SEARCH, "get", dataset, operation);
	}
	operation = operation_for(w, RECORDS, "post", dataset);
	if (operation != NULL) {
		cJSON *content = cJSON_GetObjectItemCaseSensitive(
		    cJSON_GetObjectItemCaseSensitive(operation, "requestBody"), "content");
		cJSON *media = cJSON_GetObjectItemCaseSensitive(content, "application/json");

		cJSON_ReplaceItemInObjectCaseSensitive(media, "schema", openapi_operation_ref(name));
		add_operation(w, RECORDS, "post", dataset, operation);
	}
	cJSON_Delete(example);
	free(name);
	return 0;
}

int
openapi_dataset_all(const struct site *site, cJSON *document, struct err *e)
{
	struct writing w = {.site = site, .document = document};
	struct pg *pg = site_connect(site, e);
	int result = pg != NULL ? catalogue_each(pg, NULL, add_dataset, &w, e) : -1;

	site_release(site, pg);
	return result;
}
