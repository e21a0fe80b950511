#ifndef SEARCH_FACET_H
#define SEARCH_FACET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct search_page;
struct shape;

#define FACET_MOST_VALUES 20

/* A value, as type_canonical writes it, and how many of the records that match have it. */
struct facet_value {
	char *value;
	uint64_t count;
};

/* A column's values in all that matches, whatever limit and cursor: the most frequent first, of equals the lower one. */
struct facet {
	size_t column;
	struct facet_value values[FACET_MOST_VALUES];
	size_t count;
	uint64_t other;   /* records with another value than these */
	uint64_t missing; /* records without a value */
	bool exact;       /* else an engine of several shards may have missed some */
};

/* Facets of the page, one for each column, without values. */
struct facet *facet_new(struct search_page *page, const size_t *columns, size_t count);
void facet_free(struct search_page *page);

/* Add a value as PostgreSQL prints it. */
void facet_add(struct facet *f, const struct shape *shape, const char *value, uint64_t count);

/* Append {"column":{"values":[{"value":V,"count":N}],"other":N,"missing":N,"exact":true}}. */
void facet_json(struct buf *out, const struct shape *shape, const struct search_page *page);

#endif
