#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "db/pg.h"
#include "flow/datasets.h"
#include "flow/site.h"
#include "ledger/dataset.h"
#include "ledger/index_reject.h"
#include "schema/shape.h"

/* What the operands and options behind `dataset VERB` are. */
struct request {
	const struct site *site;
	char **operands; /* behind the verb */
	size_t count;
	struct option_list keys;
	bool json;
};

static void
print_member(const char *name, const char *text, const char *end)
{
	struct buf b = {0};

	type_to_json(TYPE_TEXT, &b, text, strlen(text));
	printf("\"%s\":%s%s", name, b.bytes, end);
	buf_fini(&b);
}

static int
list(struct request *r, struct err *e)
{
	static const char *const headers[] = {"DATASET", "TABLE", "STATE", "KEY", "JOBS"};
	static const bool right[] = {false, false, false, false, true};
	struct pg *pg = site_connect(r->site, e);
	struct pg_rows *rows;
	struct grid *grid;

	if (pg == NULL ||
	    pg_query(pg, &rows, e,
		"SELECT name, format('%I.%I', table_schema, table_name), state, array_to_string(key, ', '),"
		" (SELECT count(*) FROM csvp.job j WHERE j.dataset = d.id AND seq IS NOT NULL AND removed_at IS NULL) "
		"FROM csvp.dataset d "
		"ORDER BY name",
		0, NULL) != 0) {
		pg_close(pg);
		return -1;
	}
	grid = grid_new(headers, right, 5);
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		const char *cells[5];

		for (size_t c = 0; c < 5; c++)
			cells[c] = pg_rows_text(rows, i, c);
		if (r->json) {
			putchar('{');
			print_member("dataset", cells[0], ",");
			print_member("table", cells[1], ",");
			print_member("state", cells[2], ",");
			print_member("key", cells[3], ",");
			printf("\"jobs\":%s}\n", cells[4]);
		} else {
			grid_row(grid, cells);
		}
	}
	if (!r->json)
		grid_print(grid);
	grid_free(grid);
	pg_rows_free(rows);
	pg_close(pg);
	return 0;
}

static const char *
role_of(const struct shape *shape, size_t column)
{
	if (shape_in_key(shape, column))
		return "key";
	return shape->columns[column].undecided ? "no value yet" : "";
}

static void
print_shape(const struct request *r, const struct shape *shape)
{
	static const char *const headers[] = {"HEADER", "COLUMN", "TYPE", ""};
	static const bool right[] = {false, false, false, false};
	struct grid *grid = grid_new(headers, right, 4);

	for (size_t i = 0; i < shape->count; i++) {
		const struct column *c = &shape->columns[i];

		if (r->json) {
			putchar('{');
			print_member("header", c->header, ",");
			print_member("column", c->name, ",");
			print_member("type", type_sql(c->type), ",");
			printf("\"key\":%s}\n", shape_in_key(shape, i) ? "true" : "false");
		} else {
			grid_row(grid, (const char *const[]){c->header, c->name, type_sql(c->type), role_of(shape, i)});
		}
	}
	if (!r->json)
		grid_print(grid);
	grid_free(grid);
}

static int
show(struct request *r, struct err *e)
{
	struct pg *pg = site_connect(r->site, e);
	struct dataset d = {0};
	struct shape shape = {0};
	int result = pg != NULL ? dataset_load_named(pg, r->operands[0], &d, e) : -1;

	if (result == 0)
		result = dataset_shape(pg, &d, &shape, e);
	if (result == 0)
		print_shape(r, &shape);
	shape_fini(&shape);
	dataset_fini(&d);
	pg_close(pg);
	return result;
}

/* Lines to print. */
struct listing {
	bool json;
	struct grid *grid;
};

static int
add_unindexed(void *ctx, const struct index_reject *reject, struct err *e)
{
	struct listing *l = ctx;
	char job[24] = "", byte[24] = "";

	(void)e;
	if (reject->job != 0) {
		snprintf(job, sizeof job, "%" PRId64, reject->job);
		snprintf(byte, sizeof byte, "%" PRId64, reject->byte);
	}
	if (!l->json) {
		grid_row(l->grid, (const char *const[]){reject->key, job, byte, reject->reason});
		return 0;
	}
	printf("{\"key\":%s,\"job\":%s,\"byte\":%s,", reject->parts, reject->job != 0 ? job : "null",
	    reject->job != 0 ? byte : "null");
	print_member("reason", reject->reason, "}\n");
	return 0;
}

static int
unindexed(struct request *r, struct err *e)
{
	static const char *const headers[] = {"KEY", "JOB", "BYTE", "REASON"};
	static const bool right[] = {false, true, true, false};
	struct listing l = {r->json, grid_new(headers, right, 4)};
	struct pg *pg = site_connect(r->site, e);
	struct dataset d = {0};
	int result = pg != NULL ? dataset_load_named(pg, r->operands[0], &d, e) : -1;

	if (result == 0)
		result = index_reject_list(pg, d.id, add_unindexed, &l, e);
	if (result == 0 && !r->json)
		grid_print(l.grid);
	grid_free(l.grid);
	dataset_fini(&d);
	pg_close(pg);
	return result;
}

/* The columns behind the name, as HEADER=TYPE. */
static int
shape_of(const struct request *r, struct shape *shape, struct err *e)
{
	size_t count = r->count - 1;
	char **headers = buf_calloc(count, sizeof *headers);
	enum type_id *types = buf_calloc(count, sizeof *types);
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++) {
		const char *operand = r->operands[1 + i];
		const char *equals = strrchr(operand, '=');

		if (equals == NULL || equals == operand || !type_parse(equals + 1, &types[i]))
			result = err_set(e, ERR_USAGE,
			    "'%s' is not COL=TYPE; hint: types are bigint, numeric, boolean, date, timestamp, "
			    "timestamptz, text",
			    operand);
		else
			headers[i] = buf_strndup(operand, (size_t)(equals - operand));
	}
	if (result == 0)
		result =
		    datasets_shape((const char *const *)headers, types, count, r->keys.values, r->keys.count, shape, e);
	for (size_t i = 0; i < count; i++)
		free(headers[i]);
	free(headers);
	free(types);
	return result;
}

static int
create(struct request *r, struct err *e)
{
	struct shape shape = {0};
	int result = shape_of(r, &shape, e);

	if (result == 0)
		result = datasets_create(r->site, r->operands[0], &shape, e);
	shape_fini(&shape);
	return result;
}

static int
set_type(struct request *r, struct err *e)
{
	enum type_id type;

	if (!type_parse(r->operands[2], &type))
		return err_set(e, ERR_USAGE,
		    "unknown type %s; hint: bigint, numeric, boolean, date, timestamp, timestamptz or text",
		    r->operands[2]);
	return datasets_set_type(r->site, r->operands[0], r->operands[1], type, e);
}

static int
drop(struct request *r, struct err *e)
{
	return datasets_drop(r->site, r->operands[0], e);
}

static const struct verb verbs[] = {
    {"list", NULL, "the datasets", 0, 0, list},
    {"show", "DATASET", "its columns, types and key", 1, 1, show},
    {"unindexed", "DATASET", "its rows that the search engine refuses, and why", 1, 1, unindexed},
    {"create", "DATASET COL=TYPE...", "define one with an empty table (-k COL for its key)", 2, 1599, create},
    {"set-type", "DATASET COL TYPE", "change a column's type, values and all", 3, 3, set_type},
    {"drop", "DATASET", "remove it: table, index, jobs and stored files", 1, 1, drop},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static int
act(struct request *r, const struct verb *verb, char **operands, size_t count, struct err *e)
{
	struct site *site = site_open(e);
	int result;

	if (site == NULL)
		return -1;
	r->site = site;
	r->operands = operands;
	r->count = count;
	result = verb->run(r, e);
	site_close(site);
	return result;
}

int
admin_dataset(int argc, char **argv)
{
	struct request r = {.json = false};
	struct option table[VERBS + 3] = {
	    {"key", 'k', "COL", OPTION_LIST, &r.keys, "with create: key column; repeat for several"},
	    {"json", 0, NULL, OPTION_FLAG, &r.json, "with list, show and unindexed: one JSON object a line"},
	};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_SEARCH_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_SCHEMA", NULL};
	const struct program program = {"csvp-admin dataset", "list | show | unindexed | create | set-type | drop ...",
	    "List, describe, define, change and drop datasets.", table, environment};

	return admin_verbs(&program, &(struct verbs){verbs, VERBS, table, act}, &r, argc, argv);
}
