#include "search/pgsql.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "search/search.h"

/*
 * A tsvector of 1 MB is refused by the server. It takes at most 4 bytes per
 * character of text: a word of n characters and the blank behind it take 4n
 * bytes of UTF-8 and 4 of position. The limit per value keeps one long column
 * from crowding out the others.
 */
#define BODY_CHARACTERS 250000
#define VALUE_CHARACTERS 32768

void
pgsql_documents(struct buf *sql, const struct search_index *index)
{
	buf_printf(sql, "csvp.doc_%" PRId64, index->dataset);
}

void
pgsql_records(struct buf *sql, const struct search_index *index)
{
	pg_quote_name(sql, index->schema);
	buf_byte(sql, '.');
	pg_quote_name(sql, index->table);
}

void
pgsql_key_name(struct buf *sql, const struct search_index *index, size_t part)
{
	pg_quote_name(sql, shape_key_name(index->shape, part));
}

void
pgsql_key_type(struct buf *sql, const struct search_index *index, size_t part)
{
	buf_string(sql, type_sql(shape_key_type(index->shape, part)));
}

bool
pgsql_key_is_text(const struct search_index *index, size_t part)
{
	return shape_key_type(index->shape, part) == TYPE_TEXT;
}

void
pgsql_key_names(struct buf *sql, const struct search_index *index, const char *prefix)
{
	for (size_t i = 0; i < shape_key_parts(index->shape); i++) {
		buf_string(sql, i > 0 ? ", " : "");
		buf_string(sql, prefix);
		pgsql_key_name(sql, index, i);
	}
}

void
pgsql_same_key(struct buf *sql, const struct search_index *index, const char *a, const char *b)
{
	for (size_t i = 0; i < shape_key_parts(index->shape); i++) {
		buf_printf(sql, "%s%s.", i > 0 ? " AND " : "", a);
		pgsql_key_name(sql, index, i);
		buf_printf(sql, " = %s.", b);
		pgsql_key_name(sql, index, i);
	}
}

static const char glue[] = "-/.<&+~";

void
pgsql_words(struct buf *sql, const char *expression)
{
	for (size_t i = 0; glue[i]; i++)
		buf_string(sql, "replace(");
	buf_string(sql, expression);
	for (size_t i = 0; glue[i]; i++)
		buf_printf(sql, ", '%c', ' ')", glue[i]);
}

char *
pgsql_words_of(const char *text)
{
	char *words = buf_strdup(text);
	for (char *c = words; (c = strpbrk(c, glue));)
		*c = ' ';
	return words;
}

bool
pgsql_column(struct buf *sql, const struct search_index *index, size_t column)
{
	const struct shape *shape = index->shape;
	const char *name = shape->columns[column].name;
	for (size_t i = 0; i < shape->key_count; i++)
		if (shape->key[i] == column) {
			buf_string(sql, "d.");
			pg_quote_name(sql, name);
			return true;
		}
	if (shape->columns[column].type == TYPE_BIGINT) {
		buf_printf(sql, "d._numbers[%zu]", column + 1);
		return true;
	}
	buf_string(sql, "t.");
	pg_quote_name(sql, name);
	if (shape->columns[column].type == TYPE_TEXT)
		buf_string(sql, " COLLATE \"C\"");
	return false;
}

void
pgsql_numbers(struct buf *sql, const struct search_index *index)
{
	buf_string(sql, "ARRAY[");
	for (size_t i = 0; i < index->shape->count; i++) {
		buf_string(sql, i > 0 ? ", " : "");
		if (index->shape->columns[i].type == TYPE_BIGINT) {
			buf_string(sql, "t.");
			pg_quote_name(sql, index->shape->columns[i].name);
		} else {
			buf_string(sql, "NULL");
		}
	}
	buf_string(sql, "]::bigint[]");
}

void
pgsql_body(struct buf *sql, const struct search_index *index)
{
	struct buf text = {0};
	buf_printf(&text, "left(concat_ws(' ', ''");
	for (size_t i = 0; i < index->shape->count; i++) {
		const struct column *column = &index->shape->columns[i];
		if (column->type != TYPE_TEXT)
			continue;
		buf_string(&text, ", left(t.");
		pg_quote_name(&text, column->name);
		buf_printf(&text, ", %d)", VALUE_CHARACTERS);
	}
	/* Columns may have collations of their own, and replace() wants one. */
	buf_printf(&text, "), %d) COLLATE \"C\"", BODY_CHARACTERS);
	buf_string(sql, "to_tsvector('simple', ");
	pgsql_words(sql, text.bytes);
	buf_byte(sql, ')');
	buf_fini(&text);
}

bool
pgsql_body_holds(const struct search_index *index, size_t column, const char *value)
{
	size_t characters = 0;
	if (index->shape->columns[column].type != TYPE_TEXT || strlen(value) > VALUE_CHARACTERS)
		return false;
	for (size_t i = 0; i <= column; i++)
		if (index->shape->columns[i].type == TYPE_TEXT)
			characters += VALUE_CHARACTERS + 1;
	return characters < BODY_CHARACTERS;
}
