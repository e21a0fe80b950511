#ifndef FLOW_DOCUMENTS_H
#define FLOW_DOCUMENTS_H

#include "search/search.h"

struct dataset;
struct pg;
struct shape;

/* The index of a dataset, as search.h wants it; valid as long as both. */
struct search_index documents_index(const struct dataset *d, const struct shape *shape);

/*
 * Bring documents of a dataset up to date: to engines that want the values,
 * with those that the rows have now, and their versions; a key without a row
 * is sent only if it is said to be deleted. What was read more than a minute
 * ago is read again before it is sent, since an engine remembers a deletion
 * for some time only. Outside a transaction, trouble of the engine (75) is
 * borne for some minutes. They need not be searchable before search_refresh.
 *
 * A document that the engine refuses for good is taken from the index, and its
 * row is an index reject (ledger/index_reject.h) until it is sent again and
 * taken; *refused says how many there were.
 */
int documents_send(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape,
    const struct search_doc *docs, size_t count, uint64_t *refused, struct err *e) MUST_CHECK;

#endif
