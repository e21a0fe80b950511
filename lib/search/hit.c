#include "search/hit.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/facet.h"

static void
write_name(struct buf *out, const char *name)
{
	type_to_json(TYPE_TEXT, out, name, strlen(name));
	buf_byte(out, ':');
}

static void
write_marked(struct buf *out, const struct shape *shape, const struct search_hit *hit)
{
	const char *separator = "";

	buf_string(out, ",\"_highlight\":{");
	for (size_t i = 0; i < shape->count; i++) {
		if (hit->marked[i] == NULL)
			continue;
		buf_string(out, separator);
		write_name(out, shape->columns[i].name);
		type_to_json(TYPE_TEXT, out, hit->marked[i], strlen(hit->marked[i]));
		separator = ",";
	}
	buf_byte(out, '}');
}

static void
write_json(struct buf *out, const struct shape *shape, const struct search_hit *hit, bool id)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *column = &shape->columns[i];
		const char *value = hit->values[i];

		if (i > 0)
			buf_byte(out, ',');
		write_name(out, column->name);
		if (value != NULL)
			type_to_json(column->type, out, value, strlen(value));
		else
			buf_string(out, "null");
	}
	if (id && hit->id != NULL)
		buf_printf(out, ",\"_id\":\"%s\"", hit->id);
	if (hit->marked != NULL)
		write_marked(out, shape, hit);
	buf_byte(out, '}');
}

void
hit_json(struct buf *out, const struct shape *shape, const struct search_hit *hit)
{
	write_json(out, shape, hit, false);
}

void
hit_json_id(struct buf *out, const struct shape *shape, const struct search_hit *hit)
{
	write_json(out, shape, hit, true);
}

void
hit_page_begin(struct buf *out)
{
	buf_string(out, "{\"results\":[");
}

void
hit_page_end(struct buf *out, const struct shape *shape, const struct search_page *page, const char *next)
{
	buf_string(out, "],\"next\":");
	if (next != NULL)
		type_to_json(TYPE_TEXT, out, next, strlen(next));
	else
		buf_string(out, "null");
	buf_printf(out, ",\"total\":%" PRIu64 ",\"ranked\":%s", page->total, page->ranked ? "true" : "false");
	if (page->facet_count > 0) {
		buf_string(out, ",\"facets\":");
		facet_json(out, shape, page);
	}
	buf_string(out, "}\n");
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

	if (hit->marked != NULL && hit->marked[column] != NULL)
		return hit->marked[column];
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
