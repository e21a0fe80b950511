#ifndef SEARCH_SEARCH_DRIVER_H
#define SEARCH_SEARCH_DRIVER_H

#include "search/search.h"

/*
 * What a driver of a search engine provides; all of it is required. The
 * wrapper (search.c) has checked the arguments, and repeats a call that failed
 * with 75: so each call begins afresh, and reconnects by itself if the last
 * one lost its connection. `self` is what open returned.
 */
struct search_driver {
	const char *scheme; /* URLs that begin with it are this driver's */
	unsigned capabilities;

	/* May put off connecting to the first call. */
	void *(*open)(const struct search_options *options, struct err *e);
	void (*close)(void *self);

	int (*create)(void *self, const struct search_index *index, struct err *e);

	/*
	 * All or nothing is not asked for: what a failed call had written stays right, because versions only rise.
	 * `refused` is called at the end, when nothing else can fail: else a repeated call would report a document
	 * twice. count > 0.
	 */
	int (*bulk)(void *self, const struct search_index *index, const struct search_doc *docs, size_t count,
	    search_refused *refused, void *ctx, struct err *e);

	int (*finish)(void *self, const struct search_index *index, struct err *e);
	int (*count)(void *self, const struct search_index *index, uint64_t *count, struct err *e);
	int (*drop)(void *self, const struct search_index *index, struct err *e);

	/* *page is all zeros before. After the first hit a failure is final: the wrapper does not repeat it. */
	int (*query)(void *self, const struct search_index *index, const struct query *query, search_each *each,
	    void *ctx, struct search_page *page, struct err *e);
};

const struct search_driver *pgindex_driver(void); /* pg: */

#endif
