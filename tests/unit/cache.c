/* What the wrapper owns, over a driver that does as it is told and a clock that moves when it is told. */
#include <check.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "cache/cache_driver.h"
#include "capture.h"

static struct {
	int64_t now;
	enum err_code fails; /* each call, with this code */
	int calls;
	int64_t ttl;
} fake;

static int64_t
fake_now(void *ctx)
{
	(void)ctx;
	return fake.now;
}

static const struct clk clk = {.now = fake_now};

static void *
fake_open(const struct url *url, int64_t ttl, struct err *e)
{
	(void)url, (void)e;
	fake.ttl = ttl;
	return &fake;
}

static void
fake_close(void *self)
{
	(void)self;
}

static int
fake_get(void *self, const struct buf *key, struct buf *value, struct err *e)
{
	(void)self, (void)key;
	fake.calls++;
	if (fake.fails != ERR_NONE)
		return err_set(e, fake.fails, "broken %d", fake.calls);
	buf_string(value, "kept");
	return 1;
}

static int
fake_put(void *self, const struct buf *key, const struct buf *value, struct err *e)
{
	(void)self, (void)key, (void)value;
	fake.calls++;
	return fake.fails != ERR_NONE ? err_set(e, fake.fails, "broken %d", fake.calls) : 0;
}

static const struct cache_driver driver = {fake_open, fake_close, fake_get, fake_put};
static struct cache *cache;
static struct buf key, value;

static void
open_on(const char *url)
{
	struct err e;

	fake.now = 1;
	cache = cache_open_driver(&driver, &(struct cache_options){.url = url}, &clk, &e);
	ck_assert_msg(cache != NULL, "%s", e.message);
	buf_string(&key, "key");
	buf_string(&value, "value");
}

static bool
get(void)
{
	struct buf out = {0};
	bool found = cache_get(cache, &key, &out);

	buf_fini(&out);
	return found;
}

static void
expect_left_alone(void)
{
	ck_assert(!cache_awake(cache));
	fake.calls = 0;
	ck_assert(!get());
	ck_assert(!cache_put(cache, &key, &value));
	ck_assert_int_eq(fake.calls, 0);
}

START_TEST(an_outage_is_left_alone_for_a_while)
{
	open_on("test://x");
	ck_assert(get());
	ck_assert(cache_awake(cache));
	fake.fails = ERR_AGAIN;
	ck_assert(!get());
	expect_left_alone();
	fake.now += CACHE_REST - 1;
	expect_left_alone();
	fake.now += 1;
	ck_assert(cache_awake(cache));
	ck_assert(!cache_put(cache, &key, &value));
	ck_assert_int_eq(fake.calls, 1);
	expect_left_alone();
	fake.fails = ERR_NONE;
	fake.now += CACHE_REST;
	ck_assert(get());
	ck_assert(cache_put(cache, &key, &value));
}
END_TEST

START_TEST(a_call_that_fails_alone_changes_nothing_for_the_next)
{
	open_on("test://x");
	fake.fails = ERR_UNAVAILABLE;
	ck_assert(!get());
	ck_assert(!cache_put(cache, &key, &value));
	ck_assert_int_eq(fake.calls, 2);
	fake.fails = ERR_NONE;
	ck_assert(get());
}
END_TEST

static void
fail_often(void *ctx)
{
	const enum err_code *code = ctx;

	log_init("cache", LOG_NORMAL);
	open_on("test://:secret@x");
	fake.fails = *code;
	for (int i = 0; i < 10; i++) {
		get();
		fake.now += CACHE_REST / 5;
	}
}

START_TEST(each_outage_and_the_first_refusal_give_one_notice_without_the_password)
{
	struct buf out = {0};

	capture(fail_often, &(enum err_code){ERR_AGAIN}, 2, 0, &out);
	ck_assert_str_eq(out.bytes, "cache: cache test://:***@x: broken 1; going on without it\n"
				    "cache: cache test://:***@x: broken 2; going on without it\n");
	buf_reset(&out);
	capture(fail_often, &(enum err_code){ERR_UNAVAILABLE}, 2, 0, &out);
	ck_assert_str_eq(out.bytes, "cache: cache test://:***@x: broken 1\n");
	buf_fini(&out);
}
END_TEST

START_TEST(a_time_to_live_is_the_urls_or_an_hour)
{
	open_on("test://x");
	ck_assert_int_eq(fake.ttl, 3600000);
	cache_close(cache);
	open_on("test://x?ttl=90s");
	ck_assert_int_eq(fake.ttl, 90000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cache");
	TCase *all = tcase_create("cache");
	SRunner *runner = srunner_create(suite);
	int failed;

	log_init("cache", LOG_QUIET);
	tcase_add_test(all, an_outage_is_left_alone_for_a_while);
	tcase_add_test(all, a_call_that_fails_alone_changes_nothing_for_the_next);
	tcase_add_test(all, each_outage_and_the_first_refusal_give_one_notice_without_the_password);
	tcase_add_test(all, a_time_to_live_is_the_urls_or_an_hour);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
