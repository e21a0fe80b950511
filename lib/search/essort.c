#include "search/essort.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/esmatch.h"
#include "search/esvalue.h"
#include "search/query.h"
#include "search/search.h"

size_t
essort_keys(const struct search_index *index)
{
	return index->shape->key_count > 0 ? index->shape->key_count : 1;
}

enum type_id
essort_key_type(const struct search_index *index, size_t part)
{
	const struct shape *shape = index->shape;

	return shape->key_count > 0 ? shape->columns[shape->key[part]].type : TYPE_BIGINT;
}

static void
write_key_field(struct buf *json, const struct search_index *index, size_t part)
{
	if (index->shape->key_count == 0)
		buf_string(json, "\"id\"");
	else
		esmatch_field(json, index, index->shape->key[part]);
}

struct sorting {
	const struct search_index *index;
	const struct query *query;
	enum essort_order order;
};

static bool
sorts_by_long(const struct sorting *r)
{
	return r->order == ESSORT_COLUMN &&
	       esvalue_group(r->index->shape->columns[r->query->sort].type) == ESVALUE_LONG;
}

/* The column's field, then for a long whether it is one of those that look like no value (esvalue.h), then the key. */
void
essort_write(struct buf *json, const struct search_index *index, const struct query *query, enum essort_order order)
{
	const struct sorting sorting = {index, query, order}, *r = &sorting;

	buf_string(json, ",\"sort\":[");
	if (r->order == ESSORT_SCORE)
		buf_string(json, "{\"_score\":\"desc\"},");
	if (r->order == ESSORT_COLUMN) {
		const struct column *column = &r->index->shape->columns[r->query->sort];
		const char *type = sorts_by_long(r) ? "long" : "keyword";

		buf_byte(json, '{');
		esmatch_field(json, r->index, (size_t)r->query->sort);
		buf_printf(json, ":{\"order\":\"%s\",\"missing\":\"_last\",\"unmapped_type\":\"%s\"}},",
		    r->query->descending ? "desc" : "asc", type);
		if (sorts_by_long(r)) {
			struct buf field = {0};

			buf_printf(&field, "z.%s", column->name);
			buf_byte(json, '{');
			type_to_json(TYPE_TEXT, json, field.bytes, field.length);
			buf_string(json, ":{\"missing\":\"_last\",\"unmapped_type\":\"long\"}},");
			buf_fini(&field);
		}
	}
	for (size_t i = 0; i < essort_keys(index); i++) {
		buf_string(json, i > 0 ? ",{" : "{");
		write_key_field(json, index, i);
		buf_string(json, ":\"asc\"}");
	}
	buf_byte(json, ']');
}

/* To the sort no long is the highest one, or descending the lowest. */
static void
write_last_sort(struct buf *json, const struct sorting *r, const char *value)
{
	enum type_id type = r->index->shape->columns[r->query->sort].type;

	if (value != NULL)
		esvalue_json(type, json, value);
	else if (!sorts_by_long(r))
		buf_string(json, "null");
	else
		buf_printf(json, "%" PRId64, r->query->descending ? INT64_MIN : INT64_MAX);
	if (sorts_by_long(r))
		buf_printf(json, ",%" PRId64, value != NULL && esvalue_extreme(value) ? INT64_C(1) : INT64_MAX);
	buf_byte(json, ',');
}

void
essort_after(struct buf *json, const struct search_index *index, const struct query *query, enum essort_order order,
    const struct buf *last)
{
	const struct sorting sorting = {index, query, order}, *r = &sorting;
	const char *value;
	size_t at = 0;

	buf_string(json, ",\"search_after\":[");
	cursor_take(last, &at, &value);
	if (r->order == ESSORT_SCORE)
		buf_printf(json, "%s,", value);
	else if (r->order == ESSORT_COLUMN)
		write_last_sort(json, r, value);
	for (size_t i = 0; i < essort_keys(index); i++) {
		buf_string(json, i > 0 ? "," : "");
		cursor_take(last, &at, &value);
		esvalue_json(essort_key_type(index, i), json, value);
	}
	buf_byte(json, ']');
}
