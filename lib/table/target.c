#include "table/target.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "schema/shape.h"

void
target_table(struct buf *sql, const struct target *t)
{
	pg_quote_name(sql, t->schema);
	buf_byte(sql, '.');
	pg_quote_name(sql, t->name);
}

int
target_lock(struct pg *pg, const struct target *t, const char *mode, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_string(&sql, "LOCK TABLE ");
	target_table(&sql, t);
	buf_printf(&sql, " IN %s MODE", mode);
	result = pg_exec_waiting(pg, sql.bytes, e);
	if (result != 0 && strcmp(pg_sqlstate(pg), "42P01") == 0)
		err_set(e, ERR_DATA, "table %s.%s was dropped; hint: upload the file again, which makes it anew",
		    t->schema, t->name);
	buf_fini(&sql);
	return result;
}

int
target_blocks(struct pg *pg, const struct target *t, int64_t *blocks, struct err *e)
{
	struct buf sql = {0}, table = {0};
	struct pg_rows *rows;
	int result;

	target_table(&table, t);
	buf_string(&sql, "SELECT pg_relation_size(");
	pg_quote_literal(&sql, table.bytes);
	buf_string(&sql, "::regclass) / current_setting('block_size')::bigint");
	result = pg_query(pg, &rows, e, sql.bytes, 0, NULL);
	if (result == 0) {
		*blocks = pg_rows_int(rows, 0, 0);
		pg_rows_free(rows);
	}
	buf_fini(&table);
	buf_fini(&sql);
	return result;
}

int
target_check_key(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0}, table = {0}, key = {0};
	struct pg_rows *rows;
	int result;

	target_table(&table, t);
	target_key(&key, t, "");
	/* What ON CONFLICT asks for, and what it cannot be used with (CREATE RULE: INSERT 3, UPDATE 2, DELETE 4). */
	buf_string(&sql, "WITH t AS (SELECT ");
	pg_quote_literal(&sql, table.bytes);
	buf_string(&sql, "::regclass AS id) SELECT EXISTS (SELECT FROM pg_index i, t WHERE i.indrelid = t.id"
			 " AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL"
			 " AND (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a"
			 "   WHERE a.attrelid = t.id AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))"
			 "  = (SELECT array_agg(n ORDER BY n) FROM unnest(ARRAY[");
	for (size_t i = 0; i < shape_key_parts(t->shape); i++) {
		buf_string(&sql, i > 0 ? ", " : "");
		pg_quote_literal(&sql, shape_key_name(t->shape, i));
	}
	buf_string(&sql, "]) n) AND cardinality(i.indkey[0:i.indnkeyatts - 1]) = ");
	buf_printf(&sql, "%zu), (SELECT min(rulename) FROM pg_rewrite, t WHERE ev_class = t.id AND ev_type <> '1')",
	    shape_key_parts(t->shape));
	result = pg_query(pg, &rows, e, sql.bytes, 0, NULL);
	if (result == 0) {
		if (!pg_rows_bool(rows, 0, 0))
			result = err_set(e, ERR_DATA,
			    "table %s.%s has no primary key any more; hint: ALTER TABLE %s ADD PRIMARY KEY (%s)",
			    t->schema, t->name, table.bytes, key.bytes);
		else if (pg_rows_text(rows, 0, 1) != NULL)
			result = err_set(e, ERR_DATA,
			    "table %s.%s has a rule, %s, which records cannot be merged past; hint: a trigger instead",
			    t->schema, t->name, pg_rows_text(rows, 0, 1));
		pg_rows_free(rows);
	}
	buf_fini(&key);
	buf_fini(&table);
	buf_fini(&sql);
	return result;
}

static void
column(struct buf *sql, const char *separator, const char *prefix, const char *name)
{
	buf_string(sql, separator);
	buf_string(sql, prefix);
	pg_quote_name(sql, name);
}

void
target_values(struct buf *sql, const struct target *t, const char *prefix)
{
	for (size_t i = 0; i < t->shape->count; i++)
		column(sql, i > 0 ? ", " : "", prefix, t->shape->columns[i].name);
	if (t->shape->key_count == 0)
		column(sql, ", ", prefix, "_id");
}

void
target_columns(struct buf *sql, const struct target *t, const char *prefix)
{
	target_values(sql, t, prefix);
	column(sql, ", ", prefix, "_version");
}

void
target_key(struct buf *sql, const struct target *t, const char *prefix)
{
	for (size_t i = 0; i < shape_key_parts(t->shape); i++)
		column(sql, i > 0 ? ", " : "", prefix, shape_key_name(t->shape, i));
}

void
target_key_join(struct buf *sql, const struct target *t, const char *a, const char *b)
{
	for (size_t i = 0; i < shape_key_parts(t->shape); i++) {
		column(sql, i > 0 ? " AND " : "", a, shape_key_name(t->shape, i));
		column(sql, " = ", b, shape_key_name(t->shape, i));
	}
}

void
target_key_text(struct buf *sql, const struct target *t, const char *prefix)
{
	buf_string(sql, "ARRAY[");
	for (size_t i = 0; i < shape_key_parts(t->shape); i++) {
		struct buf name = {0};

		column(&name, "", prefix, shape_key_name(t->shape, i));
		if (i > 0)
			buf_string(sql, ", ");
		type_canonical_sql(shape_key_type(t->shape, i), sql, name.bytes);
		buf_fini(&name);
	}
	buf_string(sql, "]");
}
