#include "table/create.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "table/edit.h"
#include "table/target.h"

int
create_table(struct pg *pg, const struct target *t, struct err *e)
{
	const struct shape *s = t->shape;
	struct buf sql = {0};
	int result;

	buf_string(&sql, "CREATE SCHEMA IF NOT EXISTS ");
	pg_quote_name(&sql, t->schema);
	buf_string(&sql, ";CREATE TABLE ");
	target_table(&sql, t);
	buf_string(&sql, " (");
	for (size_t i = 0; i < s->count; i++) {
		pg_quote_name(&sql, s->columns[i].name);
		buf_printf(&sql, " %s", type_sql(s->columns[i].type));
		/* Byte order on keys: 5 times faster to build than a language's, and the order the client sorts by. */
		if (shape_in_key(s, i))
			buf_printf(
			    &sql, "%s NOT NULL", s->columns[i].type == TYPE_TEXT ? " COLLATE pg_catalog.\"C\"" : "");
		buf_string(&sql, ", ");
	}
	if (s->key_count == 0)
		buf_printf(&sql, "_id bigint NOT NULL DEFAULT csvp.edit_version(%" PRId64 "), ", t->dataset);
	buf_printf(&sql, "_version bigint NOT NULL DEFAULT csvp.edit_version(%" PRId64 "))", t->dataset);
	result = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	if (result != 0) {
		if (strcmp(pg_sqlstate(pg), "42P07") == 0)
			err_set(e, ERR_DATA, "there is a table %s.%s that csvp did not make; hint: -d OTHER-NAME",
			    t->schema, t->name);
		return -1;
	}
	return edit_install(pg, t, e);
}

/* Rows that must not be in the table any more, by the statement `doomed`; their offsets go to pg_temp.superseded. */
static int
remove_rows(struct pg *pg, const struct buf *doomed, struct err *e)
{
	struct buf sql = {0};
	int result;

	/* Part of building the key: it takes as long as it takes. */
	buf_printf(&sql,
	    "CREATE TEMP TABLE IF NOT EXISTS superseded (byte bigint) ON COMMIT DROP;"
	    "WITH gone AS (%s RETURNING t._version) INSERT INTO pg_temp.superseded"
	    " SELECT _version & %" PRId64 " FROM gone WHERE _version & %" PRId64 " = 0",
	    doomed->bytes, ((int64_t)1 << 38) - 1, (int64_t)1 << 38);
	result = pg_exec_waiting(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

static int
remove_deleted(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_string(&sql, "DELETE FROM ");
	target_table(&sql, t);
	buf_printf(&sql,
	    " t USING csvp.tombstone d WHERE d.dataset = %" PRId64 " AND d.version > t._version AND d.key = ",
	    t->dataset);
	target_key_text(&sql, t, "t.");
	result = remove_rows(pg, &sql, e);
	buf_fini(&sql);
	return result;
}

static int
remove_duplicates(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_string(&sql, "DELETE FROM ");
	target_table(&sql, t);
	buf_string(&sql, " t USING (SELECT ");
	target_key(&sql, t, "");
	buf_string(&sql, ", max(_version) AS newest FROM ");
	target_table(&sql, t);
	buf_string(&sql, " GROUP BY ");
	target_key(&sql, t, "");
	buf_string(&sql, " HAVING count(*) > 1) w WHERE ");
	target_key_join(&sql, t, "t.", "w.");
	buf_string(&sql, " AND t._version < w.newest");
	result = remove_rows(pg, &sql, e);
	buf_fini(&sql);
	return result;
}

static int
add_primary_key(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_string(&sql, "ALTER TABLE ");
	target_table(&sql, t);
	buf_string(&sql, " ADD PRIMARY KEY (");
	target_key(&sql, t, "");
	buf_byte(&sql, ')');
	result = pg_exec_waiting(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

int
create_key(struct pg *pg, const struct target *t, bool unique, struct err *e)
{
	if (remove_deleted(pg, t, e) != 0)
		return -1;
	if (unique) {
		if (pg_exec(pg, "SAVEPOINT key", e) != 0)
			return -1;
		if (add_primary_key(pg, t, e) == 0)
			return edit_watch_inserts(pg, t, e);
		/* An INSERT by a person can double a key that the file holds once. */
		if (strcmp(pg_sqlstate(pg), "23505") != 0 || pg_exec(pg, "ROLLBACK TO SAVEPOINT key", e) != 0)
			return -1;
	}
	if (remove_duplicates(pg, t, e) != 0 || add_primary_key(pg, t, e) != 0)
		return -1;
	return edit_watch_inserts(pg, t, e);
}

int
create_column(struct pg *pg, const struct target *t, size_t column, struct err *e)
{
	const struct column *c = &t->shape->columns[column];
	struct buf sql = {0};
	int result;

	buf_string(&sql, "ALTER TABLE ");
	target_table(&sql, t);
	buf_string(&sql, " ADD COLUMN ");
	pg_quote_name(&sql, c->name);
	buf_printf(&sql, " %s", type_sql(c->type));
	result = pg_exec_waiting(pg, sql.bytes, e);
	buf_fini(&sql);
	if (result != 0 && strcmp(pg_sqlstate(pg), "42701") == 0)
		err_set(e, ERR_DATA,
		    "column '%s' cannot be added: table %s.%s has another column %s; hint: rename one of them",
		    c->header, t->schema, t->name, c->name);
	return result;
}

/* Has a row a value there? 1, 0, -1. */
static int
has_values(struct pg *pg, const struct target *t, const struct column *c, struct err *e)
{
	struct pg_rows *rows;
	struct buf sql = {0};
	int result = -1;

	buf_string(&sql, "SELECT EXISTS (SELECT FROM ");
	target_table(&sql, t);
	buf_string(&sql, " WHERE ");
	pg_quote_name(&sql, c->name);
	buf_string(&sql, " IS NOT NULL)");
	if (pg_query(pg, &rows, e, sql.bytes, 0, NULL) == 0) {
		result = pg_rows_bool(rows, 0, 0);
		pg_rows_free(rows);
	}
	buf_fini(&sql);
	return result;
}

int
create_type(struct pg *pg, const struct target *t, size_t column, struct err *e)
{
	const struct column *c = &t->shape->columns[column];
	struct buf sql = {0};
	int result = has_values(pg, t, c, e);

	/* It is text so far, and ALTER would take the key's collation away. */
	if (result != 0 || c->type == TYPE_TEXT)
		return result;
	buf_string(&sql, "ALTER TABLE ");
	target_table(&sql, t);
	buf_string(&sql, " ALTER COLUMN ");
	pg_quote_name(&sql, c->name);
	buf_printf(&sql, " TYPE %s USING NULL::%s", type_sql(c->type), type_sql(c->type));
	result = pg_exec_waiting(pg, sql.bytes, e);
	buf_fini(&sql);
	return result == 0 && shape_in_key(t->shape, column) ? edit_key_type(pg, t, e) : result;
}
