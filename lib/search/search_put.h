#ifndef SEARCH_SEARCH_PUT_H
#define SEARCH_SEARCH_PUT_H

#include "search/search.h"

/*
 * search_bulk for engines with SEARCH_WANTS_VALUES, document by document: the
 * engine is at work while the next ones are read and written, in about 25 MB
 * of memory. search_settle waits until it has taken all that was put, for one
 * index; until then nothing else is asked of this handle. When either fails,
 * what became of those since the last search_settle is open, and they are
 * forgotten, as by search_discard.
 */
int search_put(
    struct search *search, const struct search_index *index, const struct search_doc *doc, struct err *e) MUST_CHECK;
int search_settle(struct search *search, const struct search_index *index, search_refused *refused, void *ctx,
    struct err *e) MUST_CHECK;
void search_discard(struct search *search);

#endif
