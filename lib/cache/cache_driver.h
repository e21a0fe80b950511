#ifndef CACHE_CACHE_DRIVER_H
#define CACHE_CACHE_DRIVER_H

#include <stdint.h>

#include "base/err.h"
#include "cache/cache.h"

struct clk;
struct url;

/*
 * What a driver of a cache provides; all of it is required. The wrapper in
 * cache.c checks sizes, leaves a driver alone after an outage, and is the one
 * who gives notice. `self` is what open returned.
 *
 * Errors: 75 it is not there, too slow, or lets nobody in: nothing can be had
 * from it now; any other code: this call alone failed. A driver that has lost
 * its connection makes a new one in the next call.
 */
struct cache_driver {
	/* `ttl` in milliseconds. Only what is wrong with the URL is an error (78); it does not connect yet. */
	void *(*open)(const struct url *url, int64_t ttl, struct err *e);
	void (*close)(void *self);

	/* Each ends within CACHE_PATIENCE, whatever the other side does or does not. */
	int (*get)(void *self, const struct buf *key, struct buf *value, struct err *e); /* 1, 0 not there, -1 */
	int (*put)(void *self, const struct buf *key, const struct buf *value, struct err *e);
};

/* cache_open with a driver and a clock of one's own: what cache_open itself calls, and tests. */
struct cache *cache_open_driver(
    const struct cache_driver *driver, const struct cache_options *options, const struct clk *clk, struct err *e);

const struct cache_driver *redis_driver(void); /* redis: and rediss: */

#endif
