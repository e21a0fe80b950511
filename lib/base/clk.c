#include "base/clk.h"

#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/random.h>
#include <time.h>

#include "base/sig.h"

static int64_t
system_now(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
system_sleep(void *ctx, int64_t ms)
{
	struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};

	(void)ctx;
	/* Not nanosleep: the signal may come to another thread. */
	if (ms > 0)
		poll(&wake, 1, ms < INT_MAX ? (int)ms : INT_MAX);
}

static uint64_t
system_random(void *ctx)
{
	uint64_t bits = 0;

	(void)ctx;
	/* Reads up to 256 bytes never fail once the kernel's pool is ready (getrandom(2)). */
	while (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
		continue;
	return bits;
}

const struct clk *
clk_system(void)
{
	static const struct clk clk = {system_now, system_sleep, system_random, NULL};

	return &clk;
}

int64_t
clk_now(const struct clk *clk)
{
	return clk->now(clk->ctx);
}

void
clk_sleep(const struct clk *clk, int64_t milliseconds)
{
	clk->sleep(clk->ctx, milliseconds);
}

uint64_t
clk_random(const struct clk *clk)
{
	return clk->random(clk->ctx);
}
