#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "capture.h"
#include "scratch.h"

START_TEST(bytes_are_kept_in_order_while_it_grows)
{
	struct buf b = {0};

	for (int i = 0; i < 100000; i++) {
		buf_byte(&b, (char)i);
		buf_append(&b, "\0x", 2);
	}
	ck_assert_uint_eq(b.length, 300000);
	for (int i = 0; i < 100000; i++) {
		ck_assert_int_eq(b.bytes[3 * i], (char)i);
		ck_assert_int_eq(b.bytes[3 * i + 1], '\0');
		ck_assert_int_eq(b.bytes[3 * i + 2], 'x');
	}
	ck_assert_uint_lt(b.capacity, 500000);
	buf_fini(&b);
	ck_assert_ptr_null(b.bytes);
	ck_assert_uint_eq(b.length + b.capacity, 0);
}
END_TEST

START_TEST(the_content_is_always_a_string)
{
	struct buf b;

	buf_init(&b);
	buf_append(&b, NULL, 0);
	ck_assert_str_eq(b.bytes, "");
	buf_string(&b, "abc");
	ck_assert_str_eq(b.bytes, "abc");
	buf_byte(&b, 'd');
	ck_assert_str_eq(b.bytes, "abcd");
	buf_printf(&b, "%d-%s", 42, "e");
	ck_assert_str_eq(b.bytes, "abcd42-e");
	ck_assert_uint_eq(b.length, 8);
	buf_reset(&b);
	ck_assert_str_eq(b.bytes, "");
	ck_assert_uint_eq(b.length, 0);
	ck_assert_uint_gt(b.capacity, 0);
	buf_append(&b, "xyz", 2);
	ck_assert_str_eq(b.bytes, "xy");
	buf_fini(&b);
	buf_reset(&b);
	buf_fini(&b);
}
END_TEST

START_TEST(reserved_room_is_the_caller_s_to_fill)
{
	struct buf b = {0};

	buf_string(&b, "ab");
	for (size_t more = 0; more < 300000; more = more * 3 + 1) {
		char *to = buf_reserve(&b, more);

		ck_assert_ptr_eq(to, b.bytes + b.length);
		ck_assert_uint_gt(b.capacity, b.length + more);
		memset(to, 'c', more);
		b.length += more;
	}
	ck_assert_int_eq(strncmp(b.bytes, "abccc", 5), 0);
	buf_fini(&b);
}
END_TEST

START_TEST(a_long_format_fits)
{
	struct buf b = {0};
	char *text = buf_malloc(100001);

	memset(text, 'x', 100000);
	text[100000] = '\0';
	buf_printf(&b, "<%s>", text);
	ck_assert_uint_eq(b.length, 100002);
	ck_assert_int_eq(b.bytes[100001], '>');
	free(text);
	buf_fini(&b);
}
END_TEST

START_TEST(a_detached_string_belongs_to_the_caller)
{
	struct buf b = {0};
	char *empty = buf_detach(&b), *text;

	ck_assert_str_eq(empty, "");
	buf_string(&b, "abc");
	text = buf_detach(&b);
	ck_assert_ptr_null(b.bytes);
	ck_assert_uint_eq(b.length + b.capacity, 0);
	buf_string(&b, "def");
	ck_assert_str_eq(text, "abc");
	free(empty);
	free(text);
	buf_fini(&b);
}
END_TEST

START_TEST(copies_are_whole_and_zeroed_memory_is_zero)
{
	char *copy = buf_strdup("abc"), *part = buf_strndup("abcdef", 3), *made = buf_format("%s/%d", "a", 7);
	int *numbers = buf_calloc(100, sizeof *numbers);

	ck_assert_str_eq(copy, "abc");
	ck_assert_str_eq(part, "abc");
	ck_assert_str_eq(made, "a/7");
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(numbers[i], 0);
	numbers[99] = 7;
	numbers = buf_realloc(numbers, 200, sizeof *numbers);
	ck_assert_int_eq(numbers[99], 7);
	free(copy);
	free(part);
	free(made);
	free(numbers);
	/* Nothing is a size, too. */
	free(buf_malloc(0));
	free(buf_calloc(0, 8));
	free(buf_realloc(NULL, 0, 8));
	copy = buf_strndup(NULL, 0);
	ck_assert_str_eq(copy, "");
	free(copy);
}
END_TEST

static void
reserve_too_much(void *ctx)
{
	struct buf b = {0};

	(void)ctx;
	buf_string(&b, "abc");
	buf_reserve(&b, SIZE_MAX - 2);
}

static void
multiply_too_much(void *ctx)
{
	(void)ctx;
	/* Wrapped round it would be 0 bytes. */
	free(buf_realloc(NULL, SIZE_MAX / 2 + 1, 2));
}

static void
ask_too_much(void *ctx)
{
	volatile size_t size = SIZE_MAX / 4;

	(void)ctx;
	free(buf_malloc(size));
}

START_TEST(out_of_memory_is_a_message_and_status_75)
{
	void (*const cases[])(void *ctx) = {
	    reserve_too_much,
	    multiply_too_much,
#ifndef __SANITIZE_ADDRESS__ /* which ends the program itself */
	    ask_too_much,
#endif
	};
	struct buf out = {0};

	(void)ask_too_much;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&out);
		ck_assert_int_eq(capture(cases[i], NULL, STDERR_FILENO, 0, &out), ERR_AGAIN);
		ck_assert_str_eq(out.bytes, "csvp: out of memory\n");
	}
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    bytes_are_kept_in_order_while_it_grows,
	    the_content_is_always_a_string,
	    reserved_room_is_the_caller_s_to_fill,
	    a_long_format_fits,
	    a_detached_string_belongs_to_the_caller,
	    copies_are_whole_and_zeroed_memory_is_zero,
	    out_of_memory_is_a_message_and_status_75,
	};

	return scratch_run("buf", tests, sizeof tests / sizeof *tests);
}
