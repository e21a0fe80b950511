#ifndef SEARCH_SEARCH_DRIVER_H
#define SEARCH_SEARCH_DRIVER_H

#include "search/search.h"

struct buf;

/*
 * What a driver of a search engine provides; all of it is required, but of
 * writing either `bulk`, or with SEARCH_WANTS_VALUES the three behind it. The
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

	int (*exists)(void *self, const struct search_index *index, struct err *e);
	int (*create)(void *self, const struct search_index *index, struct err *e);

	/* All or nothing is not asked for: what a failed call had written stays right: versions only rise. count > 0. */
	int (*bulk)(
	    void *self, const struct search_index *index, const struct search_doc *docs, size_t count, struct err *e);

	/*
	 * A put that fails has not taken its document, but keeps those before, and a settle that fails all that the
	 * engine has not taken: both can be repeated. `refused` is called when nothing else can fail. `discard` forgets
	 * what is under way.
	 */
	int (*put)(void *self, const struct search_index *index, const struct search_doc *doc, struct err *e);
	int (*settle)(void *self, const struct search_index *index, search_refused *refused, void *ctx, struct err *e);
	void (*discard)(void *self);

	int (*refresh)(void *self, const struct search_index *index, struct err *e);
	int (*finish)(void *self, const struct search_index *index, struct err *e);
	int (*count)(void *self, const struct search_index *index, uint64_t *count, struct err *e);
	int (*drop)(void *self, const struct search_index *index, struct err *e);

	/*
	 * `from`: the state where the page before ended (cursor.h), NULL at the beginning; `next`, empty: the state
	 * where this page ends, left alone if there is no more. The wrapper makes cursors of them. A state of ours
	 * that a person has tampered with is 64. *page is all zeros before. After the first hit a failure is final:
	 * the wrapper does not repeat it.
	 */
	int (*query)(void *self, const struct search_index *index, const struct query *query, const struct buf *from,
	    search_each *each, void *ctx, struct search_page *page, struct buf *next, struct err *e);
};

/* The dataset has no index (66), with what to do. Returns -1. */
int search_missing(const struct search_index *index, struct err *e);

const struct search_driver *pgindex_driver(void); /* pg: */
const struct search_driver *es_driver(void);      /* es+http:, es+https: */

#endif
