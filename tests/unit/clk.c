#include <check.h>
#include <signal.h>
#include <sys/time.h>

#include "base/clk.h"
#include "scratch.h"

static int64_t slept;
static int marker;

static int64_t
made_now(void *ctx)
{
	ck_assert_ptr_eq(ctx, &marker);
	return 42;
}

static void
made_sleep(void *ctx, int64_t ms)
{
	ck_assert_ptr_eq(ctx, &marker);
	slept = ms;
}

static uint64_t
made_random(void *ctx)
{
	ck_assert_ptr_eq(ctx, &marker);
	return 7;
}

START_TEST(a_clock_of_one_s_own_is_asked_with_its_context)
{
	const struct clk clk = {made_now, made_sleep, made_random, &marker};

	ck_assert_int_eq(clk_now(&clk), 42);
	clk_sleep(&clk, 1234);
	ck_assert_int_eq(slept, 1234);
	ck_assert_uint_eq(clk_random(&clk), 7);
}
END_TEST

START_TEST(the_system_s_clock_never_goes_back)
{
	int64_t last = clk_now(clk_system());

	ck_assert_int_gt(last, 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clk_now(clk_system());

		ck_assert_int_ge(now, last);
		ck_assert_int_lt(now, last + 10000);
		last = now;
	}
}
END_TEST

START_TEST(the_system_s_random_bits_differ)
{
	uint64_t any = 0, all = UINT64_MAX;

	for (int i = 0; i < 64; i++) {
		uint64_t bits = clk_random(clk_system());

		any |= bits;
		all &= bits;
	}
	/* Each bit was once set and once not; by chance it is otherwise once in 10^17 runs. */
	ck_assert_uint_eq(any, UINT64_MAX);
	ck_assert_uint_eq(all, 0);
}
END_TEST

START_TEST(a_sleep_lasts_its_milliseconds)
{
	int64_t begin = clk_now(clk_system());

	clk_sleep(clk_system(), 3);
	ck_assert_int_ge(clk_now(clk_system()) - begin, 3);
}
END_TEST

static void
on_alarm(int number)
{
	(void)number;
}

START_TEST(a_signal_ends_a_sleep)
{
	/* Again and again, so that one that comes before the sleep does no harm. */
	const struct itimerval timer = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
	const struct itimerval none = {0};
	int64_t begin = clk_now(clk_system());

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
	clk_sleep(clk_system(), 3600000);
	setitimer(ITIMER_REAL, &none, NULL);
	ck_assert_int_lt(clk_now(clk_system()) - begin, 3600000);
	clk_sleep(clk_system(), 0);
	clk_sleep(clk_system(), -5);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_clock_of_one_s_own_is_asked_with_its_context,
	    the_system_s_clock_never_goes_back,
	    the_system_s_random_bits_differ,
	    a_sleep_lasts_its_milliseconds,
	    a_signal_ends_a_sleep,
	};

	return scratch_run("clk", tests, sizeof tests / sizeof *tests);
}
