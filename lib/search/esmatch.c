#include "search/esmatch.h"

#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/esvalue.h"
#include "search/eswords.h"
#include "search/query.h"
#include "search/search.h"

/* So many endings of a phrase's last word are looked for, in their order; of a single word all are. */
#define PHRASE_ENDINGS "1000"

static void
write_text(struct buf *json, const char *text)
{
	type_to_json(TYPE_TEXT, json, text, strlen(text));
}

void
esmatch_field(struct buf *json, const struct search_index *index, size_t column)
{
	const struct column *c = &index->shape->columns[column];
	struct buf field = {0};

	buf_printf(&field, "%s.%s", esvalue_prefix(c->type), c->name);
	write_text(json, field.bytes);
	buf_fini(&field);
}

/* The engine takes the words out of the text by the rule that it took them out of the documents by. */
static void
write_term(struct buf *json, const struct query_term *term, const char *near)
{
	size_t words = eswords_count(term->text);

	/* All words near to a mistyped one are as good as it: which of them is rare says nothing of what was meant. */
	if (near != NULL) {
		buf_string(json, "{\"constant_score\":{\"filter\":{\"match\":{\"text\":");
		write_text(json, near);
		buf_byte(json, '}');
	} else if (term->kind == QUERY_PREFIX && words == 1) {
		buf_string(json, "{\"match_bool_prefix\":{\"text\":{\"query\":");
		write_text(json, term->text);
	} else if (term->kind == QUERY_PREFIX) {
		buf_string(
		    json, "{\"match_phrase_prefix\":{\"text\":{\"max_expansions\":" PHRASE_ENDINGS ",\"query\":");
		write_text(json, term->text);
	} else {
		buf_string(json, "{\"match_phrase\":{\"text\":{\"query\":");
		write_text(json, term->text);
	}
	buf_string(json, "}}}");
}

static void
write_exists(struct buf *json, const struct search_index *index, size_t column)
{
	buf_string(json, "{\"exists\":{\"field\":");
	esmatch_field(json, index, column);
	buf_string(json, "}}");
}

static void
write_value(struct buf *json, const struct search_index *index, const struct query_filter *filter)
{
	enum type_id type = index->shape->columns[filter->column].type;
	struct buf form = {0};

	/* It is valid for the type: query.h. */
	buf_string(&form, "");
	esvalue_write(type, &form, filter->value);
	esvalue_json(type, json, form.bytes);
	buf_fini(&form);
}

static void
write_term_filter(struct buf *json, const struct search_index *index, const struct query_filter *filter)
{
	buf_string(json, "{\"term\":{");
	esmatch_field(json, index, filter->column);
	buf_string(json, ":{\"value\":");
	write_value(json, index, filter);
	buf_string(json, "}}}");
}

static void
write_filter(struct buf *json, const struct search_index *index, const struct query_filter *filter)
{
	static const char *const ranges[] = {
	    [QUERY_LESS] = "lt", [QUERY_LESS_EQUAL] = "lte", [QUERY_GREATER] = "gt", [QUERY_GREATER_EQUAL] = "gte"};

	switch (filter->operator) {
	case QUERY_NULL:
		buf_string(json, "{\"bool\":{\"must_not\":");
		write_exists(json, index, filter->column);
		buf_string(json, "}}");
		break;
	case QUERY_EQUAL:
		write_term_filter(json, index, filter);
		break;
	case QUERY_NOT_EQUAL:
		buf_string(json, "{\"bool\":{\"filter\":");
		write_exists(json, index, filter->column);
		buf_string(json, ",\"must_not\":");
		write_term_filter(json, index, filter);
		buf_string(json, "}}");
		break;
	default:
		buf_string(json, "{\"range\":{");
		esmatch_field(json, index, filter->column);
		buf_printf(json, ":{\"%s\":", ranges[filter->operator]);
		write_value(json, index, filter);
		buf_string(json, "}}}");
	}
}

void
esmatch_write(struct buf *json, const struct search_index *index, const struct query *query, char *const *near)
{
	const char *separator = "";
	size_t worded = 0;

	buf_string(json, "{\"bool\":{\"must\":[");
	for (size_t i = 0; i < query->term_count; i++) {
		if (eswords_count(query->terms[i].text) == 0)
			continue;
		buf_string(json, separator);
		write_term(json, &query->terms[i], near[i]);
		separator = ",";
		worded++;
	}
	if (query->term_count == 0)
		buf_string(json, "{\"match_all\":{}}");
	else if (worded == 0)
		buf_string(json, "{\"match_none\":{}}");
	buf_string(json, "],\"filter\":[");
	separator = "";
	for (size_t i = 0; i < query->filter_count; i++) {
		buf_string(json, separator);
		write_filter(json, index, &query->filters[i]);
		separator = ",";
	}
	buf_string(json, "]}}");
}
