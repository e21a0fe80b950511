/* What every driver of a message queue must do: messages and their visibility. broker.h says which drivers. */
#include "deliveries.h"

START_TEST(what_is_sent_is_received)
{
	struct message dead = {.job = 7, .chunk = 0, .stage = (char[]){"load"}, .error = (char[]){"a \"b\"\n\xc3\xa9"}};
	struct delivery d;

	send_one(QUEUE_LOAD, 42, 7);
	d = expect_one(QUEUE_LOAD, 1000, 42, 7);
	ck_assert_ptr_null(d.message.stage);
	ck_assert_ptr_null(d.message.error);
	ck_assert_uint_eq(d.received, 1);
	acknowledge(QUEUE_LOAD, &d);
	send_one(QUEUE_SPLIT, 17179869183, -1);
	d = expect_one(QUEUE_SPLIT, 1000, 17179869183, -1);
	acknowledge(QUEUE_SPLIT, &d);
	OK(queue_send(queue, QUEUE_DEAD, &dead, 1, &e));
	d = expect_one(QUEUE_DEAD, 1000, 7, 0);
	ck_assert_str_eq(d.message.stage, "load");
	ck_assert_str_eq(d.message.error, dead.error);
	acknowledge(QUEUE_DEAD, &d);
}
END_TEST

START_TEST(queues_are_apart)
{
	struct delivery d;

	send_one(QUEUE_LOAD, 1, 0);
	expect_none(QUEUE_SPLIT, 0);
	expect_none(QUEUE_INDEX, 0);
	expect_none(QUEUE_DEAD, 0);
	d = expect_one(QUEUE_LOAD, 1000, 1, 0);
	OK(queue_acknowledge(queue, QUEUE_INDEX, &d, 1, &e));
	expect_depth(QUEUE_LOAD, 0, 1);
	acknowledge(QUEUE_LOAD, &d);
}
END_TEST

START_TEST(what_is_sent_outlives_its_sender)
{
	struct delivery d;

	send_one(QUEUE_LOAD, 1, 0);
	reopen(30000);
	d = expect_one(QUEUE_LOAD, 1000, 1, 0);
	/* A receipt, too. */
	reopen(30000);
	acknowledge(QUEUE_LOAD, &d);
	expect_depth(QUEUE_LOAD, 0, 0);
}
END_TEST

START_TEST(a_received_message_is_hidden_until_its_visibility_has_run_out)
{
	struct delivery first, second;
	int64_t start;

	reopen(2000);
	send_one(QUEUE_LOAD, 1, 0);
	start = now();
	first = expect_one(QUEUE_LOAD, 1000, 1, 0);
	expect_none(QUEUE_LOAD, 1000);
	second = expect_one(QUEUE_LOAD, 5000, 1, 0);
	ck_assert_int_ge(now() - start, 1950);
	ck_assert_str_ne(first.receipt, second.receipt);
	ck_assert_uint_eq(second.received, 2);
	acknowledge(QUEUE_LOAD, &second);
	/* Nobody holds it any more, and that is no error. */
	acknowledge(QUEUE_LOAD, &first);
}
END_TEST

START_TEST(an_extended_message_stays_hidden)
{
	struct delivery d;

	reopen(2000);
	send_one(QUEUE_LOAD, 1, 0);
	d = expect_one(QUEUE_LOAD, 1000, 1, 0);
	for (int i = 0; i < 2; i++) {
		expect_none(QUEUE_LOAD, 1000);
		OK(queue_extend(queue, QUEUE_LOAD, &d, 1, &e));
		ck_assert(!d.lost);
	}
	expect_none(QUEUE_LOAD, 1000);
	queue_delivery_fini(&d);
	d = expect_one(QUEUE_LOAD, 5000, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
}
END_TEST

START_TEST(a_message_handed_back_is_visible_at_once)
{
	struct delivery d;

	send_one(QUEUE_LOAD, 1, 0);
	d = expect_one(QUEUE_LOAD, 1000, 1, 0);
	expect_none(QUEUE_LOAD, 0);
	OK(queue_hand_back(queue, QUEUE_LOAD, &d, 1, &e));
	queue_delivery_fini(&d);
	expect_depth(QUEUE_LOAD, 1, 0);
	d = expect_one(QUEUE_LOAD, 0, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
}
END_TEST

START_TEST(an_acknowledged_message_is_gone)
{
	struct delivery d;

	reopen(1000);
	send_one(QUEUE_LOAD, 1, 0);
	d = expect_one(QUEUE_LOAD, 1000, 1, 0);
	acknowledge(QUEUE_LOAD, &d);
	expect_depth(QUEUE_LOAD, 0, 0);
	expect_none(QUEUE_LOAD, 2000);
}
END_TEST

START_TEST(many_go_in_batches)
{
	enum { MANY = 25 };
	struct message messages[MANY];
	struct delivery deliveries[MANY] = {0};
	bool seen[MANY] = {false};
	int count = 0;

	for (int i = 0; i < MANY; i++)
		messages[i] = (struct message){.job = 9, .chunk = i};
	OK(queue_send(queue, QUEUE_INDEX, messages, 0, &e));
	OK(queue_send(queue, QUEUE_INDEX, messages, MANY, &e));
	expect_depth(QUEUE_INDEX, MANY, 0);
	while (count < MANY) {
		size_t most = MANY - count < QUEUE_BATCH ? (size_t)(MANY - count) : QUEUE_BATCH;
		int n = receive(QUEUE_INDEX, most, 5000, &deliveries[count]);

		ck_assert_int_gt(n, 0);
		count += n;
	}
	for (int i = 0; i < MANY; i++) {
		size_t chunk = (size_t)deliveries[i].message.chunk;

		ck_assert(chunk < MANY && !seen[chunk]);
		seen[chunk] = true;
	}
	OK(queue_extend(queue, QUEUE_INDEX, deliveries, MANY, &e));
	OK(queue_hand_back(queue, QUEUE_INDEX, deliveries, 5, &e));
	OK(queue_acknowledge(queue, QUEUE_INDEX, deliveries + 5, MANY - 5, &e));
	expect_depth(QUEUE_INDEX, 5, 0);
	for (int i = 0; i < MANY; i++) {
		ck_assert(!deliveries[i].lost);
		queue_delivery_fini(&deliveries[i]);
	}
}
END_TEST

START_TEST(each_of_a_batch_has_its_own_result)
{
	struct message messages[] = {{.job = 1, .chunk = 0}, {.job = 1, .chunk = 1}};
	struct delivery d[4] = {{.receipt = NULL}};

	OK(queue_send(queue, QUEUE_LOAD, messages, 2, &e));
	for (int count = 0; count < 2;)
		count += receive(QUEUE_LOAD, 1, 5000, &d[2 * count]);
	/* One that has gone, and one that never was. */
	d[1].receipt = buf_strdup(d[2].receipt);
	d[3].receipt = buf_strdup("no receipt, '\"{}\\");
	OK(queue_acknowledge(queue, QUEUE_LOAD, &d[1], 1, &e));
	OK(queue_extend(queue, QUEUE_LOAD, d, 4, &e));
	ck_assert(!d[0].lost);
	ck_assert(d[3].lost);
	if (queue_capabilities(queue) & QUEUE_EXACT)
		ck_assert(d[1].lost && d[2].lost);
	expect_depth(QUEUE_LOAD, 0, 1);
	OK(queue_hand_back(queue, QUEUE_LOAD, &d[1], 3, &e));
	expect_depth(QUEUE_LOAD, 0, 1);
	OK(queue_acknowledge(queue, QUEUE_LOAD, d, 4, &e));
	expect_depth(QUEUE_LOAD, 0, 0);
	for (int i = 0; i < 4; i++)
		queue_delivery_fini(&d[i]);
}
END_TEST

START_TEST(a_receipt_from_before_a_later_delivery_has_no_effect)
{
	struct delivery first, second;

	if (!(queue_capabilities(queue) & QUEUE_EXACT))
		return;
	reopen(1000);
	send_one(QUEUE_LOAD, 1, 0);
	first = expect_one(QUEUE_LOAD, 1000, 1, 0);
	reopen(30000);
	second = expect_one(QUEUE_LOAD, 5000, 1, 0);
	OK(queue_extend(queue, QUEUE_LOAD, &first, 1, &e));
	ck_assert(first.lost);
	OK(queue_hand_back(queue, QUEUE_LOAD, &first, 1, &e));
	expect_depth(QUEUE_LOAD, 0, 1);
	acknowledge(QUEUE_LOAD, &first);
	expect_depth(QUEUE_LOAD, 0, 1);
	acknowledge(QUEUE_LOAD, &second);
	expect_depth(QUEUE_LOAD, 0, 0);
}
END_TEST

START_TEST(a_purged_queue_is_empty)
{
	struct delivery d;

	send_one(QUEUE_LOAD, 1, 0);
	send_one(QUEUE_LOAD, 1, 1);
	send_one(QUEUE_INDEX, 1, 1);
	ck_assert_int_eq(receive(QUEUE_LOAD, 1, 1000, &d), 1);
	OK(queue_purge(queue, QUEUE_LOAD, &e));
	expect_depth(QUEUE_LOAD, 0, 0);
	expect_depth(QUEUE_INDEX, 1, 0);
	OK(queue_hand_back(queue, QUEUE_LOAD, &d, 1, &e));
	expect_none(QUEUE_LOAD, 0);
	queue_delivery_fini(&d);
}
END_TEST

/* What a visit saw, and what it is to do. */
struct looking {
	struct buf seen;
	int64_t remove; /* this chunk; -1: none, -2: all */
	int64_t stop;   /* with an error at this chunk */
	bool again;     /* send it to be loaded */
};

static int
look(void *ctx, const struct message *m, struct err *err)
{
	struct looking *l = ctx;

	buf_printf(&l->seen, "%d/%d ", (int)m->job, (int)m->chunk);
	if (l->stop == m->chunk)
		return err_set(err, ERR_REJECTS, "enough");
	if (l->again) {
		struct message retry = {.job = m->job, .chunk = m->chunk};

		OK(queue_send(queue, QUEUE_LOAD, &retry, 1, err));
	}
	return l->remove == -2 || l->remove == m->chunk;
}

static void
expect_seen(struct looking l, int status, const char *seen)
{
	ck_assert_msg(
	    queue_visit(queue, QUEUE_DEAD, look, &l, &e) == status, "%s", status == 0 ? e.message : "no error");
	ck_assert_str_eq(l.seen.bytes != NULL ? l.seen.bytes : "", seen);
	buf_fini(&l.seen);
}

START_TEST(dead_letters_are_looked_at_and_removed_one_by_one)
{
	const struct looking only = {.remove = -1, .stop = -1};

	expect_seen(only, 0, "");
	for (int i = 0; i < 3; i++)
		send_one(QUEUE_DEAD, 2, i);
	if (queue_capabilities(queue) & QUEUE_EXACT)
		expect_seen(only, 0, "2/0 2/1 2/2 ");
	expect_seen((struct looking){.remove = 1, .stop = -1}, 0, "2/0 2/1 2/2 ");
	expect_depth(QUEUE_DEAD, 2, 0);
	expect_seen((struct looking){.remove = 0, .stop = 2}, -1, "2/0 2/2 ");
	ck_assert_int_eq(e.code, ERR_REJECTS);
	ck_assert_str_eq(e.message, "enough");
	expect_seen(only, 0, "2/2 ");
	expect_seen((struct looking){.remove = -2, .stop = -1, .again = true}, 0, "2/2 ");
	expect_depth(QUEUE_DEAD, 0, 0);
	expect_depth(QUEUE_LOAD, 1, 0);
}
END_TEST

static int
count_message(void *ctx, const struct message *m, struct err *err)
{
	bool *seen = ctx;

	(void)err;
	ck_assert(!seen[m->chunk]);
	seen[m->chunk] = true;
	return 0;
}

START_TEST(a_visit_sees_every_message_once)
{
	enum { MANY = 1201 };
	static struct message messages[MANY];
	static bool seen[MANY];

	for (int i = 0; i < MANY; i++)
		messages[i] = (struct message){.job = 1, .chunk = i};
	OK(queue_send(queue, QUEUE_DEAD, messages, MANY, &e));
	OK(queue_visit(queue, QUEUE_DEAD, count_message, seen, &e));
	for (int i = 0; i < MANY; i++)
		ck_assert(seen[i]);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    what_is_sent_is_received,
	    queues_are_apart,
	    what_is_sent_outlives_its_sender,
	    a_received_message_is_hidden_until_its_visibility_has_run_out,
	    an_extended_message_stays_hidden,
	    a_message_handed_back_is_visible_at_once,
	    an_acknowledged_message_is_gone,
	    many_go_in_batches,
	    each_of_a_batch_has_its_own_result,
	    a_receipt_from_before_a_later_delivery_has_no_effect,
	    a_purged_queue_is_empty,
	    dead_letters_are_looked_at_and_removed_one_by_one,
	    a_visit_sees_every_message_once,
	};

	return broker_run("queue", tests, sizeof tests / sizeof *tests);
}
