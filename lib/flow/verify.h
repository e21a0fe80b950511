#ifndef FLOW_VERIFY_H
#define FLOW_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct progress;
struct site;

/* What was compared, and how much of it disagrees. */
struct verify_result {
	uint64_t jobs, chunks, records; /* read again from the objects */
	uint64_t rows;                  /* in the table */
	uint64_t documents;             /* in the index */
	uint64_t changes;               /* edits on their way to the index */
	uint64_t findings;
	bool broken; /* the table was altered or dropped, as a finding says: the numbers are not known */
};

/* Called for each disagreement: one line for the user. */
typedef void verify_finding(void *ctx, const char *text);

/*
 * Prove a dataset from the stores, not from counters: every record of every
 * loaded chunk is read again from its object and looked up in the table; every
 * row must come from exactly one record or edit; the books of every chunk must
 * close; the index must hold a document a row, but for those that it refuses.
 * In one snapshot, so loads may go on. 66 no such dataset; 75 it is still
 * building.
 */
int verify_dataset(const struct site *site, const char *name, struct progress *progress, verify_finding *finding,
    void *ctx, struct verify_result *result, struct err *e) __attribute__((warn_unused_result));

#endif
