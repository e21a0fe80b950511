#include "search/hit.h"

#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"

void
hit_json(struct buf *out, const struct shape *shape, const struct search_hit *hit)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *column = &shape->columns[i];
		const char *value = hit->values[i];

		if (i > 0)
			buf_byte(out, ',');
		type_to_json(TYPE_TEXT, out, column->name, strlen(column->name));
		buf_byte(out, ':');
		if (value != NULL)
			type_to_json(column->type, out, value, strlen(value));
		else
			buf_string(out, "null");
	}
	buf_byte(out, '}');
}

static void
csv_field(struct buf *out, const char *value)
{
	if (value[0] != '\0' && strpbrk(value, ",\"\r\n") == NULL) {
		buf_string(out, value);
		return;
	}
	buf_byte(out, '"');
	for (; *value != '\0'; value++) {
		if (*value == '"')
			buf_byte(out, '"');
		buf_byte(out, *value);
	}
	buf_byte(out, '"');
}

const char *
hit_text(const struct shape *shape, const struct search_hit *hit, size_t column)
{
	const char *value = hit->values[column];

	/* PostgreSQL prints a boolean as t or f. */
	if (value != NULL && shape->columns[column].type == TYPE_BOOLEAN)
		return value[0] == 't' ? "true" : "false";
	return value;
}

void
hit_csv(struct buf *out, const struct shape *shape, const struct search_hit *hit)
{
	for (size_t i = 0; i < shape->count; i++) {
		const char *value = hit_text(shape, hit, i);

		if (i > 0)
			buf_byte(out, ',');
		if (value != NULL)
			csv_field(out, value);
	}
	buf_byte(out, '\n');
}

void
hit_csv_header(struct buf *out, const struct shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (i > 0)
			buf_byte(out, ',');
		csv_field(out, shape->columns[i].header);
	}
	buf_byte(out, '\n');
}
