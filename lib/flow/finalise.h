#ifndef FLOW_FINALISE_H
#define FLOW_FINALISE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct pg;

/*
 * Make a building dataset ready: build its key once the chunks of the job that
 * fills it are all loaded, failed or cancelled (`now`: at once; early is
 * always right, merely slower). Everybody's duty, since of two workers that
 * commit the last two chunks each may see the other's pending. A dataset that
 * is not building is left alone. 1 it is ready, 0 chunks are still to come, -1.
 */
int finalise_dataset(struct pg *pg, int64_t dataset, bool now, struct err *e) __attribute__((warn_unused_result));

/* The same for the dataset of a job, if no chunks are to come. */
int finalise_of_job(struct pg *pg, int64_t job, struct err *e) __attribute__((warn_unused_result));

/* The same for each dataset that a cancelled job was filling, if its cancel has died before. */
int finalise_cancelled(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

#endif
