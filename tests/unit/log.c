#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "capture.h"
#include "scratch.h"

static void
say_all(void *ctx)
{
	log_init("csvp-test", *(enum log_level *)ctx);
	log_error("an error, %d", 1);
	log_notice("a notice, %s", "2");
	log_detail("a detail");
}

static void
expect_lines(enum log_level level, const char *lines)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(say_all, &level, STDERR_FILENO, 0, &out), 0);
	ck_assert_str_eq(out.bytes, lines);
	buf_fini(&out);
}

START_TEST(the_level_decides_what_is_said)
{
	expect_lines(LOG_QUIET, "csvp-test: an error, 1\n");
	expect_lines(LOG_NORMAL, "csvp-test: an error, 1\ncsvp-test: a notice, 2\n");
	expect_lines(LOG_VERBOSE, "csvp-test: an error, 1\ncsvp-test: a notice, 2\ncsvp-test: a detail\n");
}
END_TEST

START_TEST(a_line_is_one_write)
{
	char bytes[4096];
	int packets[2];

	/* Such a pipe keeps writes apart (pipe(2), O_DIRECT). */
	ck_assert_int_eq(pipe2(packets, O_DIRECT), 0);
	fflush(stderr);
	dup2(packets[1], STDERR_FILENO);
	log_init("csvp-test", LOG_NORMAL);
	log_notice("%s", "one");
	log_notice("%0500d", 2);
	ck_assert_int_eq(read(packets[0], bytes, sizeof bytes), strlen("csvp-test: one\n"));
	ck_assert_int_eq(read(packets[0], bytes, sizeof bytes), strlen("csvp-test: \n") + 500);
}
END_TEST

static void
before(void)
{
	if (write(STDERR_FILENO, "<", 1) != 1)
		abort();
}

static void
after(void)
{
	if (write(STDERR_FILENO, ">", 1) != 1)
		abort();
}

static void
say_around(void *ctx)
{
	(void)ctx;
	log_init("p", LOG_NORMAL);
	log_around(before, after);
	log_notice("one");
	log_detail("not said");
	log_around(NULL, NULL);
	log_notice("two");
}

START_TEST(a_progress_line_is_cleared_before_and_drawn_after)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(say_around, NULL, STDERR_FILENO, 0, &out), 0);
	ck_assert_str_eq(out.bytes, "<p: one\n>p: two\n");
	buf_fini(&out);
}
END_TEST

static void *
say_many(void *ctx)
{
	for (int i = 0; i < 200; i++)
		log_notice("%s", (const char *)ctx);
	return NULL;
}

static void
say_in_threads(void *ctx)
{
	pthread_t threads[4];

	(void)ctx;
	log_init("p", LOG_NORMAL);
	log_around(before, after);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, say_many, (void *)(uintptr_t) "line");
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(threads_do_not_mix_their_lines)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(say_in_threads, NULL, STDERR_FILENO, 0, &out), 0);
	ck_assert_uint_eq(out.length, 800 * strlen("<p: line\n>"));
	for (size_t i = 0; i < out.length; i += strlen("<p: line\n>"))
		ck_assert_int_eq(strncmp(out.bytes + i, "<p: line\n>", strlen("<p: line\n>")), 0);
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    the_level_decides_what_is_said,
	    a_line_is_one_write,
	    a_progress_line_is_cleared_before_and_drawn_after,
	    threads_do_not_mix_their_lines,
	};

	return scratch_run("log", tests, sizeof tests / sizeof *tests);
}
