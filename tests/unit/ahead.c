#include "io/ahead.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "io/source.h"
#include "scratch.h"

/* Numbers that never repeat, in pieces of odd lengths: a body of so many bytes, then its end or an error. */
struct body {
	_Atomic uint64_t given;
	uint64_t length; /* UINT64_MAX: without end */
	bool fails;
	int asked_after; /* how often it was asked once more after its error */
};

static struct err e;

static char
byte_at(uint64_t at)
{
	return (char)(at * 0x9E3779B97F4A7C15U >> 56);
}

static ssize_t
give(void *ctx, void *bytes, size_t capacity, struct err *error)
{
	struct body *body = ctx;
	uint64_t left = body->length - body->given, n = 1 + body->given % 70001;

	n = n < capacity ? n : capacity;
	n = n < left ? n : left;
	if (n == 0 && body->fails) {
		body->asked_after++;
		return err_set(error, ERR_IO, "it broke off");
	}
	for (uint64_t i = 0; i < n; i++)
		((char *)bytes)[i] = byte_at(body->given + i);
	body->given += n;
	return (ssize_t)n;
}

static ssize_t
from_pipe(void *ctx, void *bytes, size_t capacity, struct err *error)
{
	ssize_t n = read(*(int *)ctx, bytes, capacity);

	return n >= 0 ? n : err_set(error, ERR_IO, "read");
}

/* All that comes is what was given, in order: how much, and in `last` what the end was. */
static uint64_t
read_all(struct ahead *ahead, size_t capacity, ssize_t *last)
{
	char *bytes = malloc(capacity);
	uint64_t at = 0, wrong = 0;

	while ((*last = ahead_read(ahead, bytes, capacity, &e)) > 0)
		for (ssize_t i = 0; i < *last; i++, at++)
			wrong += bytes[i] != byte_at(at);
	ck_assert_uint_eq(wrong, 0);
	free(bytes);
	return at;
}

START_TEST(bytes_come_through_in_order)
{
	static const uint64_t lengths[] = {0, 1, 131072, 131073, 524288, 5000000};
	static const size_t capacities[] = {1000, 131072, 1 << 20};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (size_t k = 0; k < sizeof capacities / sizeof *capacities; k++) {
			struct body body = {.length = lengths[i]};
			struct ahead *ahead = ahead_open(&(struct source){give, &body, "body"}, &e);
			ssize_t last;

			ck_assert_uint_eq(read_all(ahead, capacities[k], &last), lengths[i]);
			ck_assert_int_eq(last, 0);
			ck_assert_int_eq(ahead_read(ahead, &last, 1, &e), 0);
			ahead_close(ahead);
		}
}
END_TEST

START_TEST(an_error_comes_after_the_bytes_before_it)
{
	struct body body = {.length = 300000, .fails = true};
	struct ahead *ahead = ahead_open(&(struct source){give, &body, "body"}, &e);
	ssize_t last;

	ck_assert_uint_eq(read_all(ahead, 4096, &last), 300000);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(last, -1);
		ck_assert_int_eq(e.code, ERR_IO);
		ck_assert_str_eq(e.message, "it broke off");
		e = (struct err){0};
		last = ahead_read(ahead, &body, 1, &e);
	}
	ahead_close(ahead);
	ck_assert_int_eq(body.asked_after, 1);
}
END_TEST

START_TEST(it_reads_ahead_but_not_without_bound)
{
	struct body body = {.length = UINT64_MAX};
	struct ahead *ahead = ahead_open(&(struct source){give, &body, "body"}, &e);

	while (body.given < 524288)
		poll(NULL, 0, 1);
	ck_assert_uint_eq(body.given, 524288);
	ahead_close(ahead);
}
END_TEST

START_TEST(a_read_that_returns_can_be_closed_at_any_time)
{
	for (int i = 0; i < 200; i++) {
		struct ahead *ahead;
		char bytes[10];
		int ends[2];

		ck_assert_int_eq(pipe(ends), 0);
		ahead = ahead_open(&(struct source){from_pipe, &ends[0], "pipe"}, &e);
		if (i % 2 == 1)
			ck_assert_int_eq(write(ends[1], "ten bytes.", 10), 10);
		close(ends[1]);
		if (i % 4 == 3)
			ck_assert_int_eq(ahead_read(ahead, bytes, 10, &e), 10);
		ahead_close(ahead);
		close(ends[0]);
	}
	ahead_close(NULL);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    bytes_come_through_in_order,
	    an_error_comes_after_the_bytes_before_it,
	    it_reads_ahead_but_not_without_bound,
	    a_read_that_returns_can_be_closed_at_any_time,
	};

	return scratch_run("ahead", tests, sizeof tests / sizeof *tests);
}
