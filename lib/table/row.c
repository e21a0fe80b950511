#include "table/row.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "table/target.h"

/* A statement and its parameters, which stay the caller's. */
struct statement {
	struct buf sql;
	const char **params;
	size_t count;
};

void
row_fini(struct row *row)
{
	for (size_t i = 0; i < row->columns; i++)
		free(row->values[i]);
	free(row->values);
	free(row->id);
	*row = (struct row){0};
}

static struct statement
begin(const struct target *t)
{
	struct statement s = {0};

	/* The key's and all columns' values at most. */
	s.params = buf_calloc(2 * t->shape->count + 1, sizeof *s.params);
	return s;
}

/* `$n`, of the type that the server makes it: a column's may be of a person's own choice. */
static void
append_parameter(struct statement *s, const char *value)
{
	s->params[s->count++] = value;
	buf_printf(&s->sql, "$%zu", s->count);
}

static void
append_where(struct statement *s, const struct target *t, const char *const *key)
{
	size_t parts = shape_key_parts(t->shape);

	buf_string(&s->sql, " WHERE ");
	for (size_t i = 0; i < parts; i++) {
		buf_string(&s->sql, i > 0 ? " AND t." : "t.");
		pg_quote_name(&s->sql, shape_key_name(t->shape, i));
		buf_string(&s->sql, " = ");
		append_parameter(s, key[i]);
	}
}

static void
fill(struct row *row, const struct target *t, const struct pg_rows *rows)
{
	size_t columns = t->shape->count, at = 0;

	*row = (struct row){.values = buf_calloc(columns + 1, sizeof *row->values), .columns = columns};
	for (; at < columns; at++) {
		const char *value = pg_rows_text(rows, 0, at);

		row->values[at] = value != NULL ? buf_strdup(value) : NULL;
	}
	if (t->shape->key_count == 0)
		row->id = buf_strdup(pg_rows_text(rows, 0, at++));
	row->version = pg_rows_int(rows, 0, at);
}

/* Run it: how many rows it gave or changed; *row (may be NULL) gets the first. */
static int
run(struct pg *pg, const struct target *t, struct statement *s, struct row *row, struct err *e)
{
	struct pg_rows *rows = NULL;
	int result = pg_query(pg, &rows, e, s->sql.bytes, s->count, s->params);

	if (result == 0 && row != NULL) {
		result = pg_rows_count(rows) > 0;
		if (result == 1)
			fill(row, t, rows);
	} else if (result == 0) {
		result = pg_rows_affected(rows) > 0;
	} else if (strcmp(pg_sqlstate(pg), "42P01") == 0) {
		err_set(e, ERR_NOINPUT, "table %s.%s was dropped; hint: upload a file, which makes it anew", t->schema,
		    t->name);
	}
	pg_rows_free(rows);
	buf_fini(&s->sql);
	free(s->params);
	return result;
}

/* Of a deleted key an older chunk may have brought a row, which is removed when the key is built. */
static void
append_newest(struct buf *sql, const struct target *t)
{
	buf_printf(sql,
	    " AND NOT EXISTS (SELECT FROM csvp.tombstone d WHERE d.dataset = %" PRId64
	    " AND d.version > t._version AND d.key = ",
	    t->dataset);
	target_key_text(sql, t, "t.");
	buf_string(sql, ") ORDER BY t._version DESC LIMIT 1");
}

int
row_read(struct pg *pg, const struct target *t, const char *const *key, bool lock, bool building, struct row *row,
    struct err *e)
{
	struct statement s = begin(t);

	buf_string(&s.sql, "SELECT ");
	target_columns(&s.sql, t, "t.");
	buf_string(&s.sql, " FROM ");
	target_table(&s.sql, t);
	buf_string(&s.sql, " t");
	append_where(&s, t, key);
	if (building)
		append_newest(&s.sql, t);
	if (lock)
		buf_string(&s.sql, " FOR UPDATE");
	return run(pg, t, &s, row, e);
}

static void
append_returning(struct statement *s, const struct target *t)
{
	buf_string(&s->sql, " RETURNING ");
	target_columns(&s->sql, t, "t.");
}

int
row_insert(struct pg *pg, const struct target *t, const char *const *values, struct row *row, struct err *e)
{
	struct statement s = begin(t);

	buf_string(&s.sql, "INSERT INTO ");
	target_table(&s.sql, t);
	buf_string(&s.sql, " AS t (");
	for (size_t i = 0; i < t->shape->count; i++) {
		buf_string(&s.sql, i > 0 ? ", " : "");
		pg_quote_name(&s.sql, t->shape->columns[i].name);
	}
	buf_string(&s.sql, ") VALUES (");
	for (size_t i = 0; i < t->shape->count; i++) {
		buf_string(&s.sql, i > 0 ? ", " : "");
		append_parameter(&s, values[i]);
	}
	buf_byte(&s.sql, ')');
	/* Only of this key: another constraint that is violated is an error. */
	if (t->shape->key_count > 0) {
		buf_string(&s.sql, " ON CONFLICT (");
		target_key(&s.sql, t, "");
		buf_string(&s.sql, ") DO NOTHING");
	}
	append_returning(&s, t);
	return run(pg, t, &s, row, e);
}

int
row_update(struct pg *pg, const struct target *t, const char *const *key, const char *const *values, const bool *given,
    struct row *row, struct err *e)
{
	struct statement s = begin(t);

	buf_string(&s.sql, "UPDATE ");
	target_table(&s.sql, t);
	/* There may be nothing to set but the version, which the trigger does. */
	buf_string(&s.sql, " AS t SET _version = t._version");
	for (size_t i = 0; i < t->shape->count; i++) {
		if (!given[i])
			continue;
		buf_string(&s.sql, ", ");
		pg_quote_name(&s.sql, t->shape->columns[i].name);
		buf_string(&s.sql, " = ");
		append_parameter(&s, values[i]);
	}
	append_where(&s, t, key);
	append_returning(&s, t);
	return run(pg, t, &s, row, e);
}

int
row_delete(struct pg *pg, const struct target *t, const char *const *key, struct err *e)
{
	struct statement s = begin(t);

	buf_string(&s.sql, "DELETE FROM ");
	target_table(&s.sql, t);
	buf_string(&s.sql, " AS t");
	append_where(&s, t, key);
	return run(pg, t, &s, NULL, e);
}
