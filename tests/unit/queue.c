/* What the wrapper does for every driver: checks, batches, retries, waits, bodies. The driver here is a made one. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "net/url.h"
#include "queue/queue.h"
#include "queue/queue_driver.h"
#include "scratch.h"

static struct err e;
static struct queue *queue;

/* What the driver was asked, in order, and what becomes of it. */
static struct {
	struct buf calls;
	int failures; /* of the next calls */
	enum err_code code;
	int64_t time, slept;
	const char *refuses; /* this item of a batch, once */
	const char *lost;    /* this receipt */
	const char *bodies[QUEUE_BATCH];
	int received;
	int empty; /* receives with nothing before those */
	bool break_off;
} fake;

static int
called(struct err *err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&fake.calls, format, ap);
	va_end(ap);
	buf_byte(&fake.calls, '\n');
	if (fake.failures == 0)
		return 0;
	fake.failures--;
	return err_set(err, fake.code, "broker busy");
}

static void
expect_calls(const char *calls)
{
	ck_assert_str_eq(fake.calls.bytes != NULL ? fake.calls.bytes : "", calls);
	buf_reset(&fake.calls);
	if (fake.calls.bytes != NULL)
		fake.calls.bytes[0] = '\0';
}

static void *
fake_open(const struct queue_options *options, const struct url *url, struct err *err)
{
	static char handle;

	return called(err, "open %s %d", url->host, (int)options->visibility) == 0 ? &handle : NULL;
}

static void
fake_close(void *self)
{
	(void)self;
}

/* One line: the operation, its queue and the items, by what tells them apart. */
static int
batch(const char *name, const char *to, struct queue_item *items, size_t count, struct err *err)
{
	struct buf line = {0};
	int status;

	buf_printf(&line, "%s %s", name, to);
	for (size_t i = 0; i < count; i++)
		buf_printf(&line, " %s", items[i].receipt != NULL ? items[i].receipt : items[i].reference);
	status = called(err, "%s", line.bytes);
	buf_fini(&line);
	for (size_t i = 0; status == 0 && i < count; i++) {
		const char *which = items[i].receipt != NULL ? items[i].receipt : items[i].reference;

		items[i].done = fake.refuses == NULL || strcmp(which, fake.refuses) != 0;
		items[i].lost = fake.lost != NULL && strcmp(which, fake.lost) == 0;
	}
	if (status == 0 && fake.refuses != NULL) {
		status = err_set(err, ERR_AGAIN, "throttled");
		fake.refuses = NULL;
	}
	return status;
}

static int
fake_send(void *self, const char *to, struct queue_item *items, size_t count, struct err *err)
{
	(void)self;
	return batch("send", to, items, count, err);
}

static int
fake_extend(void *self, const char *to, struct queue_item *items, size_t count, struct err *err)
{
	(void)self;
	return batch("extend", to, items, count, err);
}

static int
fake_hand_back(void *self, const char *to, struct queue_item *items, size_t count, struct err *err)
{
	(void)self;
	return batch("hand back", to, items, count, err);
}

static int
fake_acknowledge(void *self, const char *to, struct queue_item *items, size_t count, struct err *err)
{
	(void)self;
	return batch("acknowledge", to, items, count, err);
}

static int
fake_receive(void *self, const char *from, size_t most, int64_t wait, struct queue_item *items, struct err *err)
{
	int count = fake.received;

	(void)self;
	if (called(err, "receive %s %zu %d", from, most, (int)wait) != 0)
		return -1;
	if (fake.empty-- > 0 || count == 0) {
		fake.time += wait;
		return 0;
	}
	for (int i = 0; i < count; i++)
		items[i] = (struct queue_item){
		    .body = buf_strdup(fake.bodies[i]), .receipt = buf_format("r%d", i), .received = 1};
	fake.received = 0;
	return count;
}

static int
fake_depth(void *self, const char *name, struct queue_depth *depth, struct err *err)
{
	(void)self;
	*depth = (struct queue_depth){3, 2, -1};
	return called(err, "depth %s", name);
}

static int
fake_visit(
    void *self, const char *name, int (*each)(void *ctx, const char *body, struct err *err), void *ctx, struct err *err)
{
	(void)self;
	if (called(err, "visit %s", name) != 0)
		return -1;
	for (int i = 0; i < fake.received; i++) {
		int verdict = each(ctx, fake.bodies[i], err);

		if (verdict < 0)
			return -1;
		buf_printf(&fake.calls, "verdict %d\n", verdict);
	}
	return fake.break_off ? err_set(err, ERR_AGAIN, "broken off") : 0;
}

static int
fake_purge(void *self, const char *name, struct err *err)
{
	(void)self;
	return called(err, "purge %s", name);
}

static const struct queue_driver fake_driver = {"fake", 0, QUEUE_BATCH, 20000, NULL, fake_open, fake_close, fake_send,
    fake_extend, fake_hand_back, fake_acknowledge, fake_receive, fake_depth, fake_visit, fake_purge};

static int64_t
fake_now(void *ctx)
{
	(void)ctx;
	return fake.time;
}

static void
fake_sleep(void *ctx, int64_t milliseconds)
{
	(void)ctx;
	fake.time += milliseconds;
	fake.slept += milliseconds;
}

static uint64_t
fake_random(void *ctx)
{
	(void)ctx;
	return 0;
}

static const struct clk fake_clock = {fake_now, fake_sleep, fake_random, NULL};

static struct queue *
open_fake(int64_t visibility, const char *prefix)
{
	return queue_open_driver(&fake_driver,
	    &(struct queue_options){.url = "fake://me:secret@host", .visibility = visibility, .prefix = prefix},
	    &fake_clock, &e);
}

static void
begin(void)
{
	log_init("queue", LOG_QUIET);
	sig_init();
	fake.code = ERR_AGAIN;
	queue = open_fake(30000, NULL);
	ck_assert_ptr_nonnull(queue);
	expect_calls("open host 30000\n");
}

static void
end(void)
{
	queue_close(queue);
	buf_fini(&fake.calls);
}

static int
send_many(size_t count)
{
	struct message messages[30];

	for (size_t i = 0; i < count; i++)
		messages[i] = (struct message){.job = 1, .chunk = (int64_t)i};
	return queue_send(queue, QUEUE_LOAD, messages, count, &e);
}

START_TEST(stages_have_names)
{
	enum queue_name name = QUEUE_SPLIT;

	ck_assert_str_eq(queue_stage(QUEUE_INDEX), "index");
	ck_assert(queue_find("dead", &name));
	ck_assert_int_eq(name, QUEUE_DEAD);
	ck_assert(!queue_find("csvp-load", &name));
	ck_assert_int_eq(name, QUEUE_DEAD);
}
END_TEST

START_TEST(each_stage_has_a_queue_of_its_name)
{
	struct queue_depth depth;
	struct queue *other = open_fake(1000, "Test_1-");

	ck_assert_int_eq(queue_depth(queue, QUEUE_SPLIT, &depth, &e), 0);
	ck_assert_uint_eq(depth.visible, 3);
	ck_assert_uint_eq(depth.in_flight, 2);
	ck_assert_int_eq(queue_purge(queue, QUEUE_DEAD, &e), 0);
	ck_assert_int_eq(queue_purge(other, QUEUE_LOAD, &e), 0);
	expect_calls("open host 1000\ndepth csvp-split\npurge csvp-dead\npurge Test_1-load\n");
	queue_close(other);
}
END_TEST

START_TEST(bad_options_are_refused)
{
	char prefix[62];
	struct queue_options options = {.url = "amqp://host", .visibility = 30000};

	memset(prefix, 'p', 61);
	prefix[61] = '\0';
	ck_assert_ptr_null(open_fake(999, NULL));
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(e.message, "a visibility of 999 ms; hint: from 1s to 12h");
	ck_assert_ptr_null(open_fake(12 * 3600 * 1000 + 1, NULL));
	ck_assert_ptr_null(open_fake(30000, "a b"));
	ck_assert_int_eq(e.code, ERR_BUG);
	ck_assert_ptr_null(open_fake(30000, prefix));
	ck_assert_ptr_null(queue_open(&options, &e));
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(e.message, "no message queue speaks 'amqp:'; hint: there is pg:, sqs:");
	options.url = "pg://host/queue";
	ck_assert_ptr_null(queue_open(&options, &e));
	ck_assert_int_eq(e.code, ERR_CONFIG);
	expect_calls("");
}
END_TEST

START_TEST(messages_go_in_batches_of_what_the_driver_takes)
{
	ck_assert_int_eq(send_many(0), 0);
	expect_calls("");
	ck_assert_int_eq(send_many(12), 0);
	expect_calls("send csvp-load 1/0 1/1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9\nsend csvp-load 1/10 1/11\n");
}
END_TEST

START_TEST(a_job_is_referred_to_by_its_number)
{
	struct message m = {.job = 42, .chunk = -1};

	ck_assert_int_eq(queue_send(queue, QUEUE_SPLIT, &m, 1, &e), 0);
	expect_calls("send csvp-split 42\n");
}
END_TEST

START_TEST(what_of_a_batch_has_failed_is_tried_again_alone)
{
	fake.refuses = "1/1";
	ck_assert_int_eq(send_many(3), 0);
	expect_calls("send csvp-load 1/0 1/1 1/2\nsend csvp-load 1/1\n");
	fake.refuses = "1/0";
	ck_assert_int_eq(send_many(11), 0);
	expect_calls(
	    "send csvp-load 1/0 1/1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9\nsend csvp-load 1/0\nsend csvp-load 1/10\n");
	ck_assert_int_gt(fake.slept, 0);
}
END_TEST

START_TEST(a_passing_trouble_is_tried_again)
{
	struct queue_depth depth;

	fake.failures = 2;
	ck_assert_int_eq(queue_depth(queue, QUEUE_LOAD, &depth, &e), 0);
	expect_calls("depth csvp-load\ndepth csvp-load\ndepth csvp-load\n");
	fake.failures = 1;
	ck_assert_int_eq(queue_purge(queue, QUEUE_LOAD, &e), 0);
	expect_calls("purge csvp-load\npurge csvp-load\n");
	fake.failures = 1;
	queue_close(queue);
	queue = open_fake(30000, NULL);
	ck_assert_ptr_nonnull(queue);
	expect_calls("open host 30000\nopen host 30000\n");
}
END_TEST

START_TEST(a_trouble_that_stays_is_told_with_the_queue_and_without_the_password)
{
	fake.failures = 100;
	ck_assert_int_eq(send_many(11), -1);
	ck_assert_int_eq(e.code, ERR_AGAIN);
	ck_assert_ptr_nonnull(strstr(e.message, "queue fake://"));
	ck_assert_ptr_nonnull(strstr(e.message, ": csvp-load: "));
	ck_assert_ptr_nonnull(strstr(e.message, "broker busy"));
	ck_assert_ptr_null(strstr(e.message, "secret"));
	/* The second batch is not begun. */
	ck_assert_ptr_null(strstr(fake.calls.bytes, "1/10"));
	ck_assert_int_eq(100 - fake.failures, 6);
}
END_TEST

START_TEST(what_no_attempt_can_cure_is_not_tried_again)
{
	fake.failures = 100;
	fake.code = ERR_PERMISSION;
	ck_assert_int_eq(send_many(1), -1);
	ck_assert_int_eq(e.code, ERR_PERMISSION);
	ck_assert_ptr_null(open_fake(30000, NULL));
	ck_assert_int_eq(fake.failures, 98);
}
END_TEST

START_TEST(bodies_are_taken_apart)
{
	struct delivery d[3];

	fake.bodies[0] = "{\"job\":42,\"chunk\":7}";
	fake.bodies[1] = "{\"job\":43,\"stage\":\"load\",\"error\":\"why\"}";
	fake.received = 2;
	ck_assert_int_eq(queue_receive(queue, QUEUE_DEAD, 3, 0, d, &e), 2);
	expect_calls("receive csvp-dead 3 0\n");
	ck_assert_int_eq(d[0].message.chunk, 7);
	ck_assert_str_eq(d[0].receipt, "r0");
	ck_assert_int_eq(d[1].message.job, 43);
	ck_assert_str_eq(d[1].message.error, "why");
	ck_assert_str_eq(d[1].receipt, "r1");
	queue_delivery_fini(&d[0]);
	queue_delivery_fini(&d[1]);
}
END_TEST

START_TEST(what_is_no_message_is_removed_and_the_wait_goes_on)
{
	struct delivery d[2];

	fake.bodies[0] = "hello";
	fake.received = 1;
	ck_assert_int_eq(queue_receive(queue, QUEUE_LOAD, 2, 1000, d, &e), 0);
	expect_calls("receive csvp-load 2 1000\nacknowledge csvp-load r0\nreceive csvp-load 2 1000\n");
	fake.bodies[1] = "{\"job\":42}";
	fake.received = 2;
	ck_assert_int_eq(queue_receive(queue, QUEUE_LOAD, 2, 1000, d, &e), 1);
	ck_assert_int_eq(d[0].message.job, 42);
	ck_assert_str_eq(d[0].receipt, "r1");
	queue_delivery_fini(&d[0]);
}
END_TEST

START_TEST(a_long_wait_is_several_of_the_drivers)
{
	struct delivery d;

	ck_assert_int_eq(queue_receive(queue, QUEUE_LOAD, 1, 50000, &d, &e), 0);
	expect_calls("receive csvp-load 1 20000\nreceive csvp-load 1 20000\nreceive csvp-load 1 10000\n");
	ck_assert_int_eq(fake.time, 50000);
	fake.empty = 1;
	fake.bodies[0] = "{\"job\":42}";
	fake.received = 1;
	ck_assert_int_eq(queue_receive(queue, QUEUE_LOAD, 1, 50000, &d, &e), 1);
	expect_calls("receive csvp-load 1 20000\nreceive csvp-load 1 20000\n");
	queue_delivery_fini(&d);
}
END_TEST

START_TEST(after_a_signal_nothing_is_received_but_what_is_held_is_handed_back)
{
	struct delivery d = {.receipt = (char[]){"r0"}};
	struct delivery none;

	raise(SIGTERM);
	ck_assert_int_eq(queue_receive(queue, QUEUE_LOAD, 1, 1000, &none, &e), -1);
	ck_assert_int_eq(e.code, ERR_SIGTERM);
	ck_assert_int_eq(queue_hand_back(queue, QUEUE_LOAD, &d, 1, &e), 0);
	expect_calls("hand back csvp-load r0\n");
	/* Nor is anything waited for then. */
	fake.failures = 1;
	ck_assert_int_eq(queue_hand_back(queue, QUEUE_LOAD, &d, 1, &e), -1);
	ck_assert_int_eq(fake.slept, 0);
}
END_TEST

START_TEST(who_has_lost_a_message_is_told_which)
{
	struct delivery d[3] = {{.receipt = (char[]){"a"}}, {.receipt = (char[]){"b"}}, {.receipt = (char[]){"c"}}};

	fake.lost = "b";
	/* Tried again alone, the first comes last. */
	fake.refuses = "a";
	ck_assert_int_eq(queue_extend(queue, QUEUE_INDEX, d, 3, &e), 0);
	expect_calls("extend csvp-index a b c\nextend csvp-index a\n");
	ck_assert(!d[0].lost && d[1].lost && !d[2].lost);
	ck_assert_int_eq(queue_acknowledge(queue, QUEUE_INDEX, d, 2, &e), 0);
	expect_calls("acknowledge csvp-index a b\n");
}
END_TEST

static int
judge(void *ctx, const struct message *m, struct err *err)
{
	(void)ctx;
	if (m->chunk == 9)
		return err_set(err, ERR_AGAIN, "enough");
	return m->chunk == 1;
}

START_TEST(a_visit_hands_on_verdicts)
{
	fake.bodies[0] = "{\"job\":1,\"chunk\":0}";
	fake.bodies[1] = "what?";
	fake.bodies[2] = "{\"job\":1,\"chunk\":1}";
	fake.received = 3;
	ck_assert_int_eq(queue_visit(queue, QUEUE_DEAD, judge, NULL, &e), 0);
	expect_calls("visit csvp-dead\nverdict 0\nverdict 0\nverdict 1\n");
}
END_TEST

START_TEST(a_visit_is_tried_again_only_before_its_first_message)
{
	fake.failures = 1;
	ck_assert_int_eq(queue_visit(queue, QUEUE_DEAD, judge, NULL, &e), 0);
	expect_calls("visit csvp-dead\nvisit csvp-dead\n");
	fake.bodies[0] = "{\"job\":1,\"chunk\":0}";
	fake.received = 1;
	fake.break_off = true;
	ck_assert_int_eq(queue_visit(queue, QUEUE_DEAD, judge, NULL, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "csvp-dead: broken off"));
	expect_calls("visit csvp-dead\nverdict 0\n");
	/* The visitor's own error is not the queue's. */
	fake.bodies[0] = "{\"job\":1,\"chunk\":9}";
	ck_assert_int_eq(queue_visit(queue, QUEUE_DEAD, judge, NULL, &e), -1);
	ck_assert_str_eq(e.message, "enough");
	expect_calls("visit csvp-dead\n");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    stages_have_names,
	    each_stage_has_a_queue_of_its_name,
	    bad_options_are_refused,
	    messages_go_in_batches_of_what_the_driver_takes,
	    a_job_is_referred_to_by_its_number,
	    what_of_a_batch_has_failed_is_tried_again_alone,
	    a_passing_trouble_is_tried_again,
	    a_trouble_that_stays_is_told_with_the_queue_and_without_the_password,
	    what_no_attempt_can_cure_is_not_tried_again,
	    bodies_are_taken_apart,
	    what_is_no_message_is_removed_and_the_wait_goes_on,
	    a_long_wait_is_several_of_the_drivers,
	    after_a_signal_nothing_is_received_but_what_is_held_is_handed_back,
	    who_has_lost_a_message_is_told_which,
	    a_visit_hands_on_verdicts,
	    a_visit_is_tried_again_only_before_its_first_message,
	};

	return scratch_run_between("queue", begin, end, tests, sizeof tests / sizeof *tests);
}
