/* What the wrapper does for every driver: keys, retries, reading on, messages. The driver here is a made one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "net/url.h"
#include "scratch.h"
#include "store/store.h"
#include "store/store_driver.h"

static struct err e;

/* What the driver was asked, in order, and how many of the next calls fail. */
static struct {
	struct buf calls;
	int failures;
	enum err_code code;
	int64_t slept;
	uint64_t object_size;
	bool leaves;        /* `end` cannot take all away */
	size_t after_bytes; /* a reader fails when it has given so many; 0: never */
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
	return err_set(err, fake.code, "server busy");
}

struct fake_reader {
	uint64_t offset;
	uint64_t end;
	size_t given;
};

static void *
fake_open(const struct store_options *options, const struct url *url, struct err *err)
{
	static char handle;

	(void)options;
	return called(err, "open %s %s", url->host, url->path) == 0 ? &handle : NULL;
}

static void
fake_close(void *handle)
{
	(void)handle;
	buf_string(&fake.calls, "close\n");
}

static void *
fake_create(void *handle, const char *key, const struct store_resume *resume, struct err *err)
{
	(void)resume;
	return called(err, "create %s", key) == 0 ? handle : NULL;
}

static int
fake_write(void *writer, const void *bytes, size_t length, struct err *err)
{
	(void)writer;
	return called(err, "write %.*s", (int)length, (const char *)bytes);
}

static int
fake_commit(void *writer, struct err *err)
{
	(void)writer;
	return called(err, "commit");
}

static bool
fake_end(void *writer, bool keep)
{
	(void)keep;
	(void)writer;
	buf_string(&fake.calls, "end\n");
	return fake.leaves;
}

static void *
fake_get(void *handle, const char *key, uint64_t offset, uint64_t length, struct err *err)
{
	struct fake_reader *reader;

	(void)handle;
	if (called(err, "get %s %d+%d", key, (int)offset, (int)length) != 0)
		return NULL;
	reader = buf_malloc(sizeof *reader);
	*reader = (struct fake_reader){.offset = offset, .end = offset + length};
	return reader;
}

static ssize_t
fake_read(void *handle, void *bytes, size_t capacity, struct err *err)
{
	struct fake_reader *reader = handle;
	size_t n = 3 < capacity ? 3 : capacity;

	if (fake.after_bytes > 0 && reader->given >= fake.after_bytes)
		return err_set(err, fake.code, "connection reset");
	for (size_t i = 0; i < n; i++)
		((char *)bytes)[i] = (char)('a' + reader->offset + i);
	reader->offset += n;
	reader->given += n;
	return (ssize_t)n;
}

static void
fake_release(void *handle)
{
	buf_string(&fake.calls, "release\n");
	free(handle);
}

static int
fake_size(void *handle, const char *key, uint64_t *size, struct err *err)
{
	(void)handle;
	*size = fake.object_size;
	return called(err, "size %s", key);
}

static int
fake_remove(void *handle, const char *key, struct err *err)
{
	(void)handle;
	return called(err, "remove %s", key);
}

static int
fake_list(void *handle, const char *prefix, const char *after, int (*each)(void *ctx, const char *key, struct err *err),
    void *ctx, struct err *err)
{
	static const char *const keys[] = {"K-of-another", "k1", "k2", "k3", "k4"};

	(void)handle;
	if (called(err, "list %s after '%s'", prefix, after) != 0)
		return -1;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcmp(keys[i], after) <= 0)
			continue;
		if (each(ctx, keys[i], err) != 0)
			return -1;
		if (strcmp(keys[i], "k2") == 0 && fake.after_bytes > 0)
			return err_set(err, fake.code, "connection reset");
	}
	return 0;
}

static const struct store_driver driver = {
    .scheme = "fake",
    .block = 4,
    .open = fake_open,
    .close = fake_close,
    .create = fake_create,
    .write = fake_write,
    .commit = fake_commit,
    .end = fake_end,
    .get = fake_get,
    .read = fake_read,
    .release = fake_release,
    .size = fake_size,
    .remove = fake_remove,
    .list = fake_list,
};

static int64_t
fake_now(void *ctx)
{
	(void)ctx;
	return fake.slept;
}

static void
fake_sleep(void *ctx, int64_t ms)
{
	(void)ctx;
	fake.slept += ms;
}

static uint64_t
fake_random(void *ctx)
{
	(void)ctx;
	return 0;
}

static const struct clk clk = {fake_now, fake_sleep, fake_random, NULL};
static struct store *store;

static void
begin(void)
{
	store = store_open_driver(
	    &driver, &(struct store_options){.url = "fake://user:secret@host/folder?token=secret"}, &clk, &e);
	ck_assert_ptr_nonnull(store);
	ck_assert_str_eq(fake.calls.bytes, "open host /folder\n");
	buf_reset(&fake.calls);
	fake.code = ERR_AGAIN;
}

static void
end(void)
{
	buf_reset(&fake.calls);
	store_close(store);
	ck_assert_str_eq(fake.calls.bytes, "close\n");
	buf_fini(&fake.calls);
}

/* A source that gives a text two bytes at a time. */
static ssize_t
text_read(void *ctx, void *bytes, size_t capacity, struct err *err)
{
	const char **text = ctx;
	size_t n = strnlen(*text, capacity < 2 ? capacity : 2);

	(void)err;
	memcpy(bytes, *text, n);
	*text += n;
	return (ssize_t)n;
}

static int
put(const char *text)
{
	uint64_t size;

	return store_put(store, "a/b", text_read, &text, &size, &e);
}

START_TEST(a_driver_gets_whole_blocks_and_one_short_one)
{
	ck_assert_int_eq(put("0123456789"), 0);
	ck_assert_str_eq(fake.calls.bytes, "create a/b\nwrite 0123\nwrite 4567\nwrite 89\ncommit\nend\n");
	buf_reset(&fake.calls);
	ck_assert_int_eq(put("01234567"), 0);
	ck_assert_str_eq(fake.calls.bytes, "create a/b\nwrite 0123\nwrite 4567\ncommit\nend\n");
	buf_reset(&fake.calls);
	ck_assert_int_eq(put(""), 0);
	ck_assert_str_eq(fake.calls.bytes, "create a/b\ncommit\nend\n");
}
END_TEST

START_TEST(what_fails_for_a_while_is_repeated_with_the_same_bytes)
{
	fake.failures = 2;
	ck_assert_int_eq(put("01"), 0);
	ck_assert_str_eq(fake.calls.bytes, "create a/b\ncreate a/b\ncreate a/b\nwrite 01\ncommit\nend\n");
	buf_reset(&fake.calls);
	fake.failures = 1;
	ck_assert_int_eq(store_remove(store, "a", &e), 0);
	ck_assert_str_eq(fake.calls.bytes, "remove a\nremove a\n");
}
END_TEST

START_TEST(what_fails_for_long_is_told_with_store_key_and_attempts)
{
	uint64_t size;

	fake.failures = 1000;
	ck_assert_int_eq(store_size(store, "a/b", &size, &e), -1);
	ck_assert_int_eq(e.code, ERR_AGAIN);
	ck_assert_str_eq(e.message, "store fake://user:***@host/folder: a/b: 10 attempts in 0.9 s: server busy");
	/* The first call that fails ends it; `end` is called always. */
	fake.failures = 0;
	ck_assert_int_eq(put("0123"), 0);
	fake.code = ERR_PERMISSION;
	fake.failures = 1;
	ck_assert_int_eq(put("0123"), -1);
	ck_assert_int_eq(e.code, ERR_PERMISSION);
	ck_assert_str_eq(e.message, "store fake://user:***@host/folder: a/b: server busy");
}
END_TEST

START_TEST(what_a_put_leaves_behind_is_known_until_the_next_one)
{
	fake.leaves = true;
	fake.code = ERR_PERMISSION;
	fake.failures = 1;
	ck_assert_int_eq(put("0123"), -1);
	ck_assert(!store_left(store)); /* it was not even begun */
	ck_assert_int_eq(put("0123"), 0);
	ck_assert(store_left(store));
	fake.leaves = false;
	ck_assert_int_eq(put("0123"), 0);
	ck_assert(!store_left(store));
}
END_TEST

/* Read the range and return it as a string, until an error. */
static const char *
get(uint64_t offset, uint64_t length)
{
	static char bytes[100];
	struct object *object = store_get(store, "k", offset, length, &e);
	size_t got = 0;
	ssize_t n = -1;

	if (object == NULL)
		return NULL;
	while ((n = store_read(object, bytes + got, sizeof bytes - got, &e)) > 0)
		got += (size_t)n;
	bytes[got] = '\0';
	store_release(object);
	return n == 0 ? bytes : NULL;
}

START_TEST(a_broken_read_goes_on_where_it_broke)
{
	fake.after_bytes = 6;
	ck_assert_pstr_eq(get(1, 20), "bcdefghijklmnopqrstu");
	ck_assert_str_eq(
	    fake.calls.bytes, "get k 1+20\nrelease\nget k 7+14\nrelease\nget k 13+8\nrelease\nget k 19+2\nrelease\n");
}
END_TEST

START_TEST(a_read_that_breaks_for_good_is_told)
{
	fake.after_bytes = 6;
	fake.code = ERR_IO;
	ck_assert_ptr_null(get(1, 20));
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_str_eq(e.message, "store fake://user:***@host/folder: k: connection reset");
	ck_assert_str_eq(fake.calls.bytes, "get k 1+20\nrelease\n");
}
END_TEST

START_TEST(an_empty_range_is_only_looked_for)
{
	ck_assert_pstr_eq(get(5, 0), "");
	ck_assert_str_eq(fake.calls.bytes, "size k\n");
}
END_TEST

static int
gather(void *ctx, const char *key, struct err *err)
{
	(void)err;
	buf_printf(ctx, "%s ", key);
	return 0;
}

START_TEST(a_broken_listing_goes_on_behind_the_last_key)
{
	struct buf listed = {0};

	fake.after_bytes = 1;
	ck_assert_int_eq(store_list(store, "k", gather, &listed, &e), 0);
	ck_assert_str_eq(listed.bytes, "k1 k2 k3 k4 ");
	ck_assert_str_eq(fake.calls.bytes, "list k after ''\nlist k after 'k2'\n");
	buf_fini(&listed);
}
END_TEST

static int
stop(void *ctx, const char *key, struct err *err)
{
	++*(int *)ctx;
	return err_set(err, ERR_AGAIN, "enough at %s", key);
}

START_TEST(who_ends_a_listing_is_not_asked_again)
{
	int count = 0;

	ck_assert_int_eq(store_list(store, "k", stop, &count, &e), -1);
	ck_assert_int_eq(count, 1);
	ck_assert_str_eq(e.message, "enough at k1");
}
END_TEST

START_TEST(bad_keys_and_ranges_never_reach_a_driver)
{
	uint64_t size;

	ck_assert_int_eq(store_size(store, "../etc", &size, &e), -1);
	ck_assert_int_eq(e.code, ERR_BUG);
	ck_assert_int_eq(store_remove(store, "", &e), -1);
	ck_assert_ptr_null(store_get(store, "A", 0, 1, &e));
	ck_assert_ptr_null(store_get(store, "a", UINT64_MAX - 1, 2, &e));
	ck_assert_uint_eq(fake.calls.length, 0);
}
END_TEST

START_TEST(a_url_no_driver_speaks_is_a_configuration_error)
{
	ck_assert_ptr_null(store_open(&(struct store_options){.url = "gopher://host/x"}, &e));
	ck_assert_int_eq(e.code, ERR_CONFIG);
	ck_assert_str_eq(e.message, "no object store speaks 'gopher:'; hint: there is file:, s3:, s3+v2:");
	ck_assert_ptr_null(store_open(&(struct store_options){.url = "/srv/csvp"}, &e));
	ck_assert_int_eq(e.code, ERR_CONFIG);
	store_close(NULL);
	store_release(NULL);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_driver_gets_whole_blocks_and_one_short_one,
	    what_fails_for_a_while_is_repeated_with_the_same_bytes,
	    what_a_put_leaves_behind_is_known_until_the_next_one,
	    what_fails_for_long_is_told_with_store_key_and_attempts,
	    a_broken_read_goes_on_where_it_broke,
	    a_read_that_breaks_for_good_is_told,
	    an_empty_range_is_only_looked_for,
	    a_broken_listing_goes_on_behind_the_last_key,
	    who_ends_a_listing_is_not_asked_again,
	    bad_keys_and_ranges_never_reach_a_driver,
	    a_url_no_driver_speaks_is_a_configuration_error,
	};

	return scratch_run_between("store", begin, end, tests, sizeof tests / sizeof *tests);
}
