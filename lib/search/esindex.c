#include "search/esindex.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "schema/shape.h"
#include "search/es.h"
#include "schema/json.h"
#include "search/esvalue.h"
#include "search/eswords.h"
#include "search/search_driver.h"

/* The longest word that PostgreSQL's driver keeps, too. */
#define WORD_CHARACTERS 2046

/* FNV-1a over names and types: has the shape changed since the mapping was written? */
static uint64_t
shape_hash(const struct shape *shape)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < shape->count; i++) {
		for (const char *s = shape->columns[i].name; *s != '\0'; s++)
			h = (h ^ (unsigned char)*s) * 0x100000001b3u;
		h = (h ^ (0x100u + (unsigned)shape->columns[i].type)) * 0x100000001b3u;
	}
	return h;
}

static void
write_text(struct buf *json, const char *text)
{
	type_to_json(TYPE_TEXT, json, text, strlen(text));
}

/* The fields of a group: all columns of its types, each of them mapped by `field`. */
static void
write_group(struct buf *json, const char *name, const struct shape *shape, enum esvalue_group group, const char *field)
{
	const char *separator = "";

	buf_printf(json, ",\"%s\":{\"dynamic\":\"strict\",\"properties\":{", name);
	for (size_t i = 0; i < shape->count; i++) {
		if (esvalue_group(shape->columns[i].type) != group)
			continue;
		buf_string(json, separator);
		write_text(json, shape->columns[i].name);
		buf_printf(json, ":%s", field);
		separator = ",";
	}
	buf_string(json, "}}");
}

/*
 * A document (esdoc.c): columns in groups by what they are to the engine
 * (s, k, i, z: esvalue.h), so that a column that gets its type late is no
 * conflict; `v`, the texts of values that the groups hold in another form;
 * `id`, that of a dataset without a key; `text`, the words of all text columns
 * in their order; `more`, the rest of texts too long for a keyword.
 */
static void
write_properties(struct buf *json, const struct shape *shape)
{
	buf_string(json, "\"properties\":{\"text\":{\"type\":\"text\",\"analyzer\":\"words\",\"norms\":true,"
			 "\"position_increment_gap\":0},"
			 "\"more\":{\"type\":\"keyword\",\"index\":false,\"doc_values\":false,\"copy_to\":\"text\"},"
			 "\"v\":{\"type\":\"object\",\"enabled\":false},\"id\":{\"type\":\"long\"}");
	write_group(json, "s", shape, ESVALUE_TEXT, "{\"type\":\"keyword\",\"copy_to\":\"text\"}");
	write_group(json, "k", shape, ESVALUE_KEYWORD, "{\"type\":\"keyword\"}");
	write_group(json, "i", shape, ESVALUE_LONG, "{\"type\":\"long\"}");
	write_group(json, "z", shape, ESVALUE_LONG, "{\"type\":\"long\"}");
	buf_byte(json, '}');
}

/*
 * No refresh by the clock until esindex_finish: a first fill has its own, a chunk each.
 * gc_deletes: for an hour, not a minute, the engine knows what was deleted at
 * which version, so that a writer held up for so long does not bring it back.
 */
static void
write_index(struct es *es, const struct search_index *index, const char *alias, struct buf *json)
{
	struct buf letters = {0};

	eswords_class(&letters);
	buf_byte(&letters, '+');
	buf_printf(json,
	    "{\"settings\":{\"number_of_shards\":%s,\"auto_expand_replicas\":\"0-1\",\"refresh_interval\":\"-1\","
	    "\"gc_deletes\":\"1h\",\"mapping.total_fields.limit\":%zu,\"analysis\":{\"tokenizer\":{\"words\":{\"type\":"
	    "\"simple_pattern\",\"pattern\":",
	    es->shards != NULL ? es->shards : "1", 1000 + 3 * index->shape->count);
	write_text(json, letters.bytes);
	buf_printf(json,
	    "}},\"filter\":{\"fitting\":{\"type\":\"length\",\"max\":%d}},\"analyzer\":{\"words\":{\"type\":\"custom\","
	    "\"tokenizer\":\"words\",\"filter\":[\"lowercase\",\"fitting\"]}}}},\"aliases\":{\"%s\":{}},"
	    "\"mappings\":{\"dynamic\":\"strict\",\"_meta\":{\"born\":",
	    WORD_CHARACTERS, alias);
	write_text(json, index->born);
	buf_string(json, ",\"table\":");
	write_text(json, index->table);
	buf_string(json, "},");
	write_properties(json, index->shape);
	buf_string(json, "}}");
	buf_fini(&letters);
}

/* Whose index is it? 1 this dataset's, 0 there is none, -1; `names` (may be NULL) gets those of the alias, by commas. */
static int
look(struct es *es, const struct search_index *index, const char *alias, struct buf *names, struct err *e)
{
	char *path = buf_format("/%s/_mapping", alias), *name, *born = NULL;
	int result = es_call(es, "GET", path, NULL, e);
	struct json j;

	free(path);
	if (result != 0 || es->response.status == 404)
		return result;
	if (es->response.status != 200)
		return es_failed(es, &es->response, e);
	if (!es_answer(es, &j, e))
		return -1;
	/* {"csvp-1-1":{"mappings":{"_meta":{"born":"..."}}}} */
	while (json_member(&j, &name)) {
		if (names != NULL)
			buf_printf(names, "%s%s", names->length > 0 ? "," : "", name);
		if (!json_object(&j))
			return es_nonsense(e);
		while (json_member(&j, &name)) {
			if (strcmp(name, "mappings") != 0 || !json_object(&j)) {
				json_skip(&j);
				continue;
			}
			while (json_member(&j, &name)) {
				if (strcmp(name, "_meta") != 0 || !json_object(&j)) {
					json_skip(&j);
					continue;
				}
				while (json_member(&j, &name))
					if (strcmp(name, "born") == 0)
						born = json_text(&j);
					else
						json_skip(&j);
			}
		}
	}
	if (born != NULL && strcmp(born, index->born) == 0)
		return 1;
	return err_set(e, ERR_CONFIG,
	    "index %s of %s belongs to a dataset of another database; hint: CSVP_SEARCH_URL=%s/NAME sets its indexes "
	    "apart, or delete that one",
	    alias, es->base, es->base);
}

#define WITHOUT_ALIAS 2

static char *
name_of(const char *alias)
{
	return buf_format("%s-1", alias);
}

/* As look, or WITHOUT_ALIAS: somebody has taken that away. */
static int
find(struct es *es, const struct search_index *index, const char *alias, struct buf *names, struct err *e)
{
	char *name = name_of(alias);
	int found = look(es, index, alias, names, e);

	if (found == 0) {
		found = look(es, index, name, names, e);
		if (found == 1)
			found = WITHOUT_ALIAS;
	}
	free(name);
	return found;
}

/* As es_failed; what the engine does not take is a matter of its settings, or of an index that somebody has changed. */
static int
refused(const struct es *es, struct err *e)
{
	es_failed(es, &es->response, e);
	if (es->response.status == 400)
		e->code = ERR_CONFIG;
	return -1;
}

/* 1 done, 0 somebody else has just made it, -1. */
static int
make(struct es *es, const struct search_index *index, const char *alias, struct err *e)
{
	char *name = name_of(alias), *path = buf_format("/%s", name);
	struct buf json = {0};
	int result;

	write_index(es, index, alias, &json);
	result = es_call(es, "PUT", path, &json, e) == 0 ? 1 : -1;
	if (result > 0 && es->response.status == 400 &&
	    strstr(es->response.body.bytes, "resource_already_exists_exception") != NULL)
		result = 0;
	else if (result > 0 && es->response.status >= 300)
		result = refused(es, e);
	free(path);
	free(name);
	buf_fini(&json);
	return result;
}

static int
add_alias(struct es *es, const char *alias, struct err *e)
{
	char *name = name_of(alias), *path = buf_format("/%s/_alias/%s", name, alias);
	int result = es_do(es, "PUT", path, NULL, e);

	free(path);
	free(name);
	return result;
}

/* The engine has refused it: of this index, whose real names these are. */
static int
tell_changed(const struct es *es, const char *names, struct err *e)
{
	return err_set(e, ERR_CONFIG,
	    "%s; hint: the index is not as csvp makes it; once it is deleted (curl -X DELETE %s/%s), csvp-admin "
	    "create-index makes it anew",
	    e->message, es->base, names);
}

int
esindex_changed(struct es *es, const struct search_index *index, struct err *e)
{
	char *alias = es_alias(es, index);
	struct buf names = {0};
	struct err unknown;

	if (find(es, index, alias, &names, &unknown) > 0)
		tell_changed(es, names.bytes, e);
	buf_fini(&names);
	free(alias);
	return -1;
}

static int
add_columns(struct es *es, const struct search_index *index, const char *alias, const char *names, struct err *e)
{
	char *path = buf_format("/%s/_mapping", alias);
	struct buf json = {0};
	int result;

	buf_byte(&json, '{');
	write_properties(&json, index->shape);
	buf_byte(&json, '}');
	result = es_call(es, "PUT", path, &json, e);
	if (result == 0 && es->response.status >= 300) {
		result = refused(es, e);
		if (e->code == ERR_CONFIG)
			tell_changed(es, names, e);
	}
	free(path);
	buf_fini(&json);
	return result;
}

/* Make what is missing of the index. */
static int
complete(struct es *es, const struct search_index *index, const char *alias, struct buf *names, struct err *e)
{
	int found = find(es, index, alias, names, e);

	if (found == 0) {
		found = make(es, index, alias, e);
		if (found != 0)
			return found > 0 ? 0 : -1;
		found = find(es, index, alias, names, e);
		if (found == 0)
			return err_set(e, ERR_AGAIN, "index %s is being made", alias);
	}
	if (found < 0 || (found == WITHOUT_ALIAS && add_alias(es, alias, e) != 0))
		return -1;
	return add_columns(es, index, alias, names->bytes, e);
}

int
esindex_exists(void *self, const struct search_index *index, struct err *e)
{
	struct es *es = self;
	char *alias = es_alias(es, index);
	int found = find(es, index, alias, NULL, e);

	free(alias);
	if (found != 1)
		es->created = 0;
	return found == WITHOUT_ALIAS ? 1 : found;
}

int
esindex_create(void *self, const struct search_index *index, struct err *e)
{
	struct es *es = self;
	uint64_t shape = shape_hash(index->shape);
	struct buf names = {0};
	char *alias;
	int result;

	if (es->created == index->dataset && es->shape == shape)
		return 0;
	alias = es_alias(es, index);
	result = complete(es, index, alias, &names, e);
	buf_fini(&names);
	free(alias);
	if (result != 0)
		return -1;
	es->created = index->dataset;
	es->shape = shape;
	return 0;
}

/* POST /ALIAS/VERB: 1 done, 0 there is no index, -1. */
static int
post(struct es *es, const struct search_index *index, const char *method, const char *verb, const char *text,
    struct err *e)
{
	char *alias = es_alias(es, index), *path = buf_format("/%s/%s", alias, verb);
	struct buf body = {0};
	int result;

	buf_string(&body, text != NULL ? text : "");
	result = es_call(es, method, path, text != NULL ? &body : NULL, e);
	buf_fini(&body);
	free(path);
	free(alias);
	if (result != 0)
		return -1;
	if (es->response.status == 404) {
		es->created = 0;
		return 0;
	}
	return es->response.status < 300 ? 1 : es_failed(es, &es->response, e);
}

int
esindex_refresh(void *self, const struct search_index *index, struct err *e)
{
	int result = post(self, index, "POST", "_refresh", NULL, e);

	if (result == 0)
		return search_missing(index, e);
	return result == 1 ? 0 : -1;
}

int
esindex_finish(void *self, const struct search_index *index, struct err *e)
{
	struct es *es = self;
	int result = post(es, index, "PUT", "_settings", "{\"index\":{\"refresh_interval\":null}}", e);

	if (result == 1)
		result = post(es, index, "POST", "_refresh", NULL, e);
	if (result == 0)
		return search_missing(index, e);
	return result == 1 ? 0 : -1;
}

int
esindex_count(void *self, const struct search_index *index, uint64_t *count, struct err *e)
{
	struct es *es = self;
	struct json j;
	char *name, *text = NULL;
	int result = post(es, index, "POST", "_refresh", NULL, e);

	*count = 0;
	if (result == 1)
		result = post(es, index, "GET", "_count", NULL, e);
	if (result != 1)
		return result;
	if (!es_answer(es, &j, e))
		return -1;
	while (json_member(&j, &name))
		if (strcmp(name, "count") == 0)
			text = json_text(&j);
		else
			json_skip(&j);
	return text != NULL && num_uint64(text, count) ? 0 : es_nonsense(e);
}

int
esindex_drop(void *self, const struct search_index *index, struct err *e)
{
	struct es *es = self;
	char *alias = es_alias(es, index), *path;
	struct buf names = {0};
	int found = find(es, index, alias, &names, e);

	free(alias);
	if (found > 0) {
		path = buf_format("/%s?ignore_unavailable=true", names.bytes);
		found = es_do(es, "DELETE", path, NULL, e) == 0 ? 0 : -1;
		free(path);
	} else if (found < 0 && e->code == ERR_CONFIG) {
		/* Not ours: ours is not there. */
		found = 0;
	}
	es->created = 0;
	buf_fini(&names);
	return found;
}
