#include "flow/catalogue.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/pg.h"
#include "ledger/dataset.h"
#include "schema/shape.h"

static int
visit(struct pg *pg, const struct pg_rows *rows, size_t row, catalogue_entry_each *each, void *ctx, struct err *e)
{
	struct dataset dataset = {0};
	struct shape shape = {0};
	struct catalogue_entry entry = {
	    .dataset = &dataset,
	    .shape = &shape,
	    .jobs = pg_rows_int(rows, row, 1),
	    .table = pg_rows_text(rows, row, 2),
	    .created_at = pg_rows_text(rows, row, 3),
	};
	int result = dataset_find(pg, pg_rows_text(rows, row, 0), &dataset, e);

	/* 0: dropped since its name was read. One whose table was altered does not hide the others. */
	if (result > 0)
		result = dataset.state != DATASET_NEW ? dataset_shape(pg, &dataset, &shape, e) : 0;
	if (result != 0 && e->code == ERR_DATA) {
		shape_fini(&shape);
		entry.problem = e->message;
		result = 0;
	}
	if (result == 0 && dataset.name != NULL)
		result = each(ctx, &entry, e);
	shape_fini(&shape);
	dataset_fini(&dataset);
	return result;
}

int
catalogue_each(struct pg *pg, const char *name, catalogue_entry_each *each, void *ctx, struct err *e)
{
	struct pg_rows *rows;
	int result = 0;

	if (PG_QUERY(pg, &rows, e,
		"SELECT name, (SELECT count(*) FROM csvp.job j WHERE j.dataset = d.id AND seq IS NOT NULL),"
		"       format('%I.%I', table_schema, table_name),"
		"       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
		"  FROM csvp.dataset d WHERE $1::text IS NULL OR name = $1 ORDER BY name",
		name) != 0)
		return -1;
	if (name != NULL && pg_rows_count(rows) == 0)
		result = err_set(e, ERR_NOINPUT, "there is no dataset %s; hint: csvp-admin dataset list", name);
	for (size_t i = 0; result == 0 && i < pg_rows_count(rows); i++)
		result = visit(pg, rows, i, each, ctx, e);
	pg_rows_free(rows);
	return result;
}

static const char *
state_name(enum dataset_state state)
{
	static const char *const names[] = {
	    [DATASET_NEW] = "new", [DATASET_BUILDING] = "building", [DATASET_READY] = "ready"};

	return names[state];
}

cJSON *
catalogue_json(const struct catalogue_entry *entry)
{
	const struct dataset *dataset = entry->dataset;
	const struct shape *shape = entry->shape;
	cJSON *object = cJSON_CreateObject(), *key, *columns;

	cJSON_AddStringToObject(object, "name", dataset->name);
	cJSON_AddStringToObject(object, "table", entry->table);
	cJSON_AddStringToObject(object, "state", state_name(dataset->state));
	cJSON_AddNumberToObject(object, "jobs", (double)entry->jobs);
	cJSON_AddStringToObject(object, "created_at", entry->created_at);
	cJSON_AddItemToObject(
	    object, "problem", entry->problem != NULL ? cJSON_CreateString(entry->problem) : cJSON_CreateNull());
	key = cJSON_AddArrayToObject(object, "key");
	for (size_t i = 0; i < shape->key_count; i++)
		cJSON_AddItemToArray(key, cJSON_CreateString(shape->columns[shape->key[i]].name));
	columns = cJSON_AddArrayToObject(object, "columns");
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *c = &shape->columns[i];
		cJSON *column = cJSON_CreateObject();

		cJSON_AddStringToObject(column, "header", c->header);
		cJSON_AddStringToObject(column, "name", c->name);
		cJSON_AddStringToObject(column, "type", type_sql(c->type));
		cJSON_AddBoolToObject(column, "undecided", c->undecided);
		cJSON_AddItemToArray(columns, column);
	}
	return object;
}
