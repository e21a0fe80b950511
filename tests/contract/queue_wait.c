/* What every driver of a message queue must do: waits, who wakes whom, signals, several receivers at once. */
#include <signal.h>

#include "deliveries.h"

START_TEST(an_empty_queue_returns_at_the_end_of_the_wait)
{
	int64_t start = now();

	expect_none(QUEUE_LOAD, 0);
	ck_assert_int_lt(now() - start, 900);
	start = now();
	expect_none(QUEUE_LOAD, 1000);
	ck_assert_int_ge(now() - start, 950);
	ck_assert_int_lt(now() - start, 3000);
}
END_TEST

static int times[2];

/* Send while the other side waits, and tell when. */
static void
send_later(int number)
{
	struct message m = {.job = 1 + number, .chunk = 0};
	int64_t sent;

	queue = open_queue(30000);
	/* The way to pass time that every driver has. */
	expect_none(QUEUE_SPLIT, 150);
	sent = now();
	OK(queue_send(queue, QUEUE_LOAD, &m, 1, &e));
	ck_assert_int_eq(write(times[1], &sent, sizeof sent), sizeof sent);
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

START_TEST(a_send_wakes_who_waits)
{
	enum { ROUNDS = 9 };
	int64_t latency[ROUNDS], sent;

	ck_assert_int_eq(pipe(times), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = in_child(send_later, i);
		struct delivery d = expect_one(QUEUE_LOAD, 20000, 1 + i, 0);
		int64_t got = now();

		ck_assert_int_eq(read(times[0], &sent, sizeof sent), sizeof sent);
		latency[i] = got - sent;
		session_join(child);
		acknowledge(QUEUE_LOAD, &d);
	}
	qsort(latency, ROUNDS, sizeof *latency, by_value);
	ck_assert_int_lt(latency[ROUNDS / 2], 100);
}
END_TEST

/* Wait with nothing there, in the first place because another has it. */
static void
hand_back_later(int number)
{
	struct delivery d, none;

	(void)number;
	queue = open_queue(30000);
	d = expect_one(QUEUE_LOAD, 1000, 1, 0);
	ck_assert_int_eq(write(times[1], "", 1), 1);
	ck_assert_int_eq(receive(QUEUE_SPLIT, 1, 150, &none), 0);
	OK(queue_hand_back(queue, QUEUE_LOAD, &d, 1, &e));
}

START_TEST(a_message_handed_back_wakes_who_waits)
{
	int64_t start = now();
	struct delivery d;
	pid_t child;
	char byte;

	ck_assert_int_eq(pipe(times), 0);
	send_one(QUEUE_LOAD, 1, 0);
	child = in_child(hand_back_later, 0);
	ck_assert_int_eq(read(times[0], &byte, 1), 1);
	d = expect_one(QUEUE_LOAD, 20000, 1, 0);
	ck_assert_int_lt(now() - start, 5000);
	session_join(child);
	acknowledge(QUEUE_LOAD, &d);
}
END_TEST

/* Take all there is, and tell of each. */
static void
drain(int number)
{
	struct delivery d[QUEUE_BATCH];
	int count;

	queue = open_queue(30000);
	while ((count = receive(QUEUE_LOAD, (size_t)(1 + number), 500, d)) > 0)
		for (int i = 0; i < count; i++) {
			ck_assert_int_eq(write(times[1], &d[i].message.chunk, sizeof(int64_t)), sizeof(int64_t));
			queue_delivery_fini(&d[i]);
		}
	queue_close(queue);
}

START_TEST(concurrent_receivers_never_share_a_message)
{
	enum { MANY = 300, RECEIVERS = 4 };
	struct message messages[MANY];
	bool seen[MANY] = {false};
	pid_t children[RECEIVERS];
	int64_t chunk;

	ck_assert_int_eq(pipe(times), 0);
	for (int i = 0; i < RECEIVERS; i++)
		children[i] = in_child(drain, i);
	for (int i = 0; i < MANY; i++)
		messages[i] = (struct message){.job = 1, .chunk = i};
	OK(queue_send(queue, QUEUE_LOAD, messages, MANY, &e));
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(read(times[0], &chunk, sizeof chunk), sizeof chunk);
		ck_assert(chunk >= 0 && chunk < MANY);
		ck_assert_msg(!seen[chunk], "chunk %d came twice", (int)chunk);
		seen[chunk] = true;
	}
	for (int i = 0; i < RECEIVERS; i++)
		session_join(children[i]);
	expect_depth(QUEUE_LOAD, 0, MANY);
}
END_TEST

/* Send the signal while the other side waits; when that one has ended its work, see what is left. */
static void
terminate_later(int number)
{
	char byte;

	close(times[1]);
	queue = open_queue(30000);
	expect_none(QUEUE_SPLIT, 200);
	kill(getppid(), number);
	ck_assert_int_eq(read(times[0], &byte, 1), 0);
	expect_depth(QUEUE_LOAD, 1, 0);
	expect_depth(QUEUE_INDEX, 1, 0);
	queue_close(queue);
}

START_TEST(a_signal_ends_the_wait_and_what_is_held_can_be_handed_on)
{
	struct message m = {.job = 1, .chunk = 2};
	struct delivery one, two, none;
	int64_t start = now();
	pid_t child;

	ck_assert_int_eq(pipe(times), 0);
	send_one(QUEUE_LOAD, 1, 0);
	ck_assert_int_eq(receive(QUEUE_LOAD, 1, 1000, &one), 1);
	send_one(QUEUE_LOAD, 1, 1);
	ck_assert_int_eq(receive(QUEUE_LOAD, 1, 1000, &two), 1);
	child = in_child(terminate_later, SIGTERM);
	FAILS(ERR_SIGTERM, queue_receive(queue, QUEUE_LOAD, 1, 20000, &none, &e));
	ck_assert_int_lt(now() - start, 5000);
	OK(queue_extend(queue, QUEUE_LOAD, &one, 1, &e));
	ck_assert(!one.lost);
	OK(queue_hand_back(queue, QUEUE_LOAD, &one, 1, &e));
	acknowledge(QUEUE_LOAD, &two);
	OK(queue_send(queue, QUEUE_INDEX, &m, 1, &e));
	FAILS(ERR_SIGTERM, queue_receive(queue, QUEUE_LOAD, 1, 0, &none, &e));
	close(times[1]);
	session_join(child);
	queue_delivery_fini(&one);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    an_empty_queue_returns_at_the_end_of_the_wait,
	    a_send_wakes_who_waits,
	    a_message_handed_back_wakes_who_waits,
	    concurrent_receivers_never_share_a_message,
	    a_signal_ends_the_wait_and_what_is_held_can_be_handed_on,
	};

	return broker_run("queue_wait", tests, sizeof tests / sizeof *tests);
}
