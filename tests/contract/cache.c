/*
 * What every cache must do, over none: and over redis: on a server of this program's own (and on each URL of
 * CSVP_TEST_CACHE_URL, separated by blanks); and what a Redis that fails may cost.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "cache/cache.h"
#include "cases.h"
#include "expect.h"
#include "redis.h"

static struct redis server;
static const char *url; /* of the cache under test */
static bool keeps, own;
static struct cache *cache;
static struct err e;

/* A key that no case before has used. */
static struct buf
new_key(void)
{
	struct buf key = {0};

	buf_printf(&key, "csvp-test:%llx", (unsigned long long)clk_random(clk_system()));
	return key;
}

static struct buf
text(const char *bytes)
{
	struct buf b = {0};

	buf_string(&b, bytes);
	return b;
}

static struct cache *
open_cache(const char *to)
{
	struct cache *opened = cache_open(&(struct cache_options){.url = to}, &e);

	ck_assert_msg(opened != NULL, "%s", e.message);
	return opened;
}

static void
begin(void)
{
	cache = open_cache(url);
}

static void
end(void)
{
	cache_close(cache);
}

static void
expect_found(const struct buf *key, const struct buf *value)
{
	struct buf got = {0};

	buf_string(&got, "before");
	ck_assert_int_eq(cache_get(cache, key, &got), keeps);
	if (keeps) {
		ck_assert_uint_eq(got.length, 6 + value->length);
		ck_assert_int_eq(memcmp(got.bytes + 6, value->bytes, value->length), 0);
	} else {
		ck_assert_uint_eq(got.length, 6);
	}
	buf_fini(&got);
}

static void
expect_nothing(const struct buf *key)
{
	struct buf got = {0};

	ck_assert(!cache_get(cache, key, &got));
	ck_assert_uint_eq(got.length, 0);
	buf_fini(&got);
}

static void
put(const struct buf *key, const struct buf *value)
{
	ck_assert_int_eq(cache_put(cache, key, value), keeps);
}

START_TEST(what_was_never_kept_is_not_found)
{
	struct buf key = new_key();

	expect_nothing(&key);
	ck_assert_int_eq(cache_awake(cache), keeps);
	OK(cache_probe(cache, &e));
	buf_fini(&key);
}
END_TEST

START_TEST(what_is_kept_is_found_by_its_key_alone)
{
	struct buf key = new_key(), other = new_key(), value = text("an answer");

	put(&key, &value);
	expect_found(&key, &value);
	expect_nothing(&other);
	/* Another handle, as another program on another host. */
	cache_close(cache);
	cache = open_cache(url);
	expect_found(&key, &value);
	buf_fini(&key);
	buf_fini(&other);
	buf_fini(&value);
}
END_TEST

START_TEST(keys_and_values_are_any_bytes)
{
	struct buf key = new_key(), value = {0}, empty = text("");

	buf_append(&key, "\0 \r\n%s\xff", 7);
	for (int i = 0; i < 1000; i++)
		buf_byte(&value, (char)(i * 7));
	put(&key, &value);
	expect_found(&key, &value);
	put(&key, &empty);
	expect_found(&key, &empty);
	buf_fini(&key);
	buf_fini(&value);
	buf_fini(&empty);
}
END_TEST

START_TEST(a_value_replaces_the_one_before)
{
	struct buf key = new_key(), first = text("first"), second = text("second");

	put(&key, &first);
	put(&key, &second);
	expect_found(&key, &second);
	buf_fini(&key);
	buf_fini(&first);
	buf_fini(&second);
}
END_TEST

START_TEST(the_largest_is_kept_and_a_larger_one_is_not)
{
	struct buf key = new_key(), value = {0};

	memset(buf_reserve(&value, CACHE_LARGEST_VALUE + 1), 'x', CACHE_LARGEST_VALUE + 1);
	value.length = CACHE_LARGEST_VALUE + 1;
	ck_assert(!cache_put(cache, &key, &value));
	expect_nothing(&key);
	value.length = CACHE_LARGEST_VALUE;
	put(&key, &value);
	expect_found(&key, &value);
	while (key.length < CACHE_LONGEST_KEY)
		buf_byte(&key, 'k');
	put(&key, &value);
	expect_found(&key, &value);
	buf_byte(&key, 'k');
	ck_assert(!cache_put(cache, &key, &value));
	expect_nothing(&key);
	buf_fini(&key);
	buf_fini(&value);
}
END_TEST

/* What follows is about Redis, and runs on the server of this program. */

START_TEST(what_is_kept_is_forgotten_after_its_time)
{
	char *to = buf_format("redis://127.0.0.1:%d/?ttl=1s", server.port);
	struct buf key = new_key(), value = text("soon gone"), got = {0};
	int64_t start;

	if (!own)
		goto done;
	cache_close(cache);
	cache = open_cache(to);
	start = clk_now(clk_system());
	put(&key, &value);
	expect_found(&key, &value);
	for (; cache_get(cache, &key, &got); buf_reset(&got))
		ck_assert_int_lt(clk_now(clk_system()) - start, 10000);
	ck_assert(cache_awake(cache));
	ck_assert_int_ge(clk_now(clk_system()) - start, 990);

done:
	buf_fini(&key);
	buf_fini(&got);
	buf_fini(&value);
	free(to);
}
END_TEST

START_TEST(a_database_and_a_password_are_those_of_the_url)
{
	char *one = buf_format("redis://:pass%%20word@127.0.0.1:%d/1", server.port);
	char *two = buf_format("redis://default:pass%%20word@127.0.0.1:%d/2", server.port);
	char *wrong = buf_format("redis://:wrong@127.0.0.1:%d/1", server.port);
	struct buf key = new_key(), value = text("of one");

	if (!own)
		goto done;
	redis_expect(&server, "CONFIG SET requirepass \"pass word\"", "+OK");
	/* This handle has not connected yet, and has no password. */
	expect_nothing(&key);
	ck_assert(!cache_awake(cache));
	cache_close(cache);
	cache = open_cache(wrong);
	expect_nothing(&key);
	ck_assert(!cache_awake(cache));
	cache_close(cache);
	cache = open_cache(one);
	put(&key, &value);
	expect_found(&key, &value);
	cache_close(cache);
	cache = open_cache(two);
	expect_nothing(&key);
	ck_assert(cache_awake(cache));
	redis_expect(&server, "AUTH \"pass word\"\r\nCONFIG SET requirepass \"\"", "+OK");

done:
	buf_fini(&key);
	buf_fini(&value);
	free(one);
	free(two);
	free(wrong);
}
END_TEST

/* How long a call took, in milliseconds; that it found nothing; and that all later ones cost nothing. */
static void
expect_outage(int64_t most)
{
	struct buf key = new_key(), value = text("x");
	int64_t start = clk_now(clk_system()), took;

	expect_nothing(&key);
	took = clk_now(clk_system()) - start;
	ck_assert_msg(took <= most, "%d ms", (int)took);
	ck_assert(!cache_awake(cache));
	start = clk_now(clk_system());
	for (int i = 0; i < 1000; i++) {
		ck_assert(!cache_put(cache, &key, &value));
		expect_nothing(&key);
	}
	ck_assert_int_lt(clk_now(clk_system()) - start, CACHE_PATIENCE);
	buf_fini(&key);
	buf_fini(&value);
}

START_TEST(a_dead_redis_costs_one_attempt)
{
	struct buf key = new_key(), value = text("x");

	if (!own)
		goto done;
	put(&key, &value);
	redis_stop(&server);
	FAILS(ERR_AGAIN, cache_probe(cache, &e));
	expect_outage(3 * CACHE_PATIENCE);
	redis_start(&server);
	/* Another program need not wait. */
	cache_close(cache);
	cache = open_cache(url);
	put(&key, &value);
	redis_stop(&server);

done:
	buf_fini(&key);
	buf_fini(&value);
}
END_TEST

START_TEST(a_stopped_redis_costs_its_time_out_once)
{
	struct buf key = new_key(), value = text("x");
	int64_t start;

	if (!own)
		goto done;
	for (int connected = 0; connected < 2; connected++) {
		if (connected)
			put(&key, &value);
		kill(server.pid, SIGSTOP);
		start = clk_now(clk_system());
		expect_outage(5 * CACHE_PATIENCE);
		ck_assert_int_ge(clk_now(clk_system()) - start, CACHE_PATIENCE - 1);
		kill(server.pid, SIGCONT);
		cache_close(cache);
		cache = open_cache(url);
	}

done:
	buf_fini(&key);
	buf_fini(&value);
}
END_TEST

START_TEST(a_connection_that_the_server_has_closed_is_made_again)
{
	struct buf key = new_key(), value = text("x");

	if (!own)
		goto done;
	put(&key, &value);
	redis_expect(&server, "CLIENT KILL TYPE normal", ":");
	expect_found(&key, &value);
	ck_assert(cache_awake(cache));

done:
	buf_fini(&key);
	buf_fini(&value);
}
END_TEST

START_TEST(a_full_redis_keeps_nothing_and_still_finds)
{
	struct buf key = new_key(), other = new_key(), value = text("x");

	if (!own)
		goto done;
	put(&key, &value);
	redis_expect(&server, "CONFIG SET maxmemory-policy noeviction", "+OK");
	redis_expect(&server, "CONFIG SET maxmemory 1", "+OK");
	ck_assert(!cache_put(cache, &other, &value));
	FAILS(ERR_UNAVAILABLE, cache_probe(cache, &e));
	expect_found(&key, &value);
	ck_assert(cache_awake(cache));
	redis_expect(&server, "CONFIG SET maxmemory 0", "+OK");
	put(&other, &value);

done:
	buf_fini(&key);
	buf_fini(&other);
	buf_fini(&value);
}
END_TEST

START_TEST(a_key_of_another_type_is_not_found_and_can_be_put)
{
	struct buf key = new_key(), value = text("x");
	char *command = buf_format("LPUSH %s a", key.bytes);

	if (!own)
		goto done;
	redis_expect(&server, command, ":1");
	expect_nothing(&key);
	ck_assert(cache_awake(cache));
	put(&key, &value);
	expect_found(&key, &value);

done:
	buf_fini(&key);
	buf_fini(&value);
	free(command);
}
END_TEST

/* One that answers, but not as Redis does. */
static void
impostor(int fd, const char *answer)
{
	char byte;
	int with = accept(fd, NULL, NULL);

	if (read(with, &byte, 1) != 1 || write(with, answer, strlen(answer)) < 0)
		_exit(1);
	/* To the end of the other side. */
	while (read(with, &byte, 1) > 0)
		continue;
	_exit(0);
}

START_TEST(what_is_no_redis_and_what_drips_cost_no_more)
{
	static const char *const answers[] = {
	    "HTTP/1.1 400 Bad Request\r\n\r\n", "$10\r\nabc", "$99999999999999999999\r\n"};

	if (!own)
		return;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct sockaddr_in address = redis_address(0);
		socklen_t size = sizeof address;
		int fd = socket(AF_INET, SOCK_STREAM, 0), status;
		pid_t pid;
		char *to;

		ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
		ck_assert_int_eq(listen(fd, 5), 0);
		ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
		pid = fork();
		if (pid == 0)
			impostor(fd, answers[i]);
		to = buf_format("redis://127.0.0.1:%d", ntohs(address.sin_port));
		cache_close(cache);
		cache = open_cache(to);
		expect_outage(5 * CACHE_PATIENCE);
		cache_close(cache);
		cache = open_cache(url);
		close(fd);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		free(to);
	}
}
END_TEST

START_TEST(wrong_urls_are_refused_at_once)
{
	static const char *const wrong[] = {"redis:", "redis://h/x", "redis://h:99999", "redis://h?ttl=0",
	    "redis://h?ttl=1000h", "redis://h?tls=1", "rediss://h", "memcached://h", "h:1"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct cache *opened = cache_open(&(struct cache_options){.url = wrong[i]}, &e);

		ck_assert_msg(opened == NULL, "%s", wrong[i]);
		ck_assert_int_eq(e.code, ERR_CONFIG);
		ck_assert_msg(strncmp(e.message, "cache ", 6) == 0, "%s", e.message);
	}
	ck_assert_ptr_null(cache_open(&(struct cache_options){.url = "redis://:secret@h/x"}, &e));
	ck_assert_ptr_null(strstr(e.message, "secret"));
}
END_TEST

static int
run_on(const char *to, bool is_own)
{
	url = to;
	own = is_own;
	keeps = strcmp(to, "none:") != 0;
	const TTest *const tests[] = {
	    what_was_never_kept_is_not_found,
	    what_is_kept_is_found_by_its_key_alone,
	    keys_and_values_are_any_bytes,
	    a_value_replaces_the_one_before,
	    the_largest_is_kept_and_a_larger_one_is_not,
	    what_is_kept_is_forgotten_after_its_time,
	    a_database_and_a_password_are_those_of_the_url,
	    a_connection_that_the_server_has_closed_is_made_again,
	    a_full_redis_keeps_nothing_and_still_finds,
	    a_key_of_another_type_is_not_found_and_can_be_put,
	    a_stopped_redis_costs_its_time_out_once,
	    what_is_no_redis_and_what_drips_cost_no_more,
	    wrong_urls_are_refused_at_once,
	    a_dead_redis_costs_one_attempt,
	};

	return cases_run(to, begin, end, tests, sizeof tests / sizeof *tests);
}

int
main(void)
{
	const char *more = getenv("CSVP_TEST_CACHE_URL");
	char *list = buf_strdup(more != NULL ? more : ""), *rest = list, *given;
	int failed = run_on("none:", false);

	if (redis_start(&server)) {
		char *to = buf_format("redis://127.0.0.1:%d", server.port);

		failed |= run_on(to, true);
		redis_stop(&server);
		free(to);
	} else {
		printf("skip - redis: redis-tools are not installed\n");
	}
	while ((given = strsep(&rest, " ")) != NULL)
		if (given[0] != '\0')
			failed |= run_on(given, false);
	free(list);
	return failed;
}
