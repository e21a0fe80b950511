#ifndef FLOW_REFILL_H
#define FLOW_REFILL_H

struct dataset;
struct err;
struct pg;
struct search;
struct shape;

/*
 * A search index can be lost: its tables dropped by hand, the engine's disk
 * gone, another engine configured. Made anew it would be empty, and searches
 * would find nothing without a word. So the verbs make indexes by this: if one
 * is missing in which something was searchable, the ledger first says that
 * nothing of it is indexed (chunks and edits), and then it is made. A notice
 * tells. Whoever indexes what is loaded then fills it, as it was filled before.
 *
 * The index is there, with all columns: 1 it was lost, 0 it was not, -1.
 * Outside a transaction.
 */
int refill_create(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape,
    struct err *e) __attribute__((warn_unused_result));

#endif
