#ifndef LEDGER_INDEX_GENERATION_H
#define LEDGER_INDEX_GENERATION_H

#include <stdint.h>

struct err;
struct pg;

/*
 * The generation of a dataset's search index. Answers are cached under it, and
 * never looked up under an older one, so a stale answer cannot be found if
 *
 *	who changes what a search finds makes the change searchable, then raises
 *	the generation, and only then says that it is done; and
 *	who answers from a cache, or keeps an answer, reads the generation before
 *	it asks the engine, each time anew.
 *
 * Then an answer is at least as new as its generation: one that was asked for
 * before the change is kept under the old one at most. Who dies between change
 * and raise has not said that it is done, and whoever does its work again
 * raises. It is raised whether a cache is configured or not: other hosts may
 * have one. A generation is a uuid, not a number, so that it is never met
 * again: not after a backup is restored, nor in another database that shares
 * the cache.
 */
struct index_generation {
	char text[37];
};

/*
 * Inside a transaction it is the last statement: it waits for other raises of
 * this dataset, and counts when the transaction commits.
 */
int index_generation_raise(struct pg *pg, int64_t dataset, struct err *e) __attribute__((warn_unused_result));

/* 1 read; 0 there is none, because nothing was made searchable yet; -1. */
int index_generation_read(struct pg *pg, int64_t dataset, struct index_generation *out, struct err *e)
    __attribute__((warn_unused_result));

/* The index is not there: 1 if something had been made searchable in it, which is then forgotten; 0 nothing was; -1. */
int index_generation_forget(struct pg *pg, int64_t dataset, struct err *e) __attribute__((warn_unused_result));

#endif
