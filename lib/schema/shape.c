#include "schema/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

void
shape_add(struct shape *s, const char *header, const char *name, enum type_id type, bool undecided)
{
	s->columns = buf_realloc(s->columns, s->count + 1, sizeof s->columns[0]);
	s->columns[s->count++] = (struct column){
	    .header = buf_strdup(header), .name = buf_strdup(name), .type = type, .undecided = undecided};
}

ssize_t
shape_find(const struct shape *s, const char *header_or_name)
{
	/* An empty header finds nothing: a file may have several. */
	if (header_or_name[0] == '\0')
		return -1;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->columns[i].header, header_or_name) == 0)
			return (ssize_t)i;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->columns[i].name, header_or_name) == 0)
			return (ssize_t)i;
	return -1;
}

size_t
shape_key_parts(const struct shape *s)
{
	return s->key_count > 0 ? s->key_count : 1;
}

const char *
shape_key_name(const struct shape *s, size_t part)
{
	return s->key_count > 0 ? s->columns[s->key[part]].name : "_id";
}

enum type_id
shape_key_type(const struct shape *s, size_t part)
{
	return s->key_count > 0 ? s->columns[s->key[part]].type : TYPE_BIGINT;
}

bool
shape_in_key(const struct shape *s, size_t column)
{
	for (size_t i = 0; i < s->key_count; i++)
		if (s->key[i] == column)
			return true;
	return false;
}

/* What a person could have meant; err_set cuts a list that is too long. */
static int
no_such_column(const struct shape *s, const char *header, struct err *e)
{
	struct buf list = {0};

	for (size_t i = 0; i < s->count; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", s->columns[i].name);
	err_set(e, ERR_DATA, "no column \"%s\" for the key; hint: there are %s", header,
	    s->count > 0 ? list.bytes : "no columns");
	buf_fini(&list);
	return -1;
}

int
shape_add_key(struct shape *s, const char *header, struct err *e)
{
	ssize_t found = shape_find(s, header);

	if (found < 0)
		return no_such_column(s, header, e);
	if (shape_in_key(s, (size_t)found))
		return err_set(e, ERR_DATA, "the key has column \"%s\" twice", s->columns[found].header);
	s->key = buf_realloc(s->key, s->key_count + 1, sizeof s->key[0]);
	s->key[s->key_count++] = (size_t)found;
	return 0;
}

void
shape_fini(struct shape *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->columns[i].header);
		free(s->columns[i].name);
	}
	free(s->columns);
	free(s->key);
	*s = (struct shape){0};
}
