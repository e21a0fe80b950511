/* Queues whose hints are unique (QUEUE_UNIQUE), and what only the one in PostgreSQL has to do. */
#include "deliveries.h"

START_TEST(a_hint_is_unique_while_it_waits)
{
	struct message twice[] = {{.job = 1, .chunk = 0}, {.job = 1, .chunk = 0}};
	struct delivery d;

	if (!(queue_capabilities(queue) & QUEUE_UNIQUE))
		return;
	OK(queue_send(queue, QUEUE_LOAD, twice, 2, &e));
	send_one(QUEUE_LOAD, 1, 0);
	send_one(QUEUE_INDEX, 1, 0);
	send_one(QUEUE_LOAD, 1, -1);
	expect_depth(QUEUE_LOAD, 2, 0);
	expect_depth(QUEUE_INDEX, 1, 0);
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
	d = expect_one(QUEUE_LOAD, 0, 1, -1);
	acknowledge(QUEUE_LOAD, &d);
	expect_none(QUEUE_LOAD, 0);
}
END_TEST

START_TEST(a_hint_sent_while_its_like_is_in_flight_comes_after_it)
{
	struct delivery first, second;

	if (!(queue_capabilities(queue) & QUEUE_UNIQUE))
		return;
	send_one(QUEUE_LOAD, 1, 0);
	first = expect_one(QUEUE_LOAD, 0, 1, 0);
	send_one(QUEUE_LOAD, 1, 0);
	expect_none(QUEUE_LOAD, 0);
	OK(queue_extend(queue, QUEUE_LOAD, &first, 1, &e));
	acknowledge(QUEUE_LOAD, &first);
	second = expect_one(QUEUE_LOAD, 0, 1, 0);
	ck_assert_uint_eq(second.received, 1);
	acknowledge(QUEUE_LOAD, &second);
	expect_none(QUEUE_LOAD, 0);
}
END_TEST

START_TEST(a_hint_sent_again_comes_once_after_a_hand_back)
{
	struct delivery d;

	if (!(queue_capabilities(queue) & QUEUE_UNIQUE))
		return;
	send_one(QUEUE_LOAD, 1, 0);
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	send_one(QUEUE_LOAD, 1, 0);
	OK(queue_hand_back(queue, QUEUE_LOAD, &d, 1, &e));
	queue_delivery_fini(&d);
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
	expect_none(QUEUE_LOAD, 0);
	expect_depth(QUEUE_LOAD, 0, 0);
}
END_TEST

START_TEST(a_hint_sent_after_its_visibility_ran_out_survives_a_late_acknowledgement)
{
	struct delivery late, d;
	struct queue_depth depth;

	if (!(queue_capabilities(queue) & QUEUE_UNIQUE))
		return;
	reopen(1000);
	send_one(QUEUE_LOAD, 1, 0);
	late = expect_one(QUEUE_LOAD, 0, 1, 0);
	do
		OK(queue_depth(queue, QUEUE_LOAD, &depth, &e));
	while (depth.visible == 0);
	send_one(QUEUE_LOAD, 1, 0);
	acknowledge(QUEUE_LOAD, &late);
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
	expect_none(QUEUE_LOAD, 0);
}
END_TEST

START_TEST(a_dead_letter_sent_again_tells_of_the_last_error)
{
	struct message m = {.job = 1, .chunk = 0, .stage = (char[]){"load"}, .error = (char[]){"first"}};
	struct delivery d;

	if (!(queue_capabilities(queue) & QUEUE_UNIQUE))
		return;
	OK(queue_send(queue, QUEUE_DEAD, &m, 1, &e));
	m.error = (char[]){"second"};
	OK(queue_send(queue, QUEUE_DEAD, &m, 1, &e));
	expect_depth(QUEUE_DEAD, 1, 0);
	d = expect_one(QUEUE_DEAD, 0, 1, 0);
	ck_assert_str_eq(d.message.error, "second");
	queue_delivery_fini(&d);
}
END_TEST

static void
end_sessions(int number)
{
	struct pg *pg = session_open("");
	struct delivery d;

	queue = open_queue(30000);
	if (number > 0)
		ck_assert_int_eq(receive(QUEUE_SPLIT, 1, 200, &d), 0);
	session_int(pg, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client "
			"backend' AND pid <> pg_backend_pid()");
	pg_close(pg);
}

START_TEST(a_lost_connection_is_made_again)
{
	struct delivery d;
	pid_t child;

	if (given != NULL)
		return;
	session_join(in_child(end_sessions, 0));
	send_one(QUEUE_LOAD, 1, 0);
	session_join(in_child(end_sessions, 0));
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	session_join(in_child(end_sessions, 0));
	acknowledge(QUEUE_LOAD, &d);
	session_join(in_child(end_sessions, 0));
	expect_depth(QUEUE_LOAD, 0, 0);
	/* In the middle of a wait, too. */
	child = in_child(end_sessions, 1);
	expect_none(QUEUE_LOAD, 1500);
	session_join(child);
	send_one(QUEUE_LOAD, 1, 0);
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
}
END_TEST

START_TEST(who_waits_no_longer_is_not_told)
{
	struct pg *pg;

	if (given != NULL)
		return;
	pg = session_open("");
	expect_none(QUEUE_LOAD, 100);
	ck_assert_int_eq(session_int(pg, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UNLISTEN%'"), 1);
	pg_close(pg);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_hint_is_unique_while_it_waits,
	    a_hint_sent_while_its_like_is_in_flight_comes_after_it,
	    a_hint_sent_again_comes_once_after_a_hand_back,
	    a_hint_sent_after_its_visibility_ran_out_survives_a_late_acknowledgement,
	    a_dead_letter_sent_again_tells_of_the_last_error,
	    a_lost_connection_is_made_again,
	    who_waits_no_longer_is_not_told,
	};

	return broker_run("queue_hints", tests, sizeof tests / sizeof *tests);
}
