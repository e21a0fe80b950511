#include "ledger/dataset.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "ledger/ledger.h"
#include "schema/names.h"
#include "schema/shape.h"

#define COLUMNS                                                                                                        \
	"id, name, table_schema, table_name, state, seal, generation, key <> '{}', coalesce(builder, 0), created_at"
enum dataset_field {
	ID,
	NAME,
	TABLE_SCHEMA,
	TABLE_NAME,
	STATE,
	SEAL,
	GENERATION,
	KEYED,
	BUILDER,
	CREATED_AT,
	COLUMN_COUNT
};

void
dataset_fini(struct dataset *d)
{
	free(d->name);
	free(d->table_schema);
	free(d->table_name);
	free(d->created_at);
	*d = (struct dataset){0};
}

static void
fill(struct dataset *d, const struct pg_rows *rows)
{
	const char *state = pg_rows_text(rows, 0, STATE);

	*d = (struct dataset){
	    .id = pg_rows_int(rows, 0, ID),
	    .name = buf_strdup(pg_rows_text(rows, 0, NAME)),
	    .table_schema = buf_strdup(pg_rows_text(rows, 0, TABLE_SCHEMA)),
	    .table_name = buf_strdup(pg_rows_text(rows, 0, TABLE_NAME)),
	    .state = strcmp(state, "new") == 0     ? DATASET_NEW
		     : strcmp(state, "ready") == 0 ? DATASET_READY
						   : DATASET_BUILDING,
	    .seal = pg_rows_int(rows, 0, SEAL),
	    .generation = pg_rows_int(rows, 0, GENERATION),
	    .keyed = pg_rows_bool(rows, 0, KEYED),
	    .builder = pg_rows_int(rows, 0, BUILDER),
	    .created_at = buf_strdup(pg_rows_text(rows, 0, CREATED_AT)),
	};
}

int
dataset_find(struct pg *pg, const char *name, struct dataset *d, struct err *e)
{
	struct pg_rows *rows;
	int found;

	if (PG_QUERY(pg, &rows, e, "SELECT " COLUMNS " FROM csvp.dataset WHERE name = $1", name) != 0)
		return -1;
	found = pg_rows_count(rows) == 1;
	if (found)
		fill(d, rows);
	pg_rows_free(rows);
	return found;
}

static int
not_there(const char *name, struct err *e)
{
	return err_set(e, ERR_NOINPUT, "there is no dataset %s; hint: csvp-admin dataset list", name);
}

int
dataset_load_named(struct pg *pg, const char *name, struct dataset *d, struct err *e)
{
	int found = dataset_find(pg, name, d, e);

	if (found == 0)
		return not_there(name, e);
	return found < 0 ? -1 : 0;
}

int
dataset_load(struct pg *pg, int64_t id, struct dataset *d, struct err *e)
{
	struct pg_rows *rows;
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, id);
	if (PG_QUERY(pg, &rows, e, "SELECT " COLUMNS " FROM csvp.dataset WHERE id = $1", number) != 0)
		return -1;
	if (pg_rows_count(rows) != 1) {
		pg_rows_free(rows);
		return err_set(e, ERR_NOINPUT, "dataset %" PRId64 " is gone", id);
	}
	fill(d, rows);
	pg_rows_free(rows);
	return 0;
}

/*
 * Not made if the name or the table is taken. Both are arbiters: of two who
 * make one dataset at the same moment, the later would else fail by whichever
 * index is not.
 */
static int
define(struct pg *pg, const char *name, const char *schema, bool *created, struct err *e)
{
	struct pg_rows *rows = NULL;
	char *table = names_table(name);

	if (pg_begin(pg, e) != 0)
		goto fail;
	if (PG_QUERY(pg, &rows, e,
		"INSERT INTO csvp.dataset (name, table_schema, table_name) VALUES ($1, $2, $3)"
		" ON CONFLICT DO NOTHING RETURNING id",
		name, schema, table) != 0)
		goto fail;
	*created = pg_rows_count(rows) == 1;
	/* The edits' sequence is made with the dataset: it is raised before the table exists. Edits before any job follow job 0. */
	if (*created && pg_execf(pg, e, "CREATE SEQUENCE csvp.version_%s AS bigint CACHE 1 START WITH %" PRId64,
			    pg_rows_text(rows, 0, 0), LEDGER_EDIT_BIT + 1) != 0)
		goto fail;
	pg_rows_free(rows);
	rows = NULL;
	if (pg_commit(pg, e) != 0)
		goto fail;
	free(table);
	return 0;

fail:
	pg_rows_free(rows);
	pg_rollback(pg);
	free(table);
	return -1;
}

/* Why there is still no dataset of this name. */
static int
not_defined(struct pg *pg, const char *name, const char *schema, struct err *e)
{
	struct pg_rows *rows;
	char *table = names_table(name);
	int result = PG_QUERY(
	    pg, &rows, e, "SELECT name FROM csvp.dataset WHERE table_schema = $1 AND table_name = $2", schema, table);

	if (result == 0 && pg_rows_count(rows) > 0)
		result = err_set(e, ERR_DATA,
		    "dataset %s: its table would be %s.%s, which belongs to dataset %s; hint: -d OTHER-NAME", name,
		    schema, table, pg_rows_text(rows, 0, 0));
	else if (result == 0)
		result = err_set(e, ERR_AGAIN, "dataset %s was dropped at this moment", name);
	else
		rows = NULL;
	pg_rows_free(rows);
	free(table);
	return result;
}

/* C0 and C1 (ISO 6429), and DEL. */
static bool
is_control(const unsigned char *at)
{
	return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

int
dataset_check_name(const char *name, struct err *e)
{
	size_t length = strlen(name);

	if (length == 0)
		return err_set(e, ERR_USAGE, "the name of a dataset is empty");
	if (length > DATASET_LONGEST_NAME)
		return err_set(e, ERR_USAGE, "the name of a dataset is longer than %d bytes", DATASET_LONGEST_NAME);
	for (size_t i = 0; i < length; i++)
		if (is_control((const unsigned char *)name + i))
			return err_set(
			    e, ERR_USAGE, "the name of a dataset has a control character, its byte %zu", i + 1);
	return 0;
}

int
dataset_ensure(struct pg *pg, const char *name, const char *schema, struct dataset *d, bool *created, struct err *e)
{
	int found;

	*created = false;
	found = dataset_find(pg, name, d, e);
	if (found != 0)
		return found > 0 ? 0 : -1;
	if (dataset_check_name(name, e) != 0)
		return -1;
	if (define(pg, name, schema, created, e) != 0)
		return -1;
	found = dataset_find(pg, name, d, e);
	if (found == 0)
		return not_defined(pg, name, schema, e);
	return found > 0 ? 0 : -1;
}

/* Its row is locked, so that whoever is about to open a job there finds that it is gone. */
int
dataset_forget(struct pg *pg, int64_t id, struct err *e)
{
	struct pg_rows *rows = NULL;
	char number[24];
	bool forgotten;

	snprintf(number, sizeof number, "%" PRId64, id);
	if (pg_begin(pg, e) != 0 ||
	    PG_QUERY(pg, NULL, e, "SELECT FROM csvp.dataset WHERE id = $1 FOR UPDATE", number) != 0 ||
	    PG_QUERY(pg, &rows, e,
		"DELETE FROM csvp.dataset d WHERE id = $1 AND state = 'new'"
		" AND NOT EXISTS (SELECT FROM csvp.job WHERE dataset = d.id) RETURNING id",
		number) != 0)
		goto fail;
	forgotten = pg_rows_count(rows) == 1;
	pg_rows_free(rows);
	if (forgotten && pg_execf(pg, e, "DROP SEQUENCE csvp.version_%s", number) != 0)
		goto fail;
	if (pg_commit(pg, e) == 0)
		return 0;
fail:
	pg_rollback(pg);
	return -1;
}

/* A column that csvp adds, or one of the dataset's, has been dropped by a person. */
static int
column_missing(const struct dataset *d, const char *name, bool own, struct err *e)
{
	return err_set(e, ERR_DATA, "table %s.%s has no column \"%s\" any more%s", d->table_schema, d->table_name, name,
	    own ? ", which csvp orders records by; hint: drop the dataset and upload its files again"
		: "; hint: put it back, or drop the dataset");
}

/* A dataset, and to it a row for each of its columns, of csvp's own, and of its key, in this order. */
#define SHAPED(where)                                                                                                  \
	"SELECT " COLUMNS ", c.kind, c.header, c.part, format_type(a.atttypid, NULL), c.undecided"                     \
	"  FROM csvp.dataset d CROSS JOIN LATERAL"                                                                     \
	"   (SELECT to_regclass(format('%I.%I', d.table_schema, d.table_name)) AS oid OFFSET 0) t"                     \
	"  LEFT JOIN LATERAL ("                                                                                        \
	"   SELECT 'c' AS kind, position, header, name AS part, undecided"                                             \
	"    FROM csvp.dataset_column WHERE dataset = d.id"                                                            \
	"   UNION ALL SELECT 'o', 1, NULL, '_version', false"                                                          \
	"   UNION ALL SELECT 'o', 2, NULL, '_id', false WHERE d.key = '{}'"                                            \
	"   UNION ALL SELECT 'k', place, NULL, part, false FROM unnest(d.key) WITH ORDINALITY k (part, place)) c"      \
	"   ON d.state <> 'new'"                                                                                       \
	"  LEFT JOIN pg_attribute a ON a.attrelid = t.oid"                                                             \
	"   AND a.attname = c.part AND NOT a.attisdropped AND c.kind <> 'k'"                                           \
	" WHERE " where " ORDER BY array_position('{c,o,k}', c.kind), c.position"

enum shaped_column { KIND = COLUMN_COUNT, HEADER, PART, TYPE, UNDECIDED };

/* A row of it: a column, one of csvp's own, or a part of the key; of a dataset that has no columns yet nothing. */
static int
take_shape_row(const struct dataset *d, struct shape *shape, const struct pg_rows *rows, size_t row, struct err *e)
{
	const char *kind = pg_rows_text(rows, row, KIND), *name = pg_rows_text(rows, row, PART);
	const char *sql = pg_rows_text(rows, row, TYPE);
	enum type_id type;

	if (kind == NULL)
		return 0;
	if (*kind == 'k')
		return shape_add_key(shape, name, e);
	if (sql == NULL)
		return column_missing(d, name, *kind == 'o', e);
	/* A type of a person's own choice takes any text; the server has the last word on each value. */
	if (!type_parse(sql, &type))
		type = TYPE_TEXT;
	if (*kind == 'c')
		shape_add(shape, pg_rows_text(rows, row, HEADER), name, type, pg_rows_bool(rows, row, UNDECIDED));
	return 0;
}

static int
take_shape(const struct dataset *d, struct shape *shape, const struct pg_rows *rows, struct err *e)
{
	int result = 0;

	for (size_t i = 0; i < pg_rows_count(rows) && result == 0; i++)
		result = take_shape_row(d, shape, rows, i, e);
	if (result != 0)
		shape_fini(shape);
	return result;
}

int
dataset_shape(struct pg *pg, const struct dataset *d, struct shape *shape, struct err *e)
{
	struct pg_rows *rows;
	int result;
	char id[24];

	*shape = (struct shape){0};
	snprintf(id, sizeof id, "%" PRId64, d->id);
	if (PG_QUERY(pg, &rows, e, SHAPED("d.id = $1"), id) != 0)
		return -1;
	result = take_shape(d, shape, rows, e);
	pg_rows_free(rows);
	return result;
}

int
dataset_load_shaped(struct pg *pg, const char *name, struct dataset *d, struct shape *shape, struct err *e)
{
	static const char sql[] = SHAPED("d.name = $1");
	struct pg_rows *rows;
	int result = -1;

	*shape = (struct shape){0};
	if (pg_prepared(pg, &rows, e, sql, 1, &name) != 0)
		return -1;
	if (pg_rows_count(rows) == 0) {
		not_there(name, e);
	} else {
		fill(d, rows);
		if (d->state == DATASET_NEW)
			err_set(e, ERR_NOINPUT,
			    "dataset %s has no columns yet: none of its files is split; hint: csvp-split", name);
		else
			result = take_shape(d, shape, rows, e);
	}
	pg_rows_free(rows);
	return result;
}

int
dataset_add_column(
    struct pg *pg, int64_t id, size_t position, const char *header, const char *name, bool undecided, struct err *e)
{
	char number[24], place[24];

	snprintf(number, sizeof number, "%" PRId64, id);
	snprintf(place, sizeof place, "%zu", position);
	return PG_QUERY(pg, NULL, e,
	    "WITH c AS (INSERT INTO csvp.dataset_column (dataset, position, header, name, undecided)"
	    " VALUES ($1, $2, $3, $4, $5) RETURNING dataset)"
	    " UPDATE csvp.dataset SET generation = generation + 1 FROM c WHERE id = c.dataset",
	    number, place, header, name, undecided ? "t" : "f");
}

int
dataset_define(struct pg *pg, int64_t id, const struct shape *shape, int64_t builder, struct err *e)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *c = &shape->columns[i];

		if (dataset_add_column(pg, id, i, c->header, c->name, c->undecided, e) != 0)
			return -1;
	}
	return pg_execf(pg, e, "UPDATE csvp.dataset SET state = 'building', builder = %" PRId64 " WHERE id = %" PRId64,
	    builder, id);
}

int
dataset_set_ready(struct pg *pg, int64_t id, struct err *e)
{
	return pg_execf(pg, e, "UPDATE csvp.dataset SET state = 'ready' WHERE id = %" PRId64, id);
}

int
dataset_set_seal(struct pg *pg, int64_t id, int64_t seq, struct err *e)
{
	return pg_execf(pg, e, "UPDATE csvp.dataset SET seal = %" PRId64 " WHERE id = %" PRId64 " AND seal < %" PRId64,
	    seq, id, seq);
}

int
dataset_lock(struct pg *pg, struct dataset *d, struct err *e)
{
	char sql[80];
	int64_t id = d->id;

	snprintf(sql, sizeof sql, "SELECT FROM csvp.dataset WHERE id = %" PRId64 " FOR NO KEY UPDATE", id);
	if (pg_exec_waiting(pg, sql, e) != 0)
		return -1;
	dataset_fini(d);
	return dataset_load(pg, id, d, e);
}

int
dataset_decide(struct pg *pg, int64_t id, size_t position, struct err *e)
{
	return pg_execf(pg, e,
	    "UPDATE csvp.dataset_column SET undecided = false WHERE dataset = %" PRId64 " AND position = %zu;"
	    "UPDATE csvp.dataset SET generation = generation + 1 WHERE id = %" PRId64,
	    id, position, id);
}

int
dataset_dropped(struct pg *pg, const struct dataset *d, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int dropped;

	snprintf(id, sizeof id, "%" PRId64, d->id);
	if (PG_QUERY(pg, &rows, e,
		"SELECT state <> 'new' AND to_regclass(format('%I.%I', table_schema, table_name)) IS NULL"
		" FROM csvp.dataset WHERE id = $1",
		id) != 0)
		return -1;
	dropped = pg_rows_count(rows) == 1 && pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return dropped;
}

int
dataset_renew(struct pg *pg, int64_t id, struct err *e)
{
	return pg_execf(pg, e,
	    "UPDATE csvp.dataset SET state = 'new', key = '{}', seal = seq + 1, since = seq + 1,"
	    " generation = generation + 1 WHERE id = %1$" PRId64
	    ";UPDATE csvp.job SET cancelled = true WHERE dataset = %1$" PRId64
	    " AND seq IS NOT NULL;UPDATE csvp.chunk c SET state = 'indexed' FROM csvp.job j WHERE j.id = c.job"
	    " AND j.dataset = %1$" PRId64
	    " AND c.state = 'loaded';DELETE FROM csvp.index_generation WHERE dataset = %1$" PRId64
	    ";DELETE FROM csvp.dataset_column WHERE dataset = %1$" PRId64
	    ";DELETE FROM csvp.change WHERE dataset = %1$" PRId64
	    ";DELETE FROM csvp.tombstone WHERE dataset = %1$" PRId64
	    ";DELETE FROM csvp.index_reject WHERE dataset = %1$" PRId64,
	    id);
}

char *
dataset_table(const struct dataset *d)
{
	struct buf b = {0};

	pg_quote_name(&b, d->table_schema);
	buf_byte(&b, '.');
	pg_quote_name(&b, d->table_name);
	return buf_detach(&b);
}
