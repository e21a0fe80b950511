#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct clk;
struct err;

/* How long to go on: whichever of tries and time ends first. Times in milliseconds. */
struct retry_policy {
	int tries;    /* attempts in all, the first included */
	int64_t time; /* no attempt begins later than this after the first */
	int64_t base; /* shortest pause */
	int64_t cap;  /* longest pause */
};

/*
 * One operation that may be tried again:
 *
 *	retry_start(&retry, &policy, clk);
 *	do
 *		status = operation(..., e);
 *	while (status != 0 && retry_again(&retry, e));
 *
 * Only 75 is tried again. Pauses are drawn between base and three times the
 * pause before ("decorrelated jitter": M. Brooker, Exponential Backoff And
 * Jitter, 2015), so that workers which failed together do not return together.
 */
struct retry {
	const struct retry_policy *policy; /* this and all below: private */
	const struct clk *clk;
	int attempts;
	int64_t started;
	int64_t pause;
	char last[400];
	char earlier[400];
};

void retry_start(struct retry *retry, const struct retry_policy *policy, const struct clk *clk);

/*
 * After a failed attempt, with its error in *e: wait and return true with *e
 * empty (the next attempt may succeed, and sets none), or return false with *e
 * final. Then its message tells of all attempts, each different failure once.
 * A signal ends it with 130 or 143.
 */
bool retry_again(struct retry *retry, struct err *e);

#endif
