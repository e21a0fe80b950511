#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "capture.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/refs.h"

static struct buf out;

static const char *
text(struct progress_figures f, size_t width)
{
	buf_reset(&out);
	progress_text(&f, width, &out);
	return out.bytes;
}

static const char *
json(struct progress_figures f)
{
	buf_reset(&out);
	progress_json(&f, &out);
	return out.bytes;
}

START_TEST(the_line_tells_bytes_share_speed_and_end)
{
	ck_assert_str_eq(text((struct progress_figures){"load", 100 << 20, 400 << 20, 70000, 2000, 0, 0}, 80),
	    "load  100.0 MB of 400.0 MB  25%  35000 records/s  ETA 0:06");
	ck_assert_str_eq(text((struct progress_figures){"upload", 1000, 0, 0, 2000, 0, 0}, 80), "upload  1000 B");
	ck_assert_str_eq(
	    text((struct progress_figures){"upload", 0, 1024, 0, 0, 0, 0}, 80), "upload  0 B of 1.0 kB  0%");
	ck_assert_str_eq(text((struct progress_figures){"split", 1, 3 << 20, 0, 5000, 0, 0}, 80),
	    "split  1 B of 3.0 MB  0%  ETA 4369:03:55");
}
END_TEST

START_TEST(nothing_is_foretold_from_the_first_moments)
{
	ck_assert_ptr_null(strstr(text((struct progress_figures){"load", 5, 10, 5, 400, 0, 0}, 80), "ETA"));
	ck_assert_ptr_null(strstr(text((struct progress_figures){"load", 5, 10, 5, 400, 0, 0}, 80), "records/s"));
	ck_assert_ptr_nonnull(strstr(text((struct progress_figures){"load", 5, 10, 5, 500, 0, 0}, 80), "ETA 0:01"));
}
END_TEST

START_TEST(what_was_done_when_the_clock_started_is_no_speed)
{
	ck_assert_str_eq(text((struct progress_figures){"load", 300, 500, 30, 2000, 100, 10}, 80),
	    "load  300 B of 500 B  60%  10 records/s  ETA 0:02");
	ck_assert_str_eq(
	    text((struct progress_figures){"load", 100, 500, 10, 2000, 100, 10}, 80), "load  100 B of 500 B  20%");
}
END_TEST

START_TEST(more_than_the_total_is_all_of_it)
{
	ck_assert_str_eq(
	    text((struct progress_figures){"load", 20, 10, 0, 1000, 0, 0}, 80), "load  20 B of 10 B  100%  ETA 0:00");
}
END_TEST

START_TEST(the_line_is_cut_to_the_terminal)
{
	ck_assert_str_eq(text((struct progress_figures){"load", 100 << 20, 400 << 20, 70000, 2000, 0, 0}, 20),
	    "load  100.0 MB of 40");
}
END_TEST

START_TEST(json_is_one_object_a_line)
{
	ck_assert_str_eq(json((struct progress_figures){"load", 0, 0, 0, 0, 0, 0}),
	    "{\"verb\":\"load\",\"bytes\":0,\"total\":0,\"records\":0,\"seconds\":0.0,\"eta\":null}\n");
	ck_assert_str_eq(json((struct progress_figures){"load", 1, 3, 7, 1550, 0, 0}),
	    "{\"verb\":\"load\",\"bytes\":1,\"total\":3,\"records\":7,\"seconds\":1.5,\"eta\":3.1}\n");
}
END_TEST

/* A clock that goes on by `step` each time it is read. */
struct steps {
	int64_t now;
	int64_t step;
};

static int64_t
step(void *ctx)
{
	struct steps *steps = ctx;

	steps->now += steps->step;
	return steps->now;
}

/* What a child does with its progress; the options it was given. */
struct play {
	const char *option;
	bool log, reference;
};

#define ADDS 100
#define STEP_MS 20

static void
run(void *ctx)
{
	static char name[] = "csvp-test";
	static const struct option none[] = {{NULL, '\0', NULL, OPTION_FLAG, NULL, NULL}};
	static const struct program program = {name, "", "tests progress", none, NULL};
	struct play *play = ctx;
	struct steps steps = {0, STEP_MS};
	struct clk clk = {.now = step, .ctx = &steps};
	char *argv[] = {name, buf_strdup(play->option), NULL}, **operands;
	struct ref ref = {42, 7, ERR_NONE};
	struct progress *p;
	struct err e = {0};
	bool closed;
	size_t count;

	if (options_parse(&program, 2, argv, &operands, &count, &e) != 0)
		_exit(1);
	p = progress_new_clock("load", &clk);
	progress_total(p, 2 * ADDS);
	for (int i = 0; i < ADDS; i++)
		progress_add(p, 1, 1);
	if (play->log)
		log_notice("a notice");
	if (play->reference && refs_print(&ref, &closed, &e) != 0)
		_exit(1);
	progress_free(p);
	if (play->log)
		log_notice("after");
}

static char *
played(struct play play, int columns)
{
	struct buf seen = {0};

	buf_string(&seen, "");
	ck_assert_int_eq(capture(run, &play, STDERR_FILENO, columns, &seen), 0);
	return buf_detach(&seen);
}

/* The clock goes on by an hour before there is work; the first chunk is done when it is first heard of. */
static void
run_late(void *ctx)
{
	struct steps steps = {0, 0};
	struct clk clk = {.now = step, .ctx = &steps};
	struct progress *p = progress_new_clock("load", &clk);

	(void)ctx;
	steps.now = 3600000;
	progress_add(p, 1000, 50);
	steps.now += 1000;
	progress_add(p, 2000, 100);
	progress_free(p);
}

START_TEST(waiting_for_work_is_no_part_of_the_speed)
{
	struct buf seen = {0};

	ck_assert_int_eq(capture(run_late, NULL, STDERR_FILENO, 80, &seen), 0);
	ck_assert_ptr_nonnull(strstr(seen.bytes, "load  2.9 kB  100 records/s"));
	buf_fini(&seen);
}
END_TEST

static size_t
occurrences(const char *in, const char *of)
{
	size_t count = 0;

	for (; (in = strstr(in, of)) != NULL; in += strlen(of))
		count++;
	return count;
}

START_TEST(the_line_is_drawn_ten_times_a_second_and_gone_at_the_end)
{
	char *seen = played((struct play){"--", false, false}, 80);

	/* Two seconds by the clock. */
	ck_assert_uint_eq(occurrences(seen, "\r\033[Kload  "), ADDS * STEP_MS / 100);
	ck_assert_ptr_nonnull(strstr(seen, "100 B of 200 B  50%  50 records/s  ETA 0:02"));
	ck_assert_str_eq(seen + strlen(seen) - 4, "\r\033[K");
	ck_assert_ptr_null(strchr(seen, '\n'));
	free(seen);
}
END_TEST

START_TEST(nothing_is_drawn_where_nobody_looks)
{
	char *piped = played((struct play){"--", false, false}, 0),
	     *quiet = played((struct play){"-q", false, false}, 80);

	ck_assert_str_eq(piped, "");
	ck_assert_str_eq(quiet, "");
	free(piped);
	free(quiet);
}
END_TEST

START_TEST(json_comes_once_a_second_and_at_the_end_whatever_stderr_is)
{
	for (int columns = 0; columns <= 80; columns += 80) {
		char *seen = played((struct play){"--progress=json", false, false}, columns);

		ck_assert_uint_eq(occurrences(seen, "\n"), 3);
		ck_assert_uint_eq(occurrences(seen, "{\"verb\":\"load\","), 3);
		ck_assert_ptr_nonnull(strstr(seen, "\"bytes\":100,\"total\":200,\"records\":100,\"seconds\":2.0"));
		ck_assert_ptr_null(strchr(seen, '\033'));
		free(seen);
	}
}
END_TEST

START_TEST(a_log_line_stands_alone)
{
	char *seen = played((struct play){"--", true, false}, 80);
	char *notice = strstr(seen, "\r\033[Kcsvp-test: a notice\n\r\033[Kload  ");

	ck_assert_ptr_nonnull(notice);
	ck_assert_ptr_nonnull(strstr(notice, "\r\033[Kcsvp-test: after\n"));
	free(seen);
}
END_TEST

static void
run_on_one_terminal(void *ctx)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	run(ctx);
}

START_TEST(a_reference_on_the_same_terminal_stands_alone)
{
	struct play play = {"--", false, true};
	struct buf seen = {0};

	ck_assert_int_eq(capture(run_on_one_terminal, &play, STDERR_FILENO, 80, &seen), 0);
	ck_assert_ptr_nonnull(strstr(seen.bytes, "\r\033[K42/7\n\r\033[Kload  "));
	buf_fini(&seen);
}
END_TEST

static void
run_as_another_program(void *ctx)
{
	int status;
	pid_t other = fork();

	if (other == 0) {
		run(ctx);
		_exit(0);
	}
	if (waitpid(other, &status, 0) != other || status != 0)
		_exit(1);
}

/* Two programs of a pipeline: the other draws while the first one still does, and again when that has ended. */
static void
run_two(void *ctx)
{
	struct steps steps = {0, 200};
	struct clk clk = {.now = step, .ctx = &steps};
	struct progress *p = progress_new_clock("first", &clk);

	progress_total(p, 10);
	progress_add(p, 1, 0);
	run_as_another_program(ctx);
	progress_free(p);
	if (write(STDERR_FILENO, "|", 1) != 1)
		_exit(1);
	run_as_another_program(ctx);
}

START_TEST(programs_of_one_pipeline_do_not_draw_over_each_other)
{
	struct play play = {"--", false, false};
	struct buf seen = {0};
	char *second;

	ck_assert_int_eq(capture(run_two, &play, STDERR_FILENO, 80, &seen), 0);
	second = strchr(seen.bytes, '|');
	ck_assert_ptr_nonnull(second);
	*second++ = '\0';
	ck_assert_uint_eq(occurrences(seen.bytes, "first  "), 1);
	ck_assert_uint_eq(occurrences(seen.bytes, "load  "), 0);
	ck_assert_uint_gt(occurrences(second, "load  "), 0);
	buf_fini(&seen);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("progress");
	TCase *tests = tcase_create("progress");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, the_line_tells_bytes_share_speed_and_end);
	tcase_add_test(tests, nothing_is_foretold_from_the_first_moments);
	tcase_add_test(tests, what_was_done_when_the_clock_started_is_no_speed);
	tcase_add_test(tests, waiting_for_work_is_no_part_of_the_speed);
	tcase_add_test(tests, more_than_the_total_is_all_of_it);
	tcase_add_test(tests, the_line_is_cut_to_the_terminal);
	tcase_add_test(tests, json_is_one_object_a_line);
	tcase_add_test(tests, the_line_is_drawn_ten_times_a_second_and_gone_at_the_end);
	tcase_add_test(tests, nothing_is_drawn_where_nobody_looks);
	tcase_add_test(tests, json_comes_once_a_second_and_at_the_end_whatever_stderr_is);
	tcase_add_test(tests, a_log_line_stands_alone);
	tcase_add_test(tests, a_reference_on_the_same_terminal_stands_alone);
	tcase_add_test(tests, programs_of_one_pipeline_do_not_draw_over_each_other);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
