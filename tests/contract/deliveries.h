#ifndef CONTRACT_DELIVERIES_H
#define CONTRACT_DELIVERIES_H

#include "broker.h"

/* What the cases of a message queue say again and again. */

static inline int64_t
now(void)
{
	return clk_now(clk_system());
}

/* The case's handle anew, with this visibility. */
static inline void
reopen(int64_t visibility)
{
	queue_close(queue);
	queue = open_queue(visibility);
}

static inline void
send_one(enum queue_name to, int64_t job, int64_t chunk)
{
	struct message m = {.job = job, .chunk = chunk};

	OK(queue_send(queue, to, &m, 1, &e));
}

/* How many came. */
static inline int
receive(enum queue_name from, size_t most, int64_t wait, struct delivery *out)
{
	int count = queue_receive(queue, from, most, wait, out, &e);

	ck_assert_msg(count >= 0 && count <= (int)most, "%d: %s", count, e.message);
	return count;
}

/* The one message there is, which must be this one. */
static inline struct delivery
expect_one(enum queue_name from, int64_t wait, int64_t job, int64_t chunk)
{
	struct delivery d = {.receipt = NULL};

	ck_assert_int_eq(receive(from, 1, wait, &d), 1);
	ck_assert_int_eq(d.message.job, job);
	ck_assert_int_eq(d.message.chunk, chunk);
	ck_assert(!d.lost);
	return d;
}

static inline void
expect_none(enum queue_name from, int64_t wait)
{
	struct delivery d;

	ck_assert_int_eq(receive(from, 1, wait, &d), 0);
}

/* A broker may count late. */
static inline void
expect_depth(enum queue_name name, uint64_t visible, uint64_t in_flight)
{
	int64_t late = now() + 5000;
	struct queue_depth depth;

	do
		OK(queue_depth(queue, name, &depth, &e));
	while ((depth.visible != visible || depth.in_flight != in_flight) && now() < late &&
	       !(queue_capabilities(queue) & QUEUE_EXACT));
	ck_assert_uint_eq(depth.visible, visible);
	ck_assert_uint_eq(depth.in_flight, in_flight);
}

static inline void
acknowledge(enum queue_name from, struct delivery *d)
{
	OK(queue_acknowledge(queue, from, d, 1, &e));
	queue_delivery_fini(d);
}

/* In a process of its own; an assertion that fails there fails in session_join. */
static inline pid_t
in_child(void (*work)(int number), int number)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	work(number);
	_exit(0);
}

#endif
