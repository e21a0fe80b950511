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

static const char *
key_name(const struct target *t, size_t i)
{
	return t->shape->key_count == 0 ? "_id" : t->shape->columns[t->shape->key[i]].name;
}

static size_t
key_count(const struct target *t)
{
	return t->shape->key_count == 0 ? 1 : t->shape->key_count;
}

void
target_key(struct buf *sql, const struct target *t, const char *prefix)
{
	for (size_t i = 0; i < key_count(t); i++)
		column(sql, i > 0 ? ", " : "", prefix, key_name(t, i));
}

void
target_key_join(struct buf *sql, const struct target *t, const char *a, const char *b)
{
	for (size_t i = 0; i < key_count(t); i++) {
		column(sql, i > 0 ? " AND " : "", a, key_name(t, i));
		column(sql, " = ", b, key_name(t, i));
	}
}

void
target_key_text(struct buf *sql, const struct target *t, const char *prefix)
{
	buf_string(sql, "ARRAY[");
	for (size_t i = 0; i < key_count(t); i++) {
		struct buf name = {0};

		column(&name, "", prefix, key_name(t, i));
		if (i > 0)
			buf_string(sql, ", ");
		type_canonical_sql(
		    t->shape->key_count == 0 ? TYPE_BIGINT : t->shape->columns[t->shape->key[i]].type, sql, name.bytes);
		buf_fini(&name);
	}
	buf_string(sql, "]");
}
