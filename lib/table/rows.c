#include "table/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "table/target.h"

struct reading_rows {
	const struct target *target;
	rows_each *each;
	void *ctx;
	struct buf line;
	const char **values;
};

/* COPY takes no parameters, but is read in half the time of a result's rows. */
static void
begin_statement(struct buf *sql, const struct target *t, const char *place)
{
	buf_printf(sql, "COPY (SELECT %s", place);
	for (size_t i = 0; i < t->shape->count; i++) {
		buf_string(sql, ", t.");
		pg_quote_name(sql, t->shape->columns[i].name);
	}
	buf_string(sql, ", t._version FROM ");
}

static void
write_statement(struct buf *sql, const struct target *t, const char *const *keys, size_t count)
{
	size_t parts = shape_key_parts(t->shape);

	begin_statement(sql, t, "k._place - 1");
	buf_string(sql, "unnest(");
	for (size_t i = 0; i < parts; i++) {
		buf_string(sql, i > 0 ? ", " : "");
		pg_quote_array(sql, keys + i, count, parts);
		buf_printf(sql, "::%s[]", type_sql(shape_key_type(t->shape, i)));
	}
	buf_string(sql, ") WITH ORDINALITY k (");
	for (size_t i = 0; i < parts; i++) {
		pg_quote_name(sql, shape_key_name(t->shape, i));
		buf_string(sql, ", ");
	}
	buf_string(sql, "_place) JOIN ");
	target_table(sql, t);
	buf_string(sql, " t ON ");
	target_key_join(sql, t, "t.", "k.");
	buf_string(sql, ") TO STDOUT");
}

/* COPY's text format, decoded in place: the field's end, or NULL if it is the line's last one. */
static char *
decode_field(char *field, const char **value)
{
	static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
	char *to, *from = field + strcspn(field, "\t\\"), *end;

	if (field[0] == '\\' && field[1] == 'N' && (field[2] == '\t' || field[2] == '\0')) {
		*value = NULL;
		return field[2] == '\t' ? field + 3 : NULL;
	}
	*value = field;
	for (to = from; *from == '\\';) {
		const char *letter = strchr(letters, from[1]);
		size_t plain;

		*to++ = letter != NULL && *letter != '\0' ? bytes[letter - letters] : from[1];
		from += 2;
		plain = strcspn(from, "\t\\");
		memmove(to, from, plain);
		to += plain;
		from += plain;
	}
	end = *from == '\t' ? from + 1 : NULL;
	*to = '\0';
	return end;
}

static int
take_line(void *ctx, const char *line, size_t length, struct err *e)
{
	struct reading_rows *r = ctx;
	size_t count = r->target->shape->count, i;
	int64_t place, version;
	char *field;

	buf_reset(&r->line);
	buf_append(&r->line, line, length);
	if (length > 0 && line[length - 1] == '\n')
		r->line.bytes[length - 1] = '\0';
	field = r->line.bytes;
	for (i = 0; i < count + 2 && field != NULL; i++)
		field = decode_field(field, &r->values[i]);
	if (i != count + 2 || field != NULL || !num_int64(r->values[0], &place) ||
	    !num_int64(r->values[count + 1], &version))
		return err_set(e, ERR_BUG, "a row of %s.%s cannot be read", r->target->schema, r->target->name);
	return r->each(r->ctx, place, r->values + 1, version, e);
}

static int
read_rows(struct pg *pg, const struct target *t, const char *sql, rows_each *each, void *ctx, struct err *e)
{
	struct reading_rows r = {.target = t, .each = each, .ctx = ctx};
	int result;

	r.values = buf_calloc(t->shape->count + 2, sizeof *r.values);
	result = pg_copy_out(pg, sql, take_line, &r, e);
	buf_fini(&r.line);
	free(r.values);
	return result;
}

int
rows_by_key(struct pg *pg, const struct target *t, const char *const *keys, size_t count, rows_each *each, void *ctx,
    struct err *e)
{
	struct buf sql = {0};
	int result;

	if (count == 0)
		return 0;
	write_statement(&sql, t, keys, count);
	/* Only a probe per key is right: a plan over the whole table may be the planner's guess, never ours. */
	result = pg_exec(pg,
	    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off", e);
	if (result == 0)
		result = read_rows(pg, t, sql.bytes, each, ctx, e);
	buf_fini(&sql);
	return result;
}

int
rows_of_part(
    struct pg *pg, const struct target *t, const struct rows_part *part, rows_each *each, void *ctx, struct err *e)
{
	struct buf sql = {0};
	int result;

	begin_statement(&sql, t, t->shape->key_count == 0 ? "t._id" : "0");
	target_table(&sql, t);
	buf_printf(&sql,
	    " t WHERE t.ctid >= '(%" PRId64 ",0)' AND t.ctid < '(%" PRId64 ",0)' AND t._version >= %" PRId64
	    " AND t._version < %" PRId64 ") TO STDOUT",
	    part->first_block, part->end_block, part->first_version, part->end_version);
	result = read_rows(pg, t, sql.bytes, each, ctx, e);
	buf_fini(&sql);
	return result;
}
