#include "search/essort.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/esmatch.h"
#include "search/esvalue.h"
#include "search/query.h"
#include "search/search.h"

static void
write_key_field(struct buf *json, const struct search_index *index, size_t part)
{
	if (index->shape->key_count == 0)
		buf_string(json, "\"id\"");
	else
		esmatch_field(json, index, index->shape->key[part]);
}

static bool
is_long(const struct column *column)
{
	return esvalue_group(column->type) == ESVALUE_LONG;
}

/* The column's field, then for a long whether it is one of those that look like no value (esvalue.h). */
static void
write_column(struct buf *json, const struct search_index *index, const struct query *query)
{
	const struct column *column = &index->shape->columns[query->sort];
	struct buf field = {0};

	buf_byte(json, '{');
	esmatch_field(json, index, (size_t)query->sort);
	buf_printf(json, ":{\"order\":\"%s\",\"missing\":\"_last\",\"unmapped_type\":\"%s\"}},",
	    query->descending ? "desc" : "asc", is_long(column) ? "long" : "keyword");
	if (!is_long(column))
		return;
	buf_printf(&field, "z.%s", column->name);
	buf_byte(json, '{');
	type_to_json(TYPE_TEXT, json, field.bytes, field.length);
	buf_string(json, ":{\"missing\":\"_last\",\"unmapped_type\":\"long\"}},");
	buf_fini(&field);
}

void
essort_write(struct buf *json, const struct search_index *index, const struct query *query, enum essort_order order)
{
	buf_string(json, ",\"sort\":[");
	if (order == ESSORT_SCORE)
		buf_string(json, "{\"_score\":\"desc\"},");
	if (order == ESSORT_COLUMN)
		write_column(json, index, query);
	for (size_t i = 0; i < shape_key_parts(index->shape); i++) {
		buf_string(json, i > 0 ? ",{" : "{");
		write_key_field(json, index, i);
		buf_string(json, ":\"asc\"}");
	}
	buf_byte(json, ']');
}

/* As write_column. To the sort no long is the highest one, or descending the lowest. */
static void
write_column_after(struct buf *json, const struct search_index *index, const struct query *query, const char *value)
{
	const struct column *column = &index->shape->columns[query->sort];

	if (value != NULL)
		esvalue_json(column->type, json, value);
	else if (!is_long(column))
		buf_string(json, "null");
	else
		buf_printf(json, "%" PRId64, query->descending ? INT64_MIN : INT64_MAX);
	if (is_long(column))
		buf_printf(json, ",%" PRId64, value != NULL && esvalue_extreme(value) ? INT64_C(1) : INT64_MAX);
	buf_byte(json, ',');
}

void
essort_after(struct buf *json, const struct search_index *index, const struct query *query, enum essort_order order,
    const struct buf *last)
{
	const char *value;
	size_t at = 0;

	buf_string(json, ",\"search_after\":[");
	cursor_take(last, &at, &value);
	if (order == ESSORT_SCORE)
		buf_printf(json, "%s,", value);
	else if (order == ESSORT_COLUMN)
		write_column_after(json, index, query, value);
	for (size_t i = 0; i < shape_key_parts(index->shape); i++) {
		buf_string(json, i > 0 ? "," : "");
		cursor_take(last, &at, &value);
		esvalue_json(shape_key_type(index->shape, i), json, value);
	}
	buf_byte(json, ']');
}
