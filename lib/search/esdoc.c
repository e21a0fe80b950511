#include "search/esdoc.h"

#include <string.h>

#include "base/buf.h"
#include "io/digest.h"
#include "schema/letter.h"
#include "schema/shape.h"
#include "schema/json.h"
#include "search/esvalue.h"
#include "search/search.h"

/* The engine's limit. */
#define ID_BYTES 512

/* Of a value so many characters are searched for words, as by PostgreSQL's driver (pgsql.c). */
#define VALUE_CHARACTERS 32768

/* A word that the keyword's end may have cut in two. */
#define WORD_BYTES 2046

void
esdoc_id(struct buf *json, const struct search_index *index, const struct search_doc *doc)
{
	size_t parts = index->shape->key_count;
	struct buf id = {0};
	unsigned char digest[DIGEST_BYTES];
	char hex[DIGEST_HEX];

	/* One byte before it: an id is not empty, and no key looks like a digest. */
	buf_byte(&id, '=');
	if (parts <= 1)
		buf_string(&id, doc->key[0]);
	else
		for (size_t i = 0; i < parts; i++)
			buf_printf(&id, "%zu:%s", strlen(doc->key[i]), doc->key[i]);
	if (id.length > ID_BYTES) {
		digest_sha256(id.bytes, id.length, digest);
		digest_hex(digest, hex);
		buf_reset(&id);
		buf_printf(&id, "#%s", hex);
	}
	type_to_json(TYPE_TEXT, json, id.bytes, id.length);
	buf_fini(&id);
}

static void
write_text(struct buf *json, const char *text, size_t length)
{
	type_to_json(TYPE_TEXT, json, text, length);
}

/* An object in the document that is only there if it has a member. */
struct group {
	struct buf *json;
	const char *name;
	bool open;
};

static void
write_name(struct group *g, const char *name)
{
	struct buf *json = g->json;

	if (g->open || json->bytes[json->length - 1] != '{')
		buf_byte(json, ',');
	if (!g->open) {
		/* Not by buf_printf: a document has a dozen of these, which were half of all the time. */
		write_text(json, g->name, 1);
		buf_string(json, ":{");
	}
	g->open = true;
	write_text(json, name, strlen(name));
	buf_byte(json, ':');
}

/* Write a column's value if it belongs into the group; false if it is none of its type. */
typedef bool member_fn(struct group *g, const struct column *column, const char *value);

static bool
write_plain_text(struct group *g, const struct column *column, const char *value)
{
	size_t length;

	if (column->type != TYPE_TEXT)
		return true;
	write_name(g, column->name);
	length = strlen(value);
	if (length <= ESVALUE_BYTES) {
		write_text(g->json, value, length);
	} else {
		struct buf form = {0};

		esvalue_write(TYPE_TEXT, &form, value);
		write_text(g->json, form.bytes, form.length);
		buf_fini(&form);
	}
	return true;
}

static bool
write_form(struct group *g, const struct column *column, const char *value, enum esvalue_group group, bool extreme)
{
	struct buf form = {0};
	bool valid;

	if (esvalue_group(column->type) != group)
		return true;
	valid = esvalue_write(column->type, &form, value);
	if (valid && (!extreme || esvalue_extreme(form.bytes))) {
		write_name(g, column->name);
		if (extreme)
			buf_byte(g->json, '1');
		else if (column->type == TYPE_BIGINT)
			/* Its text comes back as it was written, and a number might not. */
			write_text(g->json, form.bytes, form.length);
		else
			esvalue_json(column->type, g->json, form.bytes);
	}
	buf_fini(&form);
	return valid;
}

static bool
write_keyword(struct group *g, const struct column *column, const char *value)
{
	return write_form(g, column, value, ESVALUE_KEYWORD, false);
}

static bool
write_long(struct group *g, const struct column *column, const char *value)
{
	return write_form(g, column, value, ESVALUE_LONG, false);
}

static bool
write_extreme(struct group *g, const struct column *column, const char *value)
{
	/* Nineteen digits, or a time that is no time. */
	if (column->type == TYPE_BIGINT ? strlen(value) < 19 : value[0] != 'i' && value[0] != '-')
		return true;
	return write_form(g, column, value, ESVALUE_LONG, true);
}

static bool
write_value(struct group *g, const struct column *column, const char *value)
{
	if (esvalue_plain(column->type) && (column->type != TYPE_TEXT || strlen(value) <= ESVALUE_BYTES))
		return true;
	write_name(g, column->name);
	write_text(g->json, value, strlen(value));
	return true;
}

/* `name` is one letter. */
static bool
write_group(struct buf *json, const char *name, const struct shape *shape, const char *const *values, member_fn *member)
{
	struct group g = {.json = json, .name = name};

	for (size_t i = 0; i < shape->count; i++)
		if (values[i] != NULL && !member(&g, &shape->columns[i], values[i]))
			return false;
	if (g.open)
		buf_byte(json, '}');
	return true;
}

/* Words behind the keyword's end, from the beginning of the one that is cut. */
static void
write_more(struct buf *json, const struct shape *shape, const char *const *values)
{
	bool any = false;

	for (size_t i = 0; i < shape->count; i++) {
		const char *value = values[i], *end = value, *begin;

		if (shape->columns[i].type != TYPE_TEXT || value == NULL || strlen(value) <= ESVALUE_BYTES)
			continue;
		for (size_t k = 0; k < VALUE_CHARACTERS && letter_next(&end) != 0; k++)
			;
		begin = value + ESVALUE_BYTES;
		for (size_t k = 0; k < WORD_BYTES && begin[-1] != ' '; k++)
			begin--;
		while (((unsigned char)*begin & 0xC0) == 0x80)
			begin++;
		if (begin >= end)
			continue;
		buf_string(json, any ? "," : json->bytes[json->length - 1] == '{' ? "\"more\":[" : ",\"more\":[");
		write_text(json, begin, (size_t)(end - begin));
		any = true;
	}
	if (any)
		buf_byte(json, ']');
}

bool
esdoc_write(struct buf *json, const struct search_index *index, const struct search_doc *doc)
{
	const struct shape *shape = index->shape;

	buf_byte(json, '{');
	if (shape->key_count == 0)
		buf_printf(json, "\"id\":%s", doc->key[0]);
	if (!write_group(json, "s", shape, doc->values, write_plain_text) ||
	    !write_group(json, "k", shape, doc->values, write_keyword) ||
	    !write_group(json, "i", shape, doc->values, write_long) ||
	    !write_group(json, "z", shape, doc->values, write_extreme) ||
	    !write_group(json, "v", shape, doc->values, write_value))
		return false;
	write_more(json, shape, doc->values);
	buf_byte(json, '}');
	return true;
}

/* The column of this name; columns come in order, so it is mostly at or soon behind *next. */
static size_t
column_of(const struct shape *shape, const char *name, size_t *next)
{
	for (size_t k = 0; k < shape->count; k++) {
		size_t i = (*next + k) % shape->count;

		if (strcmp(shape->columns[i].name, name) == 0) {
			*next = i + 1;
			return i;
		}
	}
	return shape->count;
}

bool
esdoc_read(struct json *j, const struct search_index *index, const char **values, const char **id)
{
	const struct shape *shape = index->shape;
	char *group, *name;

	memset(values, 0, shape->count * sizeof *values);
	*id = NULL;
	if (!json_object(j))
		return false;
	while (json_member(j, &group)) {
		size_t next = 0;

		if (strcmp(group, "id") == 0) {
			*id = json_text(j);
			continue;
		}
		/* `v` has the text of what the others have in another form. */
		if (strlen(group) != 1 || strchr("skiv", group[0]) == NULL || !json_object(j)) {
			json_skip(j);
			continue;
		}
		while (json_member(j, &name)) {
			size_t i = column_of(shape, name, &next);
			const char *value = json_text(j);

			/* A column that got its type late, or is gone; and a part of a document may be in any order. */
			if (i < shape->count &&
			    (group[0] == 'v' ||
				(esvalue_prefix(shape->columns[i].type)[0] == group[0] && values[i] == NULL)))
				values[i] = value;
		}
	}
	return !j->bad && (*id != NULL || shape->key_count > 0);
}
