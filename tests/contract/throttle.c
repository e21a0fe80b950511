/* The token buckets, in a real PostgreSQL: rates held by several sessions together, changes, ways out. */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clk.h"
#include "ledger/ledger.h"
#include "ledger/rate.h"
#include "ledger/throttle.h"
#include "meanwhile.h"

static struct pg *pg;
static struct err e;

static void
begin(void)
{
	sig_init();
	pg = session_open("");
	ck_assert_msg(ledger_migrate(pg, &e) >= 0, "%s", e.message);
	OK(pg_exec(pg, "TRUNCATE csvp.throttle", &e));
}

static void
end(void)
{
	pg_close(pg);
}

static int64_t
now(void)
{
	return clk_now(clk_system());
}

static void
set(struct pg *session, enum throttle_resource resource, const char *text)
{
	struct rate rate;

	OK(rate_parse(text, &rate, &e));
	OK(throttle_set(session, resource, &rate, &e));
}

static void
expect_rate(enum throttle_resource resource, const char *text)
{
	char got[RATE_TEXT];
	struct rate rate;

	OK(throttle_get(pg, resource, &rate, &e));
	rate_print(&rate, got);
	ck_assert_str_eq(got, text);
}

static int
take(enum throttle_resource resource, uint64_t records, uint64_t bytes)
{
	return throttle_take(pg, resource, records, bytes, NULL, NULL, &e);
}

/* How many milliseconds that takes. */
static int64_t
time_of(enum throttle_resource resource, uint64_t records, uint64_t bytes)
{
	int64_t start = now();

	OK(take(resource, records, bytes));
	return now() - start;
}

START_TEST(a_rate_is_what_was_set_and_each_resource_has_its_own)
{
	enum throttle_resource resource;

	ck_assert(throttle_find("index", &resource));
	ck_assert_int_eq(resource, THROTTLE_INDEX);
	ck_assert(!throttle_find("split", &resource));
	ck_assert_str_eq(throttle_name(THROTTLE_LOAD), "load");
	expect_rate(THROTTLE_LOAD, "unlimited");
	set(pg, THROTTLE_LOAD, "5000/s");
	expect_rate(THROTTLE_LOAD, "5000/s");
	expect_rate(THROTTLE_INDEX, "unlimited");
	set(pg, THROTTLE_LOAD, "2MB/s");
	set(pg, THROTTLE_INDEX, "7/s");
	expect_rate(THROTTLE_LOAD, "2MB/s");
	expect_rate(THROTTLE_INDEX, "7/s");
	set(pg, THROTTLE_LOAD, "unlimited");
	expect_rate(THROTTLE_LOAD, "unlimited");
}
END_TEST

START_TEST(the_first_value_does_not_undo_a_later_one)
{
	OK(throttle_init(pg, THROTTLE_LOAD, NULL, &e));
	OK(throttle_init(pg, THROTTLE_LOAD, "5000/s", &e));
	expect_rate(THROTTLE_LOAD, "5000/s");
	OK(throttle_init(pg, THROTTLE_LOAD, "6000/s", &e));
	expect_rate(THROTTLE_LOAD, "5000/s");
	set(pg, THROTTLE_LOAD, "unlimited");
	OK(throttle_init(pg, THROTTLE_LOAD, "6000/s", &e));
	expect_rate(THROTTLE_LOAD, "unlimited");
	FAILS(ERR_CONFIG, throttle_init(pg, THROTTLE_LOAD, "fast", &e));
}
END_TEST

START_TEST(without_a_limit_taking_costs_next_to_nothing)
{
	int64_t start = now();

	/* A question to the server each time would be 20 s. */
	for (int i = 0; i < 200000; i++)
		OK(take(THROTTLE_LOAD, 100000, 8000000));
	ck_assert_int_lt(now() - start, 4000);
}
END_TEST

START_TEST(a_limit_of_records_and_one_of_bytes_are_kept)
{
	int64_t took;

	set(pg, THROTTLE_LOAD, "1000/s");
	took = time_of(THROTTLE_LOAD, 1500, 1);
	ck_assert_msg(took >= 950 && took < 2500, "%d ms", (int)took);
	set(pg, THROTTLE_LOAD, "100kB/s");
	took = time_of(THROTTLE_LOAD, 1000000, 150 * 1024);
	ck_assert_msg(took >= 950 && took < 2500, "%d ms", (int)took);
	ck_assert_int_lt(time_of(THROTTLE_LOAD, 1000000, 0), 400);
	/* The other one is not touched. */
	ck_assert_int_lt(time_of(THROTTLE_INDEX, 1000000, 1000000), 400);
}
END_TEST

START_TEST(what_is_saved_up_is_half_a_second)
{
	int64_t took;

	set(pg, THROTTLE_LOAD, "1000/s");
	/* Long idle. */
	OK(pg_exec(pg, "UPDATE csvp.throttle SET free_at = free_at - interval '1 hour'", &e));
	took = time_of(THROTTLE_LOAD, 1000, 0);
	ck_assert_msg(took >= 450 && took < 1500, "%d ms", (int)took);
}
END_TEST

/* What the children have taken; shared memory. */
static struct shared {
	_Atomic uint64_t taken[2];
	_Atomic bool go, stop;
} * shared;

static pid_t
taker(int number, uint64_t records)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	pg = session_open("");
	while (!shared->go)
		usleep(1000);
	while (!shared->stop) {
		OK(take(THROTTLE_LOAD, records, 0));
		shared->taken[number] += records;
	}
	pg_close(pg);
	_exit(0);
}

static void
share(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

static int64_t
until_taken(uint64_t records)
{
	int64_t start = now();

	while (shared->taken[0] + shared->taken[1] < records)
		usleep(1000);
	return now() - start;
}

START_TEST(two_sessions_together_keep_the_rate)
{
	pid_t children[2];
	int64_t took;

	share();
	set(pg, THROTTLE_LOAD, "5000/s");
	for (int i = 0; i < 2; i++)
		children[i] = taker(i, 250);
	shared->go = true;
	/* The first is when sessions, and what they saved up, have come to rest. */
	until_taken(5000);
	took = until_taken(25000);
	shared->stop = true;
	for (int i = 0; i < 2; i++)
		session_join(children[i]);
	ck_assert_msg(took > 3600 && took < 4400, "20000 records in %d ms", (int)took);
	ck_assert_uint_gt(shared->taken[0], 25000 / 3);
	ck_assert_uint_gt(shared->taken[1], 25000 / 3);
}
END_TEST

START_TEST(who_needs_little_does_not_wait_for_who_needs_much)
{
	int64_t start, slowest = 0;
	pid_t child;

	share();
	set(pg, THROTTLE_LOAD, "5000/s");
	child = taker(0, 10000);
	shared->go = true;
	session_wait_until(pg, "SELECT count(*) FROM csvp.throttle WHERE free_at > changed_at + interval '0.2 s'");
	for (int i = 0; i < 5; i++) {
		start = now();
		OK(take(THROTTLE_LOAD, 100, 0));
		if (now() - start > slowest)
			slowest = now() - start;
	}
	ck_assert_msg(slowest < 700, "%d ms", (int)slowest);
	ck_assert_uint_eq(shared->taken[0], 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
END_TEST

static void
set_meanwhile(const char *text)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return;
	pg = session_open("");
	session_wait_until(pg, "SELECT count(*) FROM csvp.throttle WHERE free_at > clock_timestamp()");
	set(pg, THROTTLE_LOAD, text);
	pg_close(pg);
	_exit(0);
}

START_TEST(a_raised_rate_is_noticed_within_a_second)
{
	int64_t took;

	set(pg, THROTTLE_LOAD, "1B/s");
	set_meanwhile("unlimited");
	took = time_of(THROTTLE_LOAD, 1, 1000000);
	ck_assert_msg(took < 2000, "%d ms", (int)took);
	session_join(-1);
	/* Reserved in advance by many workers. */
	set(pg, THROTTLE_LOAD, "1/s");
	OK(pg_exec(pg, "UPDATE csvp.throttle SET free_at = clock_timestamp() + interval '60 s'", &e));
	set_meanwhile("10000/s");
	took = time_of(THROTTLE_LOAD, 100, 0);
	ck_assert_msg(took < 2000, "%d ms", (int)took);
	session_join(-1);
}
END_TEST

START_TEST(a_lowered_rate_is_noticed_within_a_second)
{
	struct pg *other = session_open("");
	int64_t start;

	OK(take(THROTTLE_LOAD, 1, 1));
	/* By another process: this one's own change it would know at once. */
	OK(pg_exec(other, "INSERT INTO csvp.throttle (resource, per_second) VALUES ('load', 10)", &e));
	start = now();
	while (now() - start < 1000)
		OK(take(THROTTLE_LOAD, 1, 1));
	ck_assert_int_gt(session_int(pg, "SELECT count(*) FROM csvp.throttle WHERE free_at > changed_at"), 0);
	pg_close(other);
}
END_TEST

START_TEST(a_signal_ends_the_wait)
{
	int64_t start = now();
	pid_t child;

	set(pg, THROTTLE_LOAD, "1/s");
	child =
	    session_meanwhile("SELECT count(*) FROM csvp.throttle WHERE free_at > clock_timestamp()", NULL, SIGTERM);
	FAILS(ERR_SIGTERM, take(THROTTLE_LOAD, 1000, 0));
	ck_assert_int_lt(now() - start, 3000);
	session_join(child);
}
END_TEST

static int
enough(void *ctx, struct err *err)
{
	int *calls = ctx;

	return ++*calls < 3 ? 0 : err_set(err, ERR_REJECTS, "enough");
}

START_TEST(the_caller_is_asked_twice_a_second_and_may_end_it)
{
	int64_t start = now();
	int calls = 0;

	set(pg, THROTTLE_LOAD, "100/s");
	FAILS(ERR_REJECTS, throttle_take(pg, THROTTLE_LOAD, 1000000, 0, enough, &calls, &e));
	ck_assert_int_eq(calls, 3);
	ck_assert_int_ge(now() - start, 1450);
	ck_assert_int_lt(now() - start, 4000);
	/* Not at all where nothing is waited for. */
	set(pg, THROTTLE_LOAD, "unlimited");
	calls = 0;
	OK(throttle_take(pg, THROTTLE_LOAD, 1000000, 0, enough, &calls, &e));
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(inside_a_transaction_it_is_a_bug)
{
	set(pg, THROTTLE_LOAD, "1000/s");
	OK(pg_begin(pg, &e));
	FAILS(ERR_BUG, take(THROTTLE_LOAD, 1, 1));
	pg_rollback(pg);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_rate_is_what_was_set_and_each_resource_has_its_own,
	    the_first_value_does_not_undo_a_later_one,
	    without_a_limit_taking_costs_next_to_nothing,
	    a_limit_of_records_and_one_of_bytes_are_kept,
	    what_is_saved_up_is_half_a_second,
	    two_sessions_together_keep_the_rate,
	    who_needs_little_does_not_wait_for_who_needs_much,
	    a_raised_rate_is_noticed_within_a_second,
	    a_lowered_rate_is_noticed_within_a_second,
	    a_signal_ends_the_wait,
	    the_caller_is_asked_twice_a_second_and_may_end_it,
	    inside_a_transaction_it_is_a_bug,
	};

	return session_run("throttle", begin, end, tests, sizeof tests / sizeof *tests);
}
