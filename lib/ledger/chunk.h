#ifndef LEDGER_CHUNK_H
#define LEDGER_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

enum chunk_state { CHUNK_PENDING, CHUNK_LOADED, CHUNK_INDEXED, CHUNK_FAILED };

/* A byte range of a job's object that begins and ends on a record boundary. */
struct chunk {
	int64_t job;
	int64_t number; /* from 0, in file order */
	uint64_t byte, length;
	uint64_t line; /* of its first byte */
	uint64_t records;
	uint64_t changed; /* inserted and updated, once it is loaded */
	enum chunk_state state;
	bool loaded;   /* its records are in the table: what a failed one of these lacks is its index */
	int64_t again; /* how often all its records, changed or not, had to be indexed again; 0: never */
	int64_t first_block, end_block; /* of the table: what its load has added there; equal: nothing */
};

/* Is it to be loaded, or indexed, if a person says so? What failed only workers leave alone. */
bool chunk_to_load(const struct chunk *c);
bool chunk_to_index(const struct chunk *c);

/* What became of a chunk's records; the sum is the chunk's `records`. */
struct books {
	uint64_t inserted, updated, unchanged, superseded, rejected;
};

/* 66 if there is no such chunk. */
int chunk_load(struct pg *pg, int64_t job, int64_t number, struct chunk *c, struct err *e)
    __attribute__((warn_unused_result));

/* All chunks of a job in order; *chunks is freed by the caller. */
int chunk_list(struct pg *pg, int64_t job, struct chunk **chunks, size_t *count, struct err *e)
    __attribute__((warn_unused_result));

/* Write the chunks of a job; inside the split's transaction. */
int chunk_add(struct pg *pg, const struct chunk *chunks, size_t count, struct err *e)
    __attribute__((warn_unused_result));

/*
 * chunk_to_load -> loaded with its books and blocks, as the last writes of the transaction
 * that moved the data: 1 done, 0 it was loaded meanwhile (roll back), -1.
 */
int chunk_set_loaded(struct pg *pg, const struct chunk *c, const struct books *b, int64_t milliseconds, struct err *e)
    __attribute__((warn_unused_result));

/*
 * chunk_to_index -> indexed, with the number of changed records that reached
 * the index: 1 done, 0 its records are to be indexed again (or it was indexed
 * meanwhile), -1.
 */
int chunk_set_indexed(struct pg *pg, const struct chunk *c, uint64_t indexed, struct err *e)
    __attribute__((warn_unused_result));

/*
 * All that the dataset's index had is to be indexed again, be it lost or out
 * of date: the chunks of its table are loaded, and no more; their jobs are not
 * at their end. *count says how many had been indexed.
 */
int chunk_unindex(struct pg *pg, int64_t dataset, uint64_t *count, struct err *e) __attribute__((warn_unused_result));

/* The chunks of a dataset that wait for that, of paused jobs or of the others; *chunks is freed by the caller. */
int chunk_list_again(struct pg *pg, int64_t dataset, bool paused, struct chunk **chunks, size_t *count, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Move records that were found superseded after their chunks were loaded from
 * inserted to superseded: their offsets in the job's object are the column
 * `byte` of the temporary table pg_temp.superseded.
 */
int chunk_supersede(struct pg *pg, int64_t job, struct err *e) __attribute__((warn_unused_result));

#endif
