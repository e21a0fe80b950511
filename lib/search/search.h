#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct query; /* query.h */
struct search;
struct shape;

/* Drivers read no environment. */
struct search_options {
	const char *url;      /* pg:, or es+http://HOST:9200 (es+https:) for Elasticsearch 8 and OpenSearch 2 */
	const char *conninfo; /* of the database that holds the tables */
};

/* One dataset's index. Its documents are the users' rows, known by the key, or without one by `_id`, a bigint. */
struct search_index {
	int64_t dataset;
	const char *schema; /* the users' table */
	const char *table;
	const struct shape *shape;
	const char *born; /* when the dataset was made: tells its index from that of another database's dataset */
};

/* A document to bring up to date. */
struct search_doc {
	const char *const *key;    /* type_canonical of each key column, in the key's order; or `_id` */
	int64_t version;           /* of the row that the caller has read, or of its deletion */
	bool deleted;              /* the row is gone */
	const char *const *values; /* the row's, as in search_hit; NULL if deleted, or unless SEARCH_WANTS_VALUES */
};

/* A document that the engine refuses for good (an index reject), valid during the call, without values; -1 ends it. */
typedef int search_refused(void *ctx, const struct search_doc *doc, const char *reason, struct err *e);

/* A record found, valid during the call only. */
struct search_hit {
	const char *const *values; /* one per column of the shape, as type_to_json takes it; NULL: no value */
	const char *id;            /* `_id` of a dataset without a key, else NULL */
	int64_t version;
	const char *const *marked; /* NULL without marks; else a column's text with them, NULL: nothing found there */
	char *const *near;         /* of drivers, for the marks: for each term NULL, or the words that it stands for */
};

/* Called for each hit in order; -1 with *e set ends the query. */
typedef int search_each(void *ctx, const struct search_hit *hit, struct err *e);

struct search_page {
	uint64_t total; /* all that match, whatever limit and cursor; 0 unless query->total asks for it */
	bool ranked;    /* ordered by relevance */
	bool expired;   /* after 75: the ranking that the cursor belongs to is gone; begin again */
	char *next;     /* the cursor of the next page; NULL: this was the last one */
	char *mistyped; /* the terms that no document has and that stood for others, apart by blanks; NULL: none */
	struct facet *facets; /* query->facet_count of them (facet.h) */
	size_t facet_count;
};
void search_page_fini(struct search_page *page);

/*
 * A search engine that holds the indexes of many datasets; one thread at a time. A call that meets a passing trouble
 * tries again itself; any call may be repeated. Errors: 75 the trouble stayed; 66 the dataset has no index (writing,
 * search_query); 78 wrong URL; the callbacks' own.
 */
struct search *search_open(const struct search_options *options, struct err *e);
void search_close(struct search *search);

/* What the driver of this URL needs, as bits: to be given the rows' values; else it reads the rows itself. */
enum search_capability { SEARCH_WANTS_VALUES = 1 << 0 };
unsigned search_capabilities(const struct search *search);

/* Is the dataset's index there, all of it? 1, 0, -1. If not, documents may have been lost with it (flow/refill.h). */
int search_exists(struct search *search, const struct search_index *index, struct err *e) MUST_CHECK;

/* Make the dataset's index, or what of it is missing, with all columns it now has; twice is a no-op. */
int search_create(struct search *search, const struct search_index *index, struct err *e) MUST_CHECK;

/* Bring documents up to date. None goes back to an older version: order, repetition, other writers do no harm. */
int search_bulk(struct search *search, const struct search_index *index, const struct search_doc *docs, size_t count,
    search_refused *refused, void *ctx, struct err *e) MUST_CHECK;

/* All documents brought up to date before are searchable when it returns. */
int search_refresh(struct search *search, const struct search_index *index, struct err *e) MUST_CHECK;

/* After a first fill and at the end of each job: build what makes queries fast. Writers wait for it, readers do not. */
int search_finish(struct search *search, const struct search_index *index, struct err *e) MUST_CHECK;

/* Documents in the index; 0 if there is no index. Remove the index and its documents; none is no error. */
int search_count(struct search *search, const struct search_index *index, uint64_t *count, struct err *e) MUST_CHECK;
int search_drop(struct search *search, const struct search_index *index, struct err *e) MUST_CHECK;

/* Run a query in bounded memory; *page is filled when it returns 0. 64: the cursor is damaged or not of this query.
   From cursor to cursor every record that was not changed meanwhile comes exactly once; a page may be short. */
int search_query(struct search *search, const struct search_index *index, const struct query *query, search_each *each,
    void *ctx, struct search_page *page, struct err *e) MUST_CHECK;

#endif
