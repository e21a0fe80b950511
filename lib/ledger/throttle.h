#ifndef LEDGER_THROTTLE_H
#define LEDGER_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct rate;

/*
 * One token bucket per resource, shared by all workers on all hosts: a row in
 * csvp.throttle, which says up to which moment of the database's clock
 * everything has been given out. A worker reserves slices of about 100 ms, one
 * after the other, and waits for the moment of each; so the workers take turns,
 * whatever the size of their chunks. Half a second's worth is saved up at most.
 */
enum throttle_resource { THROTTLE_LOAD, THROTTLE_INDEX };
#define THROTTLE_COUNT 2

/* "load", "index"; and back: false if it is none of them. */
const char *throttle_name(enum throttle_resource resource);
bool throttle_find(const char *name, enum throttle_resource *resource);

/* The first value (CSVP_LOAD_RATE, CSVP_INDEX_RATE; NULL: none): has no effect once there is one. 78 if it is no rate. */
int throttle_init(struct pg *pg, enum throttle_resource resource, const char *rate, struct err *e)
    __attribute__((warn_unused_result));

/* A change is noticed by workers that wait, and by those that know of no limit, within half a second. */
int throttle_set(struct pg *pg, enum throttle_resource resource, const struct rate *rate, struct err *e)
    __attribute__((warn_unused_result));
int throttle_get(struct pg *pg, enum throttle_resource resource, struct rate *rate, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Wait until so many records of so many bytes may be worked on. Not in a
 * transaction, nor under a lock that others wait for (70). `tick` (may be NULL)
 * is called about twice a second while it waits, to see that the job is
 * cancelled (-1: the wait fails) or that somebody else has done the work (1: it
 * ends; the reservation is lost, nothing else was taken). So does a signal
 * (130/143). That there is no limit is remembered by the process for half a
 * second, so that taking then costs nothing.
 */
int throttle_take(struct pg *pg, enum throttle_resource resource, uint64_t records, uint64_t bytes,
    int (*tick)(void *ctx, struct err *e), void *ctx, struct err *e) __attribute__((warn_unused_result));

#endif
