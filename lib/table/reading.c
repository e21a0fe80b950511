#include "table/reading.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

void
reading_init(struct reading *r)
{
	*r = (struct reading){.dialect = dialect_default()};
}

static void
free_pairs(struct reading_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].header);
		free(pairs[i].value);
	}
	free(pairs);
}

void
reading_fini(struct reading *r)
{
	free(r->encoding);
	for (size_t i = 0; i < r->null_count; i++)
		free(r->nulls[i]);
	free(r->nulls);
	free_pairs(r->nulls_in, r->null_in_count);
	free_pairs(r->types, r->type_count);
	reading_init(r);
}

static void
append_pair(struct reading_pair **pairs, size_t *count, char *header, char *value)
{
	*pairs = buf_realloc(*pairs, *count + 1, sizeof **pairs);
	(*pairs)[(*count)++] = (struct reading_pair){header, value};
}

int
reading_add_pair(struct reading_pair **pairs, size_t *count, const char *option, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return err_set(e, ERR_USAGE, "--%s '%s' is not COL=VALUE", option, text);
	append_pair(pairs, count, buf_strndup(text, (size_t)(equals - text)), buf_strdup(equals + 1));
	return 0;
}

void
reading_add_null(struct reading *r, const char *spelling)
{
	r->nulls = buf_realloc(r->nulls, r->null_count + 1, sizeof *r->nulls);
	r->nulls[r->null_count++] = buf_strdup(spelling);
}

static void
add_byte(cJSON *object, const char *name, char byte)
{
	cJSON_AddNumberToObject(object, name, (unsigned char)byte);
}

static void
add_pairs(cJSON *object, const char *name, const struct reading_pair *pairs, size_t count)
{
	cJSON *list = cJSON_AddArrayToObject(object, name);

	for (size_t i = 0; i < count; i++) {
		cJSON *pair = cJSON_CreateArray();

		cJSON_AddItemToArray(pair, cJSON_CreateString(pairs[i].header));
		cJSON_AddItemToArray(pair, cJSON_CreateString(pairs[i].value));
		cJSON_AddItemToArray(list, pair);
	}
}

void
reading_to_json(const struct reading *r, struct buf *json)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *nulls;
	char *text;

	add_byte(object, "delimiter", r->dialect.delimiter);
	add_byte(object, "quote", r->dialect.quote);
	add_byte(object, "escape", r->dialect.escape);
	add_byte(object, "comment", r->dialect.comment);
	cJSON_AddBoolToObject(object, "header", r->dialect.header);
	cJSON_AddNumberToObject(object, "skip_lines", r->dialect.skip_lines);
	cJSON_AddNumberToObject(object, "max_record", r->dialect.max_record);
	if (r->encoding != NULL)
		cJSON_AddStringToObject(object, "encoding", r->encoding);
	nulls = cJSON_AddArrayToObject(object, "null");
	for (size_t i = 0; i < r->null_count; i++)
		cJSON_AddItemToArray(nulls, cJSON_CreateString(r->nulls[i]));
	add_pairs(object, "null_in", r->nulls_in, r->null_in_count);
	add_pairs(object, "type", r->types, r->type_count);
	cJSON_AddBoolToObject(object, "pad", r->pad);
	cJSON_AddBoolToObject(object, "truncate", r->truncate);
	cJSON_AddBoolToObject(object, "add_columns", r->add_columns);
	cJSON_AddBoolToObject(object, "missing_null", r->missing_null);
	text = cJSON_PrintUnformatted(object);
	buf_string(json, text);
	cJSON_free(text);
	cJSON_Delete(object);
}

static double
number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static bool
truth(const cJSON *object, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void
get_pairs(const cJSON *object, const char *name, struct reading_pair **pairs, size_t *count)
{
	const cJSON *pair;

	cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(object, name))
	{
		const char *header = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
		const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));

		if (header != NULL && value != NULL)
			append_pair(pairs, count, buf_strdup(header), buf_strdup(value));
	}
}

int
reading_from_json(struct reading *r, const char *json, struct err *e)
{
	cJSON *object = cJSON_Parse(json);
	const cJSON *item;
	const char *encoding;

	if (object == NULL)
		return err_set(e, ERR_BUG, "the stored options of a job are no JSON: %.100s", json);
	reading_init(r);
	r->dialect.delimiter = (char)(unsigned char)number(object, "delimiter");
	r->dialect.quote = (char)(unsigned char)number(object, "quote");
	r->dialect.escape = (char)(unsigned char)number(object, "escape");
	r->dialect.comment = (char)(unsigned char)number(object, "comment");
	r->dialect.header = truth(object, "header");
	r->dialect.skip_lines = (uint32_t)number(object, "skip_lines");
	r->dialect.max_record = (uint32_t)number(object, "max_record");
	encoding = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "encoding"));
	if (encoding != NULL)
		r->encoding = buf_strdup(encoding);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(object, "null"))
	{
		if (cJSON_IsString(item))
			reading_add_null(r, item->valuestring);
	}
	get_pairs(object, "null_in", &r->nulls_in, &r->null_in_count);
	get_pairs(object, "type", &r->types, &r->type_count);
	r->pad = truth(object, "pad");
	r->truncate = truth(object, "truncate");
	r->add_columns = truth(object, "add_columns");
	r->missing_null = truth(object, "missing_null");
	cJSON_Delete(object);
	return 0;
}
