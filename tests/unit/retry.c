#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "net/retry.h"
#include "scratch.h"

/* A clock that moves only when somebody sleeps, and remembers the pauses. */
static struct {
	int64_t now;
	uint64_t random;
	int64_t pauses[100];
	int sleeps;
	bool signal;
} fake;

static int64_t
fake_now(void *ctx)
{
	(void)ctx;
	return fake.now;
}

static void
fake_sleep(void *ctx, int64_t ms)
{
	(void)ctx;
	fake.pauses[fake.sleeps++] = ms;
	fake.now += ms;
	if (fake.signal)
		raise(SIGTERM);
}

static uint64_t
fake_random(void *ctx)
{
	(void)ctx;
	return fake.random;
}

static const struct clk clk = {fake_now, fake_sleep, fake_random, NULL};
static const struct retry_policy policy = {.tries = 5, .time = 60000, .base = 100, .cap = 1000};

/* An operation that fails with these messages one after the other, then succeeds; "!" in front: not to be cured. */
static int attempts;

static int
operation(const char *const *failures, struct err *e)
{
	const char *failure = failures[attempts];

	if (failure == NULL)
		return 0;
	attempts++;
	return err_set(e, failure[0] == '!' ? ERR_PERMISSION : ERR_AGAIN, "%s", failure);
}

static int
run(const struct retry_policy *by, const char *const *failures, struct err *e)
{
	struct retry retry;
	int status;

	attempts = 0;
	retry_start(&retry, by, &clk);
	do
		status = operation(failures, e);
	while (status != 0 && retry_again(&retry, e));
	return status;
}

START_TEST(what_succeeds_in_time_is_a_success)
{
	const char *const failures[] = {"down", "down", "down", "down", NULL};
	struct err e;

	ck_assert_int_eq(run(&policy, failures, &e), 0);
	ck_assert_int_eq(fake.sleeps, 4);
	ck_assert_int_eq(e.code, ERR_NONE);
}
END_TEST

START_TEST(the_number_of_attempts_is_limited_and_told)
{
	const char *const failures[] = {"down", "down", "down", "down", "down", "down", NULL};
	struct err e;

	ck_assert_int_eq(run(&policy, failures, &e), -1);
	ck_assert_int_eq(attempts, 5);
	ck_assert_int_eq(e.code, ERR_AGAIN);
	ck_assert_str_eq(e.message, "5 attempts in 0.4 s: down");
}
END_TEST

START_TEST(only_what_another_attempt_may_cure_is_tried_again)
{
	const char *const at_once[] = {"!forbidden", NULL};
	const char *const later[] = {"down", "!forbidden", NULL};
	struct err e;

	ck_assert_int_eq(run(&policy, at_once, &e), -1);
	ck_assert_int_eq(attempts, 1);
	ck_assert_int_eq(e.code, ERR_PERMISSION);
	ck_assert_str_eq(e.message, "!forbidden");
	ck_assert_int_eq(run(&policy, later, &e), -1);
	ck_assert_int_eq(attempts, 2);
	ck_assert_int_eq(e.code, ERR_PERMISSION);
	ck_assert_str_eq(e.message, "2 attempts in 0.1 s: !forbidden (before that: down)");
}
END_TEST

START_TEST(each_different_failure_is_told_once)
{
	const char *const failures[] = {"refused", "timed out", "refused", "timed out", "reset", NULL};
	struct err e;

	ck_assert_int_eq(run(&policy, failures, &e), -1);
	ck_assert_str_eq(e.message, "5 attempts in 0.4 s: reset (before that: refused; timed out)");
}
END_TEST

START_TEST(long_messages_fold_without_harm)
{
	static char texts[4][900];
	const char *const failures[] = {texts[0], texts[1], texts[2], texts[3], NULL};
	const struct retry_policy four = {.tries = 4, .time = 60000, .base = 100, .cap = 1000};
	struct err e;

	for (int i = 0; i < 4; i++) {
		memset(texts[i], 'a' + i, sizeof texts[i] - 1);
		texts[i][sizeof texts[i] - 1] = '\0';
	}
	ck_assert_int_eq(run(&four, failures, &e), -1);
	ck_assert_int_eq(strncmp(e.message, "4 attempts in 0.3 s: dddd", 25), 0);
	ck_assert_uint_lt(strlen(e.message), sizeof e.message);
}
END_TEST

START_TEST(pauses_are_drawn_between_the_base_and_three_times_the_last)
{
	const char *const failures[] = {"down", "down", "down", "down", "down", NULL};
	const struct retry_policy many = {.tries = 100, .time = 60000, .base = 100, .cap = 1000};
	struct err e;

	/* The longest of each draw: random is span, so that the pause is three times the one before. */
	fake.random = 200;
	ck_assert_int_eq(run(&many, failures, &e), 0);
	ck_assert_int_eq(fake.pauses[0], 300);
	ck_assert_int_eq(fake.pauses[1], 300); /* 100 + 200 of 100..900 */
	fake.sleeps = 0;
	fake.random = 0;
	ck_assert_int_eq(run(&many, failures, &e), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(fake.pauses[i], 100);
	/* Any random number stays inside, and the cap holds. */
	for (uint64_t random = 1; random < 1000000; random = random * 3 + 1) {
		int64_t last = 100;

		fake.sleeps = 0;
		fake.random = random;
		ck_assert_int_eq(run(&many, failures, &e), 0);
		for (int i = 0; i < 5; i++) {
			ck_assert_int_ge(fake.pauses[i], 100);
			ck_assert_int_le(fake.pauses[i], last * 3);
			ck_assert_int_le(fake.pauses[i], 1000);
			last = fake.pauses[i];
		}
	}
}
END_TEST

START_TEST(no_attempt_begins_after_the_time_is_up)
{
	const char *const failures[] = {"down", "down", "down", "down", "down", "down", "down", NULL};
	const struct retry_policy brief = {.tries = 100, .time = 350, .base = 100, .cap = 1000};
	struct err e;

	ck_assert_int_eq(run(&brief, failures, &e), -1);
	ck_assert_int_eq(attempts, 4);
	ck_assert_int_eq(fake.now, 300);
	ck_assert_str_eq(e.message, "4 attempts in 0.3 s: down");
}
END_TEST

START_TEST(a_signal_ends_the_attempts)
{
	const char *const failures[] = {"down", "down", "down", NULL};
	struct err e;

	sig_init();
	fake.signal = true;
	ck_assert_int_eq(run(&policy, failures, &e), -1);
	ck_assert_int_eq(attempts, 1);
	ck_assert_int_eq(fake.sleeps, 1);
	ck_assert_int_eq(e.code, ERR_SIGTERM);
	ck_assert_str_eq(e.message, "interrupted by SIGTERM while trying again after: down");
	/* And one that has come before: no pause at all. */
	ck_assert_int_eq(run(&policy, failures, &e), -1);
	ck_assert_int_eq(fake.sleeps, 1);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    what_succeeds_in_time_is_a_success,
	    the_number_of_attempts_is_limited_and_told,
	    only_what_another_attempt_may_cure_is_tried_again,
	    each_different_failure_is_told_once,
	    long_messages_fold_without_harm,
	    pauses_are_drawn_between_the_base_and_three_times_the_last,
	    no_attempt_begins_after_the_time_is_up,
	    a_signal_ends_the_attempts,
	};

	return scratch_run("retry", tests, sizeof tests / sizeof *tests);
}
