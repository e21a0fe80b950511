#include "datasets.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "call.h"
#include "db/pg.h"
#include "flow/catalogue.h"
#include "flow/datasets.h"
#include "flow/site.h"
#include "flow/verify.h"
#include "ledger/dataset.h"
#include "net/url.h"
#include "schema/shape.h"

/* As many as a table may have, as `csvp-admin dataset create` takes them; findings of verify that are told one by one. */
enum { MOST_COLUMNS = 1598, MOST_FINDINGS = 100 };

static int
add_entry(void *ctx, const struct catalogue_entry *entry, struct err *e)
{
	(void)e;
	cJSON_AddItemToArray(ctx, catalogue_json(entry));
	return 0;
}

int
api_datasets_list(struct call *c, struct err *e)
{
	cJSON *list = cJSON_CreateArray(), *object;
	struct pg *pg = site_connect(c->site, e);
	int result = pg != NULL ? catalogue_each(pg, NULL, add_entry, list, e) : -1;

	site_release(c->site, pg);
	if (result != 0) {
		cJSON_Delete(list);
		return -1;
	}
	object = cJSON_CreateObject();
	cJSON_AddItemToObject(object, "results", list);
	return response_json(&c->response, 200, object);
}

/* Answer with the dataset as it is now. */
static int
answer_dataset(struct call *c, const char *name, int status, struct err *e)
{
	cJSON *list = cJSON_CreateArray();
	struct pg *pg = site_connect(c->site, e);
	int result = pg != NULL ? catalogue_each(pg, name, add_entry, list, e) : -1;

	site_release(c->site, pg);
	if (result == 0)
		response_json(&c->response, status, cJSON_DetachItemFromArray(list, 0));
	cJSON_Delete(list);
	return result;
}

int
api_datasets_show(struct call *c, struct err *e)
{
	return answer_dataset(c, call_segment(c, "dataset"), 200, e);
}

/* What a dataset is to be: {"name", "columns": [{"header", "type"}], "key": [header]}. */
struct wish {
	const char *name;
	const char **headers, **key;
	enum type_id *types;
	size_t count, key_count;
	cJSON *errors; /* what is wrong, member by member */
};

static void
fault(struct wish *w, const char *name, const char *reason)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "name", name);
	cJSON_AddStringToObject(object, "reason", reason);
	cJSON_AddItemToArray(w->errors, object);
}

static void
read_columns(struct wish *w, const cJSON *columns)
{
	const cJSON *column, *member;

	if (!cJSON_IsArray(columns) || columns->child == NULL || cJSON_GetArraySize(columns) > MOST_COLUMNS) {
		fault(w, "columns", "must be an array of 1 to 1598 objects");
		return;
	}
	w->headers = buf_calloc((size_t)cJSON_GetArraySize(columns), sizeof *w->headers);
	w->types = buf_calloc((size_t)cJSON_GetArraySize(columns), sizeof *w->types);
	cJSON_ArrayForEach(column, columns)
	{
		const cJSON *header = cJSON_GetObjectItemCaseSensitive(column, "header");
		const cJSON *type = cJSON_GetObjectItemCaseSensitive(column, "type");

		cJSON_ArrayForEach(
		    member, column) if (member->string == NULL ||
					(strcmp(member->string, "header") != 0 && strcmp(member->string, "type") != 0))
		    fault(w, "columns", "a column is an object of header and type");
		if (!cJSON_IsString(header) || header->valuestring[0] == '\0')
			fault(w, "columns.header", "must be text");
		else if (!cJSON_IsString(type) || !type_parse(type->valuestring, &w->types[w->count]))
			fault(w, header->valuestring,
			    "its type must be bigint, numeric, boolean, date, timestamp, timestamptz or text");
		else
			w->headers[w->count++] = header->valuestring;
	}
}

static void
read_key(struct wish *w, const cJSON *key)
{
	const cJSON *part;

	if (key == NULL || cJSON_IsNull(key))
		return;
	if (!cJSON_IsArray(key)) {
		fault(w, "key", "must be an array of headers");
		return;
	}
	w->key = buf_calloc((size_t)cJSON_GetArraySize(key), sizeof *w->key);
	cJSON_ArrayForEach(part, key)
	{
		if (cJSON_IsString(part))
			w->key[w->key_count++] = part->valuestring;
		else
			fault(w, "key", "must be an array of headers");
	}
}

static void
read_wish(struct wish *w, const cJSON *body)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, "name"), *member;
	struct err why;

	*w = (struct wish){.errors = cJSON_CreateArray()};
	if (!cJSON_IsString(name))
		fault(w, "name", "must be text");
	else if (dataset_check_name(name->valuestring, &why) != 0)
		fault(w, "name", why.message);
	else
		w->name = name->valuestring;
	read_columns(w, cJSON_GetObjectItemCaseSensitive(body, "columns"));
	read_key(w, cJSON_GetObjectItemCaseSensitive(body, "key"));
	cJSON_ArrayForEach(
	    member, body) if (strcmp(member->string, "name") != 0 && strcmp(member->string, "columns") != 0 &&
			      strcmp(member->string, "key") != 0) fault(w, member->string, "is not known here");
}

/* Define it: 0 and the call is answered, also if it is refused; -1. */
static int
define(struct call *c, const struct wish *w, struct err *e)
{
	struct shape shape = {0};
	char *encoded;
	int result = datasets_shape(w->headers, w->types, w->count, w->key, w->key_count, &shape, e);

	if (result == 0) {
		result = datasets_create(c->site, w->name, &shape, e);
		/* The shape is good: what stands against it is there already. */
		if (result != 0 && e->code == ERR_DATA) {
			shape_fini(&shape);
			return response_refuse(&c->response, 409, e);
		}
	}
	shape_fini(&shape);
	if (result != 0)
		return -1;
	encoded = url_encode_value(w->name);
	response_header(&c->response, "Location", "/api/datasets/%s", encoded);
	free(encoded);
	return answer_dataset(c, w->name, 201, e);
}

int
api_datasets_create(struct call *c, struct err *e)
{
	struct wish w;
	cJSON *body;
	int result = call_json(c, &body, e);

	if (result != 0)
		return result < 0 ? -1 : 0;
	read_wish(&w, body);
	if (w.errors->child == NULL) {
		result = define(c, &w, e);
		cJSON_Delete(w.errors);
	} else {
		result = response_invalid(&c->response, w.errors, "the dataset is not described right");
	}
	free(w.headers);
	free(w.types);
	free(w.key);
	cJSON_Delete(body);
	return result;
}

int
api_datasets_drop(struct call *c, struct err *e)
{
	if (datasets_drop(c->site, call_segment(c, "dataset"), e) != 0)
		return -1;
	response_begin(&c->response, 204, "");
	return 0;
}

static void
add_finding(void *ctx, const char *text)
{
	char *words = response_words(text);

	if (cJSON_GetArraySize(ctx) < MOST_FINDINGS)
		cJSON_AddItemToArray(ctx, cJSON_CreateString(words));
	free(words);
}

int
api_datasets_verify(struct call *c, struct err *e)
{
	cJSON *findings = cJSON_CreateArray(), *object;
	struct verify_result r;

	if (verify_dataset(c->site, call_segment(c, "dataset"), NULL, add_finding, findings, &r, e) != 0) {
		cJSON_Delete(findings);
		return e->code == ERR_AGAIN ? response_refuse(&c->response, 409, e) : -1;
	}
	object = cJSON_CreateObject();
	cJSON_AddBoolToObject(object, "agrees", r.findings == 0);
	cJSON_AddNumberToObject(object, "jobs", (double)r.jobs);
	cJSON_AddNumberToObject(object, "records", (double)r.records);
	cJSON_AddNumberToObject(object, "rows", (double)r.rows);
	cJSON_AddNumberToObject(object, "documents", (double)r.documents);
	cJSON_AddNumberToObject(object, "changes", (double)r.changes);
	cJSON_AddItemToObject(object, "findings", findings);
	return response_json(&c->response, 200, object);
}
