#ifndef BASE_CLK_H
#define BASE_CLK_H

#include <stdint.h>

/*
 * Time and chance as parameters: what waits or draws lots takes a struct clk,
 * so that a unit test passes its own and never sleeps.
 */
struct clk {
	int64_t (*now)(void *ctx); /* monotonic milliseconds */
	void (*sleep)(void *ctx,
	    int64_t ms); /* returns early on a signal (sig.h), whichever thread got it, and at once after one */
	uint64_t (*random)(void *ctx); /* 64 uniform bits */
	void *ctx;
};

/* The real clock (CLOCK_MONOTONIC, poll, getrandom(2)); static storage. */
const struct clk *clk_system(void);

int64_t clk_now(const struct clk *clk);
void clk_sleep(const struct clk *clk, int64_t milliseconds);
uint64_t clk_random(const struct clk *clk);

#endif
