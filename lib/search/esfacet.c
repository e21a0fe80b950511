#include "search/esfacet.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "schema/json.h"
#include "schema/shape.h"
#include "search/esdoc.h"
#include "search/esmatch.h"
#include "search/esvalue.h"
#include "search/facet.h"
#include "search/query.h"
#include "search/search.h"

/* Values that each shard tells; with one shard nothing is missed. */
#define SHARD_VALUES 1000

/* A value stands in the index in a form of its own (esvalue.h): its text is that of a document that has it. */
static void
write_values(struct buf *json, const struct search_index *index, size_t number, size_t column)
{
	const struct column *c = &index->shape->columns[column];
	struct buf name = {0};

	buf_printf(json, "\"v%zu\":{\"terms\":{\"size\":%d,\"shard_size\":%d,\"field\":", number, FACET_MOST_VALUES,
	    SHARD_VALUES);
	esmatch_field(json, index, column);
	buf_string(json, "},\"aggs\":{\"one\":{\"top_hits\":{\"size\":1,\"_source\":[\"id\",");
	esmatch_field(json, index, column);
	buf_printf(&name, "v.%s", c->name);
	buf_byte(json, ',');
	type_to_json(TYPE_TEXT, json, name.bytes, name.length);
	buf_printf(json, "]}}}},\"m%zu\":{\"missing\":{\"field\":", number);
	esmatch_field(json, index, column);
	buf_string(json, "}}");
	buf_fini(&name);
}

void
esfacet_write(struct buf *json, const struct search_index *index, const struct query *query)
{
	for (size_t i = 0; i < query->facet_count; i++) {
		buf_string(json, i > 0 ? "," : ",\"aggs\":{");
		write_values(json, index, i, query->facets[i]);
	}
	if (query->facet_count > 0)
		buf_byte(json, '}');
}

/* {"hits":{"hits":[{"_source":{...}}]}}: the column's value in it. */
static bool
read_one(struct json *j, const struct search_index *index, const char **values, size_t column, const char **value)
{
	const char *id;
	char *name;

	*value = NULL;
	if (!json_object(j))
		return false;
	while (json_member(j, &name)) {
		if (strcmp(name, "hits") != 0 || !json_object(j)) {
			json_skip(j);
			continue;
		}
		while (json_member(j, &name)) {
			if (strcmp(name, "hits") != 0 || !json_array(j)) {
				json_skip(j);
				continue;
			}
			while (json_element(j) && json_object(j))
				while (json_member(j, &name))
					if (strcmp(name, "_source") != 0)
						json_skip(j);
					else if (esdoc_read(j, index, values, &id))
						*value = values[column];
		}
	}
	return !j->bad && *value != NULL;
}

/* {"key":..,"doc_count":5,"one":{...}} */
static bool
read_bucket(struct json *j, const struct search_index *index, const char **values, struct facet *f)
{
	const char *value = NULL, *count = NULL;
	uint64_t number;
	char *name;

	if (!json_object(j))
		return false;
	while (json_member(j, &name))
		if (strcmp(name, "doc_count") == 0)
			count = json_text(j);
		else if (strcmp(name, "one") != 0)
			json_skip(j);
		else if (!read_one(j, index, values, f->column, &value))
			return false;
	if (j->bad || value == NULL || count == NULL || !num_uint64(count, &number))
		return false;
	facet_add(f, index->shape, value, number);
	return true;
}

static bool
read_number(struct json *j, uint64_t *number)
{
	const char *text = json_text(j);

	return text != NULL && num_uint64(text, number);
}

/* {"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[...]}, or of what is missing {"doc_count":5} */
static bool
read_facet(struct json *j, const struct search_index *index, const char **values, struct facet *f)
{
	uint64_t bound = 0;
	char *name;

	if (!json_object(j))
		return false;
	while (json_member(j, &name)) {
		bool good = true;

		if (strcmp(name, "doc_count_error_upper_bound") == 0)
			good = read_number(j, &bound);
		else if (strcmp(name, "sum_other_doc_count") == 0)
			good = read_number(j, &f->other);
		else if (strcmp(name, "doc_count") == 0)
			good = read_number(j, &f->missing);
		else if (strcmp(name, "buckets") != 0 || !json_array(j))
			json_skip(j);
		else
			while (good && json_element(j))
				good = read_bucket(j, index, values, f);
		if (!good)
			return false;
	}
	f->exact &= bound == 0;
	return !j->bad;
}

bool
esfacet_read(struct json *j, const struct search_index *index, const struct query *query, struct search_page *page)
{
	struct facet *facets = facet_new(page, query->facets, query->facet_count);
	const char **values = buf_calloc(index->shape->count + 1, sizeof *values);
	bool good = json_object(j);
	uint64_t number;
	char *name;

	while (good && json_member(j, &name))
		if (!num_uint64(name + 1, &number) || number >= query->facet_count)
			json_skip(j);
		else
			good = read_facet(j, index, values, &facets[number]);
	free(values);
	return good && !j->bad;
}
