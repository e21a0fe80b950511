#ifndef FLOW_SPLIT_H
#define FLOW_SPLIT_H

#include <stdint.h>

struct err;
struct pg;
struct progress;
struct store;

#define SPLIT_CHUNK_BYTES (8u << 20)
#define SPLIT_MAX_CHUNK_BYTES (16u << 20)

/*
 * Find the chunks of a job, and on first sight of its dataset the columns:
 * one pass over the object and one transaction. Splits the dataset's lower
 * unsplit jobs first, so that the lowest live job defines the columns. A job
 * that is split already is left as it is. Errors: 65 no CSV, columns that do
 * not fit (kept as the job's error); 66 no such job; 75 uploading or paused.
 */
int split_job(struct pg *pg, struct store *store, int64_t job, uint64_t chunk_bytes, struct progress *progress,
    struct err *e) __attribute__((warn_unused_result));

#endif
