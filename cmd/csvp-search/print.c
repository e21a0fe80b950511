#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/grid.h"
#include "cli/output.h"
#include "schema/shape.h"
#include "search/facet.h"
#include "search/hit.h"

/* A table's widths need its rows: so many are gathered, then printed; the next ones are a table of their own. */
#define TABLE_ROWS 1000
#define GATHERED_BYTES 65536

struct printer {
	enum print_format format;
	const struct shape *shape;
	uint64_t count;
	bool closed;
	struct buf text;
	struct grid *grid;
	size_t grid_rows;
};

int
print_format(const char *name, enum print_format *format, struct err *e)
{
	static const char *const names[] = {
	    [PRINT_TABLE] = "table", [PRINT_NDJSON] = "ndjson", [PRINT_CSV] = "csv", [PRINT_JSON] = "json"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0) {
			*format = (enum print_format)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "no format \"%s\"; hint: --format table, ndjson, csv or json", name);
}

struct printer *
print_new(enum print_format format, const struct shape *shape)
{
	struct printer *p = buf_calloc(1, sizeof *p);

	p->format = format;
	p->shape = shape;
	if (format == PRINT_CSV)
		hit_csv_header(&p->text, shape);
	if (format == PRINT_JSON)
		hit_page_begin(&p->text);
	return p;
}

void
print_free(struct printer *p)
{
	if (p == NULL)
		return;
	grid_free(p->grid);
	buf_fini(&p->text);
	free(p);
}

/* Write what has been gathered. */
static int
write_text(struct printer *p, struct err *e)
{
	int result = output_write(p->text.bytes, p->text.length, &p->closed, e);

	buf_reset(&p->text);
	return result;
}

static void
begin_table(struct printer *p)
{
	const char **headers = buf_calloc(p->shape->count + 1, sizeof *headers);
	bool *right = buf_calloc(p->shape->count + 1, sizeof *right);

	for (size_t i = 0; i < p->shape->count; i++) {
		headers[i] = p->shape->columns[i].name;
		right[i] = type_numeric(p->shape->columns[i].type);
	}
	p->grid = grid_new(headers, right, p->shape->count);
	p->grid_rows = 0;
	free(right);
	free(headers);
}

static void
end_table(struct printer *p)
{
	if (p->grid == NULL)
		return;
	grid_print(p->grid);
	grid_free(p->grid);
	p->grid = NULL;
}

static int
print_row(struct printer *p, const struct search_hit *hit, struct err *e)
{
	const char **cells = buf_calloc(p->shape->count + 1, sizeof *cells);

	if (p->grid == NULL)
		begin_table(p);
	for (size_t i = 0; i < p->shape->count; i++)
		cells[i] = hit_text(p->shape, hit, i);
	grid_row(p->grid, cells);
	free(cells);
	if (++p->grid_rows == TABLE_ROWS)
		end_table(p);
	if (!ferror(stdout))
		return 0;
	/* options_exit() tells whether that is an error. */
	p->closed = true;
	return err_set(e, ERR_IO, "cannot write standard output");
}

int
print_hit(void *ctx, const struct search_hit *hit, struct err *e)
{
	struct printer *p = ctx;
	bool first = p->count++ == 0;

	switch (p->format) {
	case PRINT_TABLE:
		return print_row(p, hit, e);
	case PRINT_CSV:
		hit_csv(&p->text, p->shape, hit);
		break;
	case PRINT_NDJSON:
		hit_json(&p->text, p->shape, hit);
		buf_byte(&p->text, '\n');
		break;
	case PRINT_JSON:
		buf_string(&p->text, first ? "\n" : ",\n");
		hit_json_id(&p->text, p->shape, hit);
		break;
	}
	return p->text.length >= GATHERED_BYTES ? write_text(p, e) : 0;
}

int
print_end(struct printer *p, const struct search_page *page, struct err *e)
{
	end_table(p);
	if (p->format == PRINT_JSON) {
		buf_string(&p->text, p->count > 0 ? "\n" : "");
		hit_page_end(&p->text, p->shape, page, page->next);
	}
	return write_text(p, e);
}

/* One line of it as text; `value` NULL: no value. */
static void
write_value(struct buf *text, enum print_format format, const struct column *c, const char *value, uint64_t count)
{
	const struct search_hit hit = {.values = &value};
	struct column named = *c;
	const struct shape shape = {.columns = &named, .count = 1};

	if (format == PRINT_NDJSON) {
		buf_string(text, "{\"column\":");
		type_to_json(TYPE_TEXT, text, c->name, strlen(c->name));
		buf_string(text, ",\"value\":");
		if (value != NULL)
			type_to_json(c->type, text, value, strlen(value));
		else
			buf_string(text, "null");
		buf_printf(text, ",\"count\":%" PRIu64 "}\n", count);
	} else {
		buf_printf(text, "%s,", c->name);
		hit_csv(text, &shape, &hit);
		text->length--;
		buf_printf(text, ",%" PRIu64 "\n", count);
	}
}

static void
print_value(struct printer *p, const struct column *c, const char *value, uint64_t count)
{
	char number[24];

	snprintf(number, sizeof number, "%" PRIu64, count);
	if (p->format == PRINT_TABLE)
		grid_row(p->grid, (const char *const[]){c->name, value, number});
	else
		write_value(&p->text, p->format, c, value, count);
}

int
print_facets(enum print_format format, const struct shape *shape, const struct search_page *page, struct err *e)
{
	struct printer p = {.format = format, .shape = shape};
	int result;

	if (format == PRINT_TABLE)
		p.grid =
		    grid_new((const char *const[]){"column", "value", "count"}, (const bool[]){false, false, true}, 3);
	if (format == PRINT_CSV)
		buf_string(&p.text, "column,value,count\n");
	for (size_t i = 0; i < page->facet_count; i++) {
		const struct facet *f = &page->facets[i];
		const struct column *c = &shape->columns[f->column];

		for (size_t k = 0; k < f->count; k++)
			print_value(&p, c, f->values[k].value, f->values[k].count);
		if (f->missing > 0)
			print_value(&p, c, NULL, f->missing);
		if (f->other > 0)
			log_notice("%s: %" PRIu64 " more records have other values%s", c->name, f->other,
			    f->exact ? "" : "; the counts are not exact");
	}
	end_table(&p);
	result = write_text(&p, e);
	if (result != 0 && p.closed) {
		*e = (struct err){0};
		result = 0;
	}
	buf_fini(&p.text);
	return result;
}

uint64_t
print_count(const struct printer *p)
{
	return p->count;
}

bool
print_closed(const struct printer *p)
{
	return p->closed;
}
