#include "flow/records.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "db/pg.h"
#include "flow/finalise.h"
#include "flow/record_json.h"
#include "flow/record_key.h"
#include "flow/site.h"
#include "ledger/dataset.h"
#include "schema/shape.h"
#include "search/hit.h"
#include "search/search.h"
#include "table/encode.h"
#include "table/row.h"
#include "table/target.h"

/* How long somebody else may hold what an edit needs. */
#define PATIENCE_MS 10000

/* How long a record is looked for among those of a file whose keys are not in order yet. */
#define SCAN "2s"

/* A record that others delete and make as fast as this one looks. */
#define MOST_TURNS 10

struct records {
	const struct site *site;
	struct pg *pg;
	struct dataset dataset;
	struct shape shape;
	struct target target;
};

void
records_answer_fini(struct records_answer *a)
{
	buf_fini(&a->json);
	free(a->key);
	for (size_t i = 0; i < a->fault_count; i++) {
		free(a->faults[i].field);
		free(a->faults[i].reason);
	}
	free(a->faults);
	*a = (struct records_answer){0};
}

struct records *
records_open(const struct site *site, const char *dataset, struct err *e)
{
	struct records *r = buf_calloc(1, sizeof *r);

	r->site = site;
	r->pg = site_connect(site, e);
	if (r->pg == NULL || pg_patience(r->pg, PATIENCE_MS, e) != 0 ||
	    dataset_load_shaped(r->pg, dataset, &r->dataset, &r->shape, e) != 0) {
		records_close(r);
		return NULL;
	}
	r->target = (struct target){
	    r->dataset.id, r->dataset.generation, r->dataset.table_schema, r->dataset.table_name, &r->shape};
	return r;
}

void
records_close(struct records *r)
{
	if (r == NULL)
		return;
	shape_fini(&r->shape);
	dataset_fini(&r->dataset);
	site_release(r->site, r->pg);
	free(r);
}

const struct shape *
records_shape(const struct records *r)
{
	return &r->shape;
}

/* Its rows have no unique key before, and the newest of a key may still have older ones beside it. */
static int
finalise(struct records *r, struct err *e)
{
	if (r->dataset.state == DATASET_READY)
		return 0;
	if (finalise_dataset(r->pg, r->dataset.id, true, e) < 0)
		return -1;
	r->dataset.state = DATASET_READY;
	return 0;
}

/* A transaction whose writes are edits, although the session is a worker's. */
static int
begin_edit(struct records *r, struct err *e)
{
	if (pg_begin(r->pg, e) != 0)
		return -1;
	return pg_exec(r->pg, "SET LOCAL csvp.worker = 'off'", e);
}

/* Fill the answer from a row. */
static void
tell_row(const struct records *r, struct records_answer *a, const struct row *row)
{
	const struct search_hit hit = {
	    .values = (const char *const *)row->values, .id = row->id, .version = row->version};
	struct buf key = {0};

	hit_json(&a->json, &r->shape, &hit);
	record_key_write(&key, &r->shape, row);
	a->key = buf_detach(&key);
	a->version = row->version;
}

/* The faults become the answer's. */
static int
tell_faults(struct records_answer *a, struct record_json *json, enum records_result result)
{
	a->faults = json->faults;
	a->fault_count = json->fault_count;
	json->faults = NULL;
	json->fault_count = 0;
	return result;
}

/* What the server would not take is the fault of the record, not ours. */
static int
refused(struct records *r, struct record_json *json, struct records_answer *a, struct err *e)
{
	if (e->code != ERR_DATA)
		return -1;
	pg_rollback(r->pg);
	record_json_fault(json, NULL, "%s", e->message);
	return tell_faults(a, json, RECORDS_INVALID);
}

/* Without a key the whole table is read: not for longer than a client waits. As row_read, or RECORDS_BUILDING. */
static int
look_through(struct records *r, const char *const *key, struct row *row, struct err *e)
{
	int found = -1;

	if (pg_begin(r->pg, e) == 0 && pg_exec(r->pg, "SET LOCAL statement_timeout = '" SCAN "'", e) == 0)
		found = row_read(r->pg, &r->target, key, false, true, row, e);
	if (found < 0 && e->code == ERR_AGAIN && strcmp(pg_sqlstate(r->pg), "57014") == 0)
		found = RECORDS_BUILDING;
	pg_rollback(r->pg);
	return found;
}

int
records_read(struct records *r, const char *key, struct records_answer *a, struct err *e)
{
	const char *const *values;
	struct row row = {0};
	char **parts;
	size_t count;
	int found;

	if (!record_key_parse(&r->shape, key, &parts, &count))
		return RECORDS_MISSING;
	values = (const char *const *)parts;
	found = r->dataset.state == DATASET_READY ? row_read(r->pg, &r->target, values, false, false, &row, e)
						  : look_through(r, values, &row, e);
	if (found == 1)
		tell_row(r, a, &row);
	row_fini(&row);
	record_key_free(parts, count);
	return found == 1 ? RECORDS_DONE : found == 0 ? RECORDS_MISSING : found;
}

static bool
same_value(enum type_id type, const char *a, const char *b)
{
	struct buf keys[2] = {{0}, {0}};
	bool same;

	type_sort_key(type, &keys[0], a, strlen(a));
	type_sort_key(type, &keys[1], b, strlen(b));
	same = keys[0].length == keys[1].length && memcmp(keys[0].bytes, keys[1].bytes, keys[0].length) == 0;
	buf_fini(&keys[0]);
	buf_fini(&keys[1]);
	return same;
}

static bool
faulty(const struct record_json *json, const char *field)
{
	for (size_t i = 0; i < json->fault_count; i++)
		if (json->faults[i].field != NULL && strcmp(json->faults[i].field, field) == 0)
			return true;
	return false;
}

/* The key's columns: those of the path, if there is one, and the body says nothing else; each with a value. */
static void
check_key(const struct records *r, struct record_json *json, char **parts)
{
	size_t length = 0;

	for (size_t i = 0; i < r->shape.key_count; i++) {
		size_t column = r->shape.key[i];
		const struct column *c = &r->shape.columns[column];
		char **value = &json->values[column];

		if (faulty(json, c->name))
			continue;
		if (parts != NULL && json->given[column] && (*value == NULL || !same_value(c->type, *value, parts[i])))
			record_json_fault(json, c->name, "part of the key, and another one than in the path");
		else if (parts != NULL && *value == NULL)
			*value = buf_strdup(parts[i]);
		else if (*value == NULL)
			record_json_fault(json, c->name, "part of the key, and without a value");
		/* As a load counts it. */
		length += *value != NULL ? strlen(*value) + 8 : 0;
		if (length > ENCODE_MAX_KEY) {
			record_json_fault(json, c->name, "the key is longer than %d bytes", ENCODE_MAX_KEY);
			return;
		}
	}
}

/* 0, or a result that ends the call. */
static int
read_body(struct records *r, struct record_json *json, char **parts, const char *body, size_t length,
    struct records_answer *a)
{
	if (record_json_read(json, &r->shape, body, length) != 0)
		return tell_faults(a, json, RECORDS_MALFORMED);
	check_key(r, json, parts);
	return json->fault_count > 0 ? tell_faults(a, json, RECORDS_INVALID) : 0;
}

static bool
holds(const struct records_condition *c, const struct row *row)
{
	if (row == NULL)
		return !c->exists && !c->versioned;
	if (c->absent)
		return false;
	for (size_t i = 0; i < c->count; i++)
		if (c->versions[i] == row->version)
			return true;
	return !c->versioned;
}

/* The record of the body, in the open transaction. */
static int
create(struct records *r, struct record_json *json, struct records_answer *a, struct err *e)
{
	struct row row = {0};
	int made = row_insert(r->pg, &r->target, (const char *const *)json->values, &row, e);

	if (made == 1)
		tell_row(r, a, &row);
	row_fini(&row);
	if (made < 0)
		return refused(r, json, a, e);
	if (made == 0)
		return RECORDS_EXISTS;
	return pg_commit(r->pg, e) == 0 ? RECORDS_CREATED : -1;
}

int
records_create(struct records *r, const char *body, size_t length, struct records_answer *a, struct err *e)
{
	struct record_json json;
	int result = read_body(r, &json, NULL, body, length, a);

	if (result == 0)
		result = finalise(r, e) == 0 && begin_edit(r, e) == 0 ? create(r, &json, a, e) : -1;
	pg_rollback(r->pg);
	record_json_fini(&json);
	return result;
}

/* One edit of a record that may be there: what is done with it, in the open transaction. */
struct edit {
	const struct records_condition *condition;
	struct record_json json;
	char **parts;
	bool *given; /* the columns to set */
	bool whole;  /* all of them */
	bool makes;  /* the record if it is not there */
	bool deletes;
};

/* Is all that is given what the row has? As PostgreSQL prints it: 1.0 is not 1.00. */
static bool
changes_nothing(const struct records *r, const struct edit *edit, const struct row *row)
{
	for (size_t i = 0; i < r->shape.count; i++) {
		const char *old = row->values[i], *new = edit->json.values[i];
		enum type_id type = r->shape.columns[i].type;

		if (!edit->given[i] || (old == NULL && new == NULL))
			continue;
		if (old == NULL || new == NULL)
			return false;
		if (strcmp(old, new) != 0 && (type == TYPE_NUMERIC || !same_value(type, old, new)))
			return false;
	}
	return true;
}

/* The record is there, and locked. */
static int
change(struct records *r, struct edit *edit, struct row *row, struct records_answer *a, struct err *e)
{
	const char *const *key = (const char *const *)edit->parts;
	struct row now = {0};
	int done;

	if (!holds(edit->condition, row)) {
		tell_row(r, a, row);
		return RECORDS_FAILED;
	}
	/* As with a load of what is there already, nobody has anything new to learn: the version stays. */
	if (!edit->deletes && changes_nothing(r, edit, row)) {
		tell_row(r, a, row);
		return RECORDS_DONE;
	}
	if (edit->deletes) {
		done = row_delete(r->pg, &r->target, key, e);
	} else {
		done = row_update(r->pg, &r->target, key, (const char *const *)edit->json.values, edit->given, &now, e);
		if (done == 1)
			tell_row(r, a, &now);
		row_fini(&now);
	}
	if (done < 0)
		return refused(r, &edit->json, a, e);
	/* A trigger of a person's own may have said no. */
	if (done == 0)
		return RECORDS_MISSING;
	return pg_commit(r->pg, e) == 0 ? RECORDS_DONE : -1;
}

/* One turn: a result, -1, or TURN_AGAIN: somebody else has just made the record. */
enum { TURN_AGAIN = 1000 };

static int
turn(struct records *r, struct edit *edit, struct records_answer *a, struct err *e)
{
	struct row row = {0};
	int found, result;

	if (begin_edit(r, e) != 0)
		return -1;
	found = row_read(r->pg, &r->target, (const char *const *)edit->parts, true, false, &row, e);
	if (found == 1) {
		result = change(r, edit, &row, a, e);
	} else if (found < 0) {
		result = -1;
	} else if (!holds(edit->condition, NULL)) {
		result = RECORDS_FAILED;
	} else if (!edit->makes) {
		result = RECORDS_MISSING;
	} else {
		result = create(r, &edit->json, a, e);
		if (result == RECORDS_EXISTS)
			result = TURN_AGAIN;
	}
	row_fini(&row);
	pg_rollback(r->pg);
	return result;
}

static int
edit_record(struct records *r, const char *key, struct edit *edit, const char *body, size_t length,
    struct records_answer *a, struct err *e)
{
	size_t count;
	int result = 0;

	if (!record_key_parse(&r->shape, key, &edit->parts, &count))
		return RECORDS_MISSING;
	if (!edit->deletes)
		result = read_body(r, &edit->json, edit->parts, body, length, a);
	if (result == 0)
		result = finalise(r, e);
	if (result == 0) {
		edit->given = buf_calloc(r->shape.count + 1, sizeof *edit->given);
		for (size_t i = 0; i < r->shape.count && !edit->deletes; i++)
			edit->given[i] = !shape_in_key(&r->shape, i) && (edit->whole || edit->json.given[i]);
		result = TURN_AGAIN;
		for (int turns = 0; result == TURN_AGAIN && turns < MOST_TURNS; turns++)
			result = turn(r, edit, a, e);
		if (result == TURN_AGAIN)
			result = err_set(e, ERR_AGAIN, "the record comes and goes");
		free(edit->given);
	}
	record_json_fini(&edit->json);
	record_key_free(edit->parts, count);
	return result;
}

int
records_replace(struct records *r, const char *key, const struct records_condition *c, const char *body, size_t length,
    struct records_answer *a, struct err *e)
{
	struct edit edit = {.condition = c, .whole = true, .makes = r->shape.key_count > 0};

	return edit_record(r, key, &edit, body, length, a, e);
}

int
records_patch(struct records *r, const char *key, const struct records_condition *c, const char *body, size_t length,
    struct records_answer *a, struct err *e)
{
	struct edit edit = {.condition = c};

	return edit_record(r, key, &edit, body, length, a, e);
}

int
records_delete(
    struct records *r, const char *key, const struct records_condition *c, struct records_answer *a, struct err *e)
{
	struct edit edit = {.condition = c, .deletes = true};

	return edit_record(r, key, &edit, NULL, 0, a, e);
}
