#ifndef FLOW_LOAD_H
#define FLOW_LOAD_H

#include <stdint.h>

struct desk;
struct err;

/*
 * Load one chunk, once: under its lock and in one transaction with its books
 * and rejects (DESIGN 6, 8). A chunk that is loaded already is left as it is;
 * one that somebody works on is waited for. Builds the dataset's key when the
 * last chunk is in. Errors: 75 not split, paused, connection lost; 65 the job
 * is cancelled or older than the dataset's seal, or over its limit under
 * --fail-fast; 66 no such chunk.
 */
int load_chunk(struct desk *desk, int64_t job, int64_t number, struct err *e) __attribute__((warn_unused_result));

/* What is left to do for a job without chunks: its dataset is made ready. */
int load_empty_job(struct desk *desk, int64_t job, struct err *e) __attribute__((warn_unused_result));

#endif
