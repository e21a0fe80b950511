#include "flow/datasets.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"
#include "flow/documents.h"
#include "flow/site.h"
#include "ledger/chunk.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "ledger/owner.h"
#include "schema/names.h"
#include "schema/shape.h"
#include "search/search.h"
#include "store/store.h"
#include "table/create.h"
#include "table/edit.h"
#include "table/target.h"

static struct target
target_of(const struct dataset *d, const struct shape *shape)
{
	return (struct target){d->id, d->generation, d->table_schema, d->table_name, shape};
}

static int
make_index(const struct site *site, const struct dataset *d, const struct shape *shape, struct err *e)
{
	struct search_index index = documents_index(d, shape);
	struct search *search = site_search(site, e);
	int result;

	if (search == NULL)
		return -1;
	result = search_create(search, &index, e);
	site_release_search(site, search);
	return result;
}

/* Columns, table and key, in one transaction. */
static int
build(struct pg *pg, struct dataset *d, const struct shape *shape, struct err *e)
{
	struct target target;
	struct buf key = {0};
	char id[24];
	int64_t used;
	int result = -1;

	snprintf(id, sizeof id, "%" PRId64, d->id);
	buf_byte(&key, '[');
	for (size_t i = 0; i < shape->key_count; i++) {
		if (i > 0)
			buf_byte(&key, ',');
		type_to_json(TYPE_TEXT, &key, shape->columns[shape->key[i]].header,
		    strlen(shape->columns[shape->key[i]].header));
	}
	buf_byte(&key, ']');
	if (pg_begin(pg, e) != 0 || dataset_lock(pg, d, e) != 0)
		goto done;
	/* A file that is uploaded and not split yet has fixed its key already. */
	used = d->state != DATASET_NEW ? 1 : job_lowest_unsplit(pg, d->id, e);
	if (used > 0)
		err_set(e, ERR_DATA, "there is a dataset %s already", d->name);
	if (used != 0)
		goto done;
	target = target_of(d, shape);
	if (create_table(pg, &target, e) != 0 || dataset_define(pg, d->id, shape, 0, e) != 0 ||
	    PG_QUERY(pg, NULL, e,
		"UPDATE csvp.dataset SET key = (SELECT coalesce(array_agg(k), '{}') FROM "
		"jsonb_array_elements_text($2::jsonb) k)"
		" WHERE id = $1",
		id, key.bytes) != 0 ||
	    create_key(pg, &target, true, e) != 0 || dataset_set_ready(pg, d->id, e) != 0 || pg_commit(pg, e) != 0)
		goto done;
	result = 0;

done:
	pg_rollback(pg);
	buf_fini(&key);
	return result;
}

int
datasets_shape(const char *const *headers, const enum type_id *types, size_t count, const char *const *key,
    size_t key_count, struct shape *shape, struct err *e)
{
	char **names = buf_calloc(count, sizeof *names);
	int result = names_columns(headers, count, names, e);

	for (size_t i = 0; result == 0 && i < count; i++)
		shape_add(shape, headers[i], names[i], types[i], false);
	for (size_t i = 0; result == 0 && i < key_count; i++)
		result = shape_add_key(shape, key[i], e);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return result;
}

int
datasets_create(const struct site *site, const char *name, const struct shape *shape, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	struct dataset d = {0};
	bool created = false;
	int result = -1;

	if (pg != NULL && dataset_ensure(pg, name, site_schema(site), &d, &created, e) == 0 &&
	    build(pg, &d, shape, e) == 0)
		result = make_index(site, &d, shape, e);
	/* Of one that could not be built nothing stays. */
	if (result != 0 && created && !pg_lost(pg)) {
		struct err ignored;

		if (dataset_forget(pg, d.id, &ignored) != 0)
			log_detail("left behind by the failed dataset: %s", ignored.message);
	}
	dataset_fini(&d);
	site_release(site, pg);
	return result;
}

static int
alter_type(
    struct pg *pg, const struct dataset *d, const struct shape *shape, size_t column, enum type_id type, struct err *e)
{
	struct target target = target_of(d, shape);
	struct buf sql = {0}, name = {0};
	int result;

	pg_quote_name(&name, shape->columns[column].name);
	buf_string(&sql, "ALTER TABLE ");
	target_table(&sql, &target);
	buf_printf(&sql, " ALTER COLUMN %s TYPE %s USING %s::text::%s", name.bytes, type_sql(type), name.bytes,
	    type_sql(type));
	result = pg_exec_waiting(pg, sql.bytes, e);
	buf_fini(&name);
	buf_fini(&sql);
	return result;
}

int
datasets_set_type(const struct site *site, const char *name, const char *column, enum type_id type, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	struct dataset d = {0};
	struct shape shape = {0};
	struct target target;
	uint64_t indexed;
	ssize_t i;
	int result = -1;

	if (pg == NULL || dataset_load_named(pg, name, &d, e) != 0 || dataset_shape(pg, &d, &shape, e) != 0)
		goto done;
	i = shape_find(&shape, column);
	if (i < 0) {
		err_set(
		    e, ERR_DATA, "dataset %s has no column %s; hint: csvp-admin dataset show %s", name, column, name);
		goto done;
	}
	for (size_t k = 0; k < shape.key_count; k++)
		if (shape.key[k] == (size_t)i) {
			err_set(e, ERR_DATA,
			    "column %s is part of the key of dataset %s; hint: load the file into another dataset with "
			    "--type",
			    column, name);
			goto done;
		}
	/* The table before the ledger's row, as a load takes them. */
	if (pg_begin(pg, e) != 0 || alter_type(pg, &d, &shape, (size_t)i, type, e) != 0 || dataset_lock(pg, &d, e) != 0)
		goto done;
	target = target_of(&d, &shape);
	if (dataset_decide(pg, d.id, (size_t)i, e) != 0 || edit_enter(pg, &target, e) < 0 ||
	    chunk_unindex(pg, d.id, &indexed, e) != 0 || pg_commit(pg, e) != 0)
		goto done;
	result = 0;

done:
	pg_rollback(pg);
	shape_fini(&shape);
	dataset_fini(&d);
	site_release(site, pg);
	return result;
}

/* With the dataset's row locked. The index first: if that fails, or is killed, all of it is still to be done. */
static int
renew_locked(const struct site *site, struct pg *pg, struct dataset *d, struct err *e)
{
	struct shape none = {0};
	struct search_index index = documents_index(d, &none);
	struct search *search;
	int result = dataset_dropped(pg, d, e);

	/* 0: somebody else has done it meanwhile. */
	if (result <= 0)
		return result;
	search = site_search(site, e);
	result = search != NULL ? search_drop(search, &index, e) : -1;
	site_release_search(site, search);
	return result == 0 ? dataset_renew(pg, d->id, e) : -1;
}

int
datasets_renew(const struct site *site, struct pg *pg, struct dataset *d, struct err *e)
{
	int64_t id = d->id;
	int dropped = dataset_dropped(pg, d, e);

	if (dropped <= 0)
		return dropped;
	if (pg_begin(pg, e) != 0 || dataset_lock(pg, d, e) != 0 || renew_locked(site, pg, d, e) != 0 ||
	    pg_commit(pg, e) != 0) {
		pg_rollback(pg);
		return -1;
	}
	dataset_fini(d);
	return dataset_load(pg, id, d, e);
}

static int
remove_key(void *ctx, const char *key, struct err *e)
{
	return store_remove(ctx, key, e);
}

/* Known before anything is gone: what somebody has made may depend on the table. */
static int
try_drop_table(struct pg *pg, const char *table, struct err *e)
{
	int result = pg_begin(pg, e);

	if (result == 0)
		result = pg_execf(pg, e, "DROP TABLE IF EXISTS %s", table);
	pg_rollback(pg);
	return result;
}

/* The ledger last: what a crash leaves behind is still known, and dropped by the same command. */
static int
drop(const struct site *site, struct pg *pg, const struct dataset *d, struct err *e)
{
	struct shape none = {0};
	struct search_index index = documents_index(d, &none);
	struct search *search = site_search(site, e);
	struct store *store = search != NULL ? site_store(site, e) : NULL;
	char *table = dataset_table(d);
	char *prefix = NULL;
	/* A table that is there before the dataset has one is somebody else's. */
	bool has_table = d->state != DATASET_NEW;
	int owner, result = -1;

	if (store == NULL || job_objects(pg, d->id, &prefix, e) != 0 ||
	    (has_table && try_drop_table(pg, table, e) != 0) || search_drop(search, &index, e) != 0)
		goto done;
	if (has_table && pg_execf(pg, e, "DROP TABLE IF EXISTS %s", table) != 0)
		goto done;
	owner = owner_here(pg, e);
	if (owner < 0 || (owner > 0 && store_list(store, prefix, remove_key, store, e) != 0))
		goto done;
	if (owner == 0)
		log_notice(
		    "what dataset %s has stored stays: this database is a copy, and its original may need it", d->name);
	result = pg_execf(pg, e,
	    "DROP FUNCTION IF EXISTS csvp.edit_%" PRId64 "(); DROP SEQUENCE IF EXISTS csvp.version_%" PRId64
	    "; DELETE FROM csvp.dataset WHERE id = %" PRId64,
	    d->id, d->id, d->id);

done:
	free(prefix);
	free(table);
	store_close(store);
	site_release_search(site, search);
	return result;
}

int
datasets_drop(const struct site *site, const char *name, struct err *e)
{
	struct pg *pg = site_connect(site, e);
	struct dataset d = {0};
	int result = -1;

	if (pg != NULL && dataset_load_named(pg, name, &d, e) == 0)
		result = drop(site, pg, &d, e);
	dataset_fini(&d);
	site_release(site, pg);
	return result;
}
