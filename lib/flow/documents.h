#ifndef FLOW_DOCUMENTS_H
#define FLOW_DOCUMENTS_H

#include "search/search.h"

struct dataset;
struct pg;
struct rows_part;
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

/* Versions of rows, freed by the caller. */
struct documents_seen {
	int64_t *versions;
	size_t count, capacity;
};

/*
 * The same for the rows found in a part of the table, of an engine that wants
 * the values; outside a transaction. What is seen is in the engine or an index
 * reject; the rest, be it all, is for documents_send: trouble of the engine is
 * no error here.
 */
int documents_send_part(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape,
    const struct rows_part *part, struct documents_seen *seen, uint64_t *refused, struct err *e) MUST_CHECK;

#endif
