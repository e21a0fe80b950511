#include "flow/record_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "csv/utf8.h"
#include "net/url.h"
#include "schema/shape.h"
#include "table/row.h"

void
record_key_free(char **parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(parts[i]);
	free(parts);
}

/* The part's text, or NULL if it cannot be of this type. */
static char *
take_part(enum type_id type, const char *bytes, size_t length)
{
	char *text = *bytes == '=' ? buf_strndup(bytes + 1, length - 1) : buf_strndup(bytes, length);

	if (url_decode(text) >= 0 && utf8_flaw(text, strlen(text)) == strlen(text) &&
	    type_check(type, text, strlen(text)) == NULL)
		return text;
	free(text);
	return NULL;
}

bool
record_key_parse(const struct shape *shape, const char *path, char ***parts, size_t *count)
{
	size_t wanted = shape_key_parts(shape);

	*parts = buf_calloc(wanted, sizeof **parts);
	*count = 0;
	for (;;) {
		size_t length = strcspn(path, ",");
		char *part = *count < wanted ? take_part(shape_key_type(shape, *count), path, length) : NULL;

		if (part == NULL)
			break;
		(*parts)[(*count)++] = part;
		if (path[length] == '\0' && *count == wanted)
			return true;
		if (path[length] == '\0')
			break;
		path += length + 1;
	}
	record_key_free(*parts, *count);
	return false;
}

/* PostgreSQL prints a boolean as t or f. */
static const char *
part_text(const struct shape *shape, const struct row *row, size_t part)
{
	const char *text = shape->key_count > 0 ? row->values[shape->key[part]] : row->id;

	if (text != NULL && shape_key_type(shape, part) == TYPE_BOOLEAN)
		return *text == 't' ? "true" : "false";
	return text != NULL ? text : "";
}

void
record_key_write(struct buf *path, const struct shape *shape, const struct row *row)
{
	for (size_t i = 0; i < shape_key_parts(shape); i++) {
		char *encoded = url_encode_value(part_text(shape, row, i));

		if (i > 0)
			buf_byte(path, ',');
		if (strcmp(encoded, "") == 0 || strcmp(encoded, ".") == 0 || strcmp(encoded, "..") == 0)
			buf_byte(path, '=');
		buf_string(path, encoded);
		free(encoded);
	}
}
