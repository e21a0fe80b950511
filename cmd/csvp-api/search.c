#include "search.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "call.h"
#include "flow/find.h"
#include "route.h"
#include "schema/shape.h"
#include "search/hit.h"
#include "search/query.h"

/* Records of a page, unless page_size says. */
#define PAGE 20

/* NDJSON and CSV tell the next page in a header, which waits for the page's end; of a larger page it is not told. */
#define LARGEST_TOLD ((size_t)1 << 20)

enum format { JSON, NDJSON, CSV };

/* A page on its way to the client. */
struct printing {
	struct call *call;
	const struct shape *shape;
	enum format format;
	uint64_t count;
	struct buf text;
};

/* 400, naming the parameter. */
static int
wrong(const struct request_parameter *p, struct err *e)
{
	return e->code == ERR_USAGE ? err_prefix(e, "query parameter %s", p->name) : -1;
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && strcmp(name + length - tail, suffix) == 0;
}

/* COL, COL_min, COL_max: what is a column's whole name is that. */
static int
add_column(struct query *q, const struct shape *shape, const struct request_parameter *p, struct err *e)
{
	enum query_operator operator= QUERY_EQUAL;
	char *column = buf_strdup(p->name);
	int result;

	if (shape_find(shape, column) < 0 && (ends_with(column, "_min") || ends_with(column, "_max"))) {
		operator= ends_with(column, "_min") ? QUERY_GREATER_EQUAL : QUERY_LESS_EQUAL;
		column[strlen(column) - strlen("_min")] = '\0';
	}
	if (shape_find(shape, column) < 0)
		result = err_set(e, ERR_USAGE, "it is neither known here nor a column");
	else
		result = query_filter(q, shape, column, operator, p->value, e);
	free(column);
	return result;
}

static bool
is_known(const struct route *route, const char *name)
{
	const struct route_parameter *p = route->parameters;

	while (p->name != NULL && strcmp(p->name, name) != 0)
		p++;
	return p->name != NULL;
}

static int
add_parameter(
    struct query *q, const struct call *c, const struct shape *shape, const struct request_parameter *p, struct err *e)
{
	if (!is_known(c->route, p->name))
		return add_column(q, shape, p, e);
	if (strcmp(p->name, "q") == 0)
		return query_text(q, p->value, e);
	if (strcmp(p->name, "where") == 0)
		return query_where(q, shape, p->value, e);
	if (strcmp(p->name, "sort") == 0)
		return query_sort(q, shape, p->value, e);
	if (strcmp(p->name, "facet") == 0)
		return query_facet(q, shape, p->value, e);
	if (strcmp(p->name, "highlight") == 0)
		return query_highlight(q, strcmp(p->value, "true") == 0 ? NULL : p->value, e);
	return 0;
}

static int
make_query(struct query *q, const struct call *c, const struct shape *shape, struct err *e)
{
	const struct request *r = &c->request;
	const char *cursor = call_parameter(c, "cursor");

	for (size_t i = 0; i < r->parameter_count; i++)
		if (add_parameter(q, c, shape, &r->parameters[i], e) != 0)
			return wrong(&r->parameters[i], e);
	q->limit = (uint64_t)call_number(c, "page_size", PAGE);
	q->total = true;
	q->cursor = cursor != NULL ? buf_strdup(cursor) : NULL;
	return 0;
}

static int
send(struct printing *p, struct err *e)
{
	int result = response_write(&p->call->response, p->text.bytes, p->text.length, e);

	buf_reset(&p->text);
	return result;
}

static int
print_hit(void *ctx, const struct search_hit *hit, struct err *e)
{
	struct printing *p = ctx;
	bool first = p->count++ == 0;

	if (p->format == CSV) {
		hit_csv(&p->text, p->shape, hit);
	} else {
		buf_string(&p->text, p->format == NDJSON || first ? "" : ",");
		hit_json_id(&p->text, p->shape, hit);
		buf_string(&p->text, p->format == NDJSON ? "\n" : "");
	}
	return p->format == JSON || p->text.length > LARGEST_TOLD ? send(p, e) : 0;
}

static int
print_end(struct printing *p, const struct search_page *page, struct err *e)
{
	char *next = page->next != NULL ? call_next(p->call, page->next) : NULL;

	if (p->format == JSON)
		hit_page_end(&p->text, p->shape, page, next);
	else if (next != NULL && !p->call->response.begun)
		response_header(&p->call->response, "Link", "<%s>; rel=\"next\"", next);
	free(next);
	return p->text.length > 0 ? send(p, e) : 0;
}

static int
answer_query(struct call *c, struct find *find, const struct query *q, struct err *e)
{
	struct printing p = {.call = c, .shape = find_shape(find)};
	struct search_page page = {0};
	int result;

	p.format = strncmp(c->type, "text/csv", 8) == 0       ? CSV
		   : strcmp(c->type, "application/json") == 0 ? JSON
							      : NDJSON;
	if (p.format != JSON && q->facet_count > 0)
		return response_problem(&c->response, 400, "query parameter facet goes with application/json");
	if (p.format == CSV)
		hit_csv_header(&p.text, p.shape);
	if (p.format == JSON)
		hit_page_begin(&p.text);
	result = find_run(find, q, print_hit, &p, &page, e);
	if (result == 0)
		result = print_end(&p, &page, e);
	else if (page.expired && !c->response.begun)
		result = response_refuse(&c->response, 410, e);
	search_page_fini(&page);
	buf_fini(&p.text);
	return result;
}

int
api_search(struct call *c, struct err *e)
{
	struct find *find = find_open(c->site, call_segment(c, "dataset"), e);
	struct query q;
	int result = -1;

	query_init(&q);
	if (find != NULL && make_query(&q, c, find_shape(find), e) == 0)
		result = answer_query(c, find, &q, e);
	query_fini(&q);
	find_close(find);
	return result;
}
