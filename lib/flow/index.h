#ifndef FLOW_INDEX_H
#define FLOW_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct desk;
struct err;
struct search;

/*
 * Bring the search index up to date with one loaded chunk: by the chunk's own
 * keys, read again from the object. 0 its records are searchable (or were), 1
 * its dataset is still building: later. Errors: 75 the chunk is not loaded;
 * `last`: nobody else is going to load the chunks the dataset waits for (75).
 * `whole`: with the end of the job whatever else the dataset's index has lost
 * (refill.h) is indexed, too; workers leave it to each other.
 */
int index_chunk(struct desk *desk, struct search *search, int64_t job, int64_t number, bool last, bool whole,
    struct err *e) __attribute__((warn_unused_result));

/* The same for a job without chunks: the dataset has an index. */
int index_empty_job(struct desk *desk, struct search *search, int64_t job, bool last, bool whole, struct err *e)
    __attribute__((warn_unused_result));

/* Make the index of every dataset that has a table, if it is missing, and fill it if it was lost. */
int index_create_all(struct desk *desk, struct search *search, struct err *e) __attribute__((warn_unused_result));

#endif
