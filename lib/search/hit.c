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

/* PostgreSQL prints a boolean as t or f. */
static const char *
printed(struct buf *scratch, enum type_id type, const char *value)
{
	if (value == NULL || type != TYPE_BOOLEAN)
		return value;
	buf_reset(scratch);
	type_canonical(type, scratch, value, strlen(value));
	return scratch->bytes;
}

void
hit_csv(struct buf *out, const struct shape *shape, const struct search_hit *hit)
{
	struct buf scratch = {0};

	for (size_t i = 0; i < shape->count; i++) {
		const char *value = printed(&scratch, shape->columns[i].type, hit->values[i]);

		if (i > 0)
			buf_byte(out, ',');
		if (value != NULL)
			csv_field(out, value);
	}
	buf_byte(out, '\n');
	buf_fini(&scratch);
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

const char *
hit_text(struct buf *scratch, const struct shape *shape, const struct search_hit *hit, size_t column)
{
	return printed(scratch, shape->columns[column].type, hit->values[column]);
}
