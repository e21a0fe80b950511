#include "search/facet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/search.h"

struct facet *
facet_new(struct search_page *page, const size_t *columns, size_t count)
{
	facet_free(page);
	if (count == 0)
		return NULL;
	page->facets = buf_calloc(count, sizeof *page->facets);
	page->facet_count = count;
	for (size_t i = 0; i < count; i++) {
		page->facets[i].column = columns[i];
		page->facets[i].exact = true;
	}
	return page->facets;
}

void
facet_free(struct search_page *page)
{
	for (size_t i = 0; i < page->facet_count; i++)
		for (size_t k = 0; k < page->facets[i].count; k++)
			free(page->facets[i].values[k].value);
	free(page->facets);
	page->facets = NULL;
	page->facet_count = 0;
}

void
facet_add(struct facet *f, const struct shape *shape, const char *value, uint64_t count)
{
	enum type_id type = shape->columns[f->column].type;
	struct buf text = {0};

	if (f->count == FACET_MOST_VALUES)
		return;
	buf_string(&text, "");
	if (type == TYPE_BOOLEAN || type_check(type, value, strlen(value)) == NULL)
		type_canonical(type, &text, value, strlen(value));
	else
		/* What no file holds: infinity, years before 1. */
		buf_string(&text, value);
	f->values[f->count++] = (struct facet_value){buf_detach(&text), count};
}

void
facet_json(struct buf *out, const struct shape *shape, const struct search_page *page)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < page->facet_count; i++) {
		const struct facet *f = &page->facets[i];
		const struct column *column = &shape->columns[f->column];

		buf_string(out, i > 0 ? "," : "");
		type_to_json(TYPE_TEXT, out, column->name, strlen(column->name));
		buf_string(out, ":{\"values\":[");
		for (size_t k = 0; k < f->count; k++) {
			buf_string(out, k > 0 ? ",{\"value\":" : "{\"value\":");
			type_to_json(column->type, out, f->values[k].value, strlen(f->values[k].value));
			buf_printf(out, ",\"count\":%" PRIu64 "}", f->values[k].count);
		}
		buf_printf(out, "],\"other\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"exact\":%s}", f->other, f->missing,
		    f->exact ? "true" : "false");
	}
	buf_byte(out, '}');
}
