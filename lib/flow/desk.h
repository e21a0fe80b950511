#ifndef FLOW_DESK_H
#define FLOW_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/chunk.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "ledger/reject.h"
#include "ledger/throttle.h"
#include "schema/shape.h"
#include "table/batch.h"
#include "table/merge.h"
#include "table/reading.h"
#include "table/target.h"

struct encoder;
struct pg;
struct progress;
struct site;
struct store;

/*
 * What one thread that works on chunks has before it: its session, its store,
 * the job it last worked on with all that is needed to encode that job's
 * records, and buffers that are used again. Load, index and verify sit here.
 */
struct desk {
	struct pg *pg;
	struct store *store;
	struct job job; /* id 0: none yet */
	struct dataset dataset;
	struct shape shape;
	struct reading reading;
	struct encoder *encoder;
	struct target target;
	struct batch batch;
	enum merge_guess guess; /* from the job's last chunk that was loaded here */
	struct reject_list rejects;
	struct progress *progress; /* may be NULL */
};

int desk_open(struct desk *d, const struct site *site, struct err *e) __attribute__((warn_unused_result));
void desk_close(struct desk *d);

/*
 * Put a job on the desk; it is read again each time (cancelled? paused?), the
 * columns only when they have changed. Errors: 66 no such job; 65 cancelled or
 * failed at the split; 75 paused or not split yet.
 */
int desk_take(struct desk *d, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* The same to index what is loaded, which stays when a job is cancelled. */
int desk_take_loaded(struct desk *d, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* The same to read its records, also while it is paused. */
int desk_take_to_read(struct desk *d, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* The same for a job that was split, whatever became of it: to read its records again. */
int desk_take_any(struct desk *d, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* A dataset without a job: its columns and table. */
int desk_take_dataset(struct desk *d, int64_t dataset, struct err *e) __attribute__((warn_unused_result));

/*
 * Wait until the throttle of a resource lets the records of this chunk
 * through, if they still are to be loaded, or indexed; no lock is to be held.
 * Ends early when somebody else has done it, and with an error when the job is
 * cancelled or paused.
 */
int desk_admit(struct desk *d, enum throttle_resource resource, int64_t job, int64_t number, struct err *e)
    __attribute__((warn_unused_result));

/* Called for each good record of a chunk, when wanted. */
struct record;
typedef int desk_each(void *ctx, const struct record *r, int64_t version, struct err *e);

/*
 * Read a chunk of the job on the desk and encode its records into batch and
 * rejects, both emptied before. `each` (may be NULL) sees every good record.
 */
int desk_read_chunk(struct desk *d, const struct chunk *c, desk_each *each, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

#endif
