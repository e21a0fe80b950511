#include "csv/scan.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Text made of the bytes that matter, and of quoting that is right more often than not. */
static void
put_random(struct buf *b, size_t length, const char *alphabet)
{
	size_t letters = strlen(alphabet);

	buf_reset(b);
	while (b->length < length) {
		long r = random();

		if (r % 8 < 5)
			for (long i = r / 8 % 20; i >= 0; i--)
				buf_byte(b, 'x');
		else
			buf_byte(b, alphabet[(size_t)(r / 8) % letters]);
	}
}

static void
put_regular(struct buf *b, size_t length)
{
	static const char *const ends[] = {",", ",", ",", "\n", "\r\n", "\r"};
	static const char *const insides[] = {"x", "yy", "\"\"", ",", "\n", "\r\n", "\r"};

	buf_reset(b);
	while (b->length < length) {
		long r = random();
		bool quoted = r % 3 == 0;

		buf_string(b, quoted ? "\"" : "");
		for (long i = random() % 30; i > 0; i--)
			buf_string(b, quoted ? insides[random() % 7] : "z");
		buf_string(b, quoted ? "\"" : "");
		buf_string(b, ends[random() % 6]);
	}
}

/* The marks as text, and the last state; in steps of `step` bytes as a reader would get them. */
static char *
marks_of(const struct dialect *d, bool fields, enum scan_path path, const struct buf *b, size_t step)
{
	struct buf out = {0};
	uint32_t *index = buf_malloc(SCAN_INDEX * sizeof *index);
	size_t from = 0, to = 0;
	struct scan s;

	scan_init(&s, d, path);
	s.fields = fields;
	while (from < b->length) {
		size_t before = from, count;

		from = scan_run(&s, b->bytes, from, to, to == b->length, index, &count);
		if (count > SCAN_INDEX)
			ck_abort_msg("%zu marks", count);
		for (size_t i = 0; i < count; i++)
			buf_printf(&out, "%s%u ", (index[i] & SCAN_INSIDE) != 0 ? "i" : "", index[i] & ~SCAN_INSIDE);
		if (from == before)
			to = to + step < b->length ? to + step : b->length;
	}
	buf_printf(&out, "state %d", s.state == EXACT_RECORD ? EXACT_FIELD : s.state);
	free(index);
	return buf_detach(&out);
}

static void
expect_agreement(const struct dialect *d, const struct buf *b)
{
	for (int fields = 0; fields < 2; fields++) {
		char *expected = marks_of(d, fields, SCAN_EXACT, b, b->length);

		for (enum scan_path path = SCAN_BEST; path <= SCAN_EXACT; path++)
			for (size_t step = 1; step <= b->length; step = step * 3 + 64) {
				char *got = marks_of(d, fields, path, b, step);

				/* An assertion costs a system call even if it holds. */
				if (strcmp(got, expected) != 0)
					ck_abort_msg("path %d, fields %d, step %zu of\n%s\ngot %s\nexpected %s", path,
					    fields, step, b->bytes, got, expected);
				free(got);
			}
		free(expected);
	}
}

static void
expect_marks(const char *text, bool fields, const char *expected)
{
	struct dialect d = dialect_default();
	struct buf b = {0};

	buf_string(&b, text);
	for (enum scan_path path = SCAN_BEST; path <= SCAN_EXACT; path++) {
		char *got = marks_of(&d, fields, path, &b, b.length);

		ck_assert_str_eq(got, expected);
		free(got);
	}
	buf_fini(&b);
}

#define SIXTY "012345678901234567890123456789012345678901234567890123456789"

START_TEST(ends_of_fields_and_records_are_marked)
{
	expect_marks("a,b\nc,d\r\ne\rf", true, "1 3 5 8 10 state 2");
	expect_marks("a,b\nc,d\r\ne\rf", false, "3 8 10 state 2");
}
END_TEST

START_TEST(line_ends_and_second_quotes_are_marked_inside_a_value)
{
	expect_marks("\"a\nb\"\"c\",d\n", true, "i2 i5 8 10 state 1");
	expect_marks("\"a\nb\"\"c\",d\n", false, "i2 10 state 1");
}
END_TEST

/* The first block is 64 bytes: the digits and four more. */
START_TEST(a_pair_may_stand_across_two_blocks)
{
	expect_marks(SIXTY "abc\r\n" SIXTY "x\n", false, "64 126 state 1");
	expect_marks(SIXTY "abc\r" SIXTY "x\n", false, "63 125 state 1");
	expect_marks("\"" SIXTY "bc\"\"" SIXTY "\"\n", true, "i64 126 state 1");
	expect_marks("\"" SIXTY "bc\"," SIXTY "\n", true, "64 125 state 1");
	expect_marks("\"" SIXTY "bc\"x" SIXTY "\n", true, "i64 125 state 1");
	expect_marks("a," SIXTY "z,\"" SIXTY ",\"\n", true, "1 63 127 state 1");
	expect_marks(SIXTY "abcd\"," SIXTY "\n", true, "65 126 state 1");
}
END_TEST

START_TEST(the_state_behind_the_last_byte_is_known)
{
	expect_marks("a,\"b", true, "1 state 3");
	expect_marks("a,\"b\"", true, "1 state 4");
	expect_marks("a,", true, "1 state 1");
}
END_TEST

START_TEST(every_path_finds_the_same_in_any_bytes)
{
	struct dialect d = dialect_default();
	struct buf b = {0};

	for (int i = 0; i < 300; i++) {
		put_random(&b, 1 + (size_t)(random() % 700), i % 2 == 0 ? ",\"\n\r" : ",\"\"\"\"\n\rx;'\\#");
		expect_agreement(&d, &b);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(every_path_finds_the_same_in_regular_files)
{
	struct dialect d = dialect_default();
	struct buf b = {0};

	for (int i = 0; i < 300; i++) {
		put_regular(&b, 1 + (size_t)(random() % 3000));
		expect_agreement(&d, &b);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(every_path_finds_the_same_in_any_dialect)
{
	static const struct dialect dialects[] = {
	    {.delimiter = ';', .quote = '\''},
	    {.delimiter = ',', .quote = '\0'},
	    {.delimiter = ',', .quote = '"', .escape = '\\'},
	    {.delimiter = ',', .quote = '\0', .escape = '\\'},
	    {.delimiter = ',', .quote = '"', .escape = '"'},
	    {.delimiter = ',', .quote = '"', .comment = '#'},
	    {.delimiter = 'x', .quote = '"', .escape = '\\', .comment = '#'},
	};
	struct buf b = {0};

	for (int i = 0; i < 200; i++) {
		put_random(&b, 1 + (size_t)(random() % 500), ",;\"'\n\r\\#\n");
		for (size_t k = 0; k < sizeof dialects / sizeof *dialects; k++)
			expect_agreement(&dialects[k], &b);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(without_quoting_a_nul_is_no_quote)
{
	struct dialect d = dialect_default();
	struct buf b = {0};

	d.quote = '\0';
	for (int i = 0; i < 500; i++)
		buf_byte(&b, "\0,\"\n\r"[i * i % 6]);
	expect_agreement(&d, &b);
	d.quote = '"';
	expect_agreement(&d, &b);
	buf_fini(&b);
}
END_TEST

/* More marks than an index holds: each block full of them. */
START_TEST(a_full_index_is_gone_on_from)
{
	struct dialect d = dialect_default();
	struct buf b = {0};

	for (size_t i = 0; i < 3 * SCAN_INDEX + 17; i++)
		buf_byte(&b, i % 3 == 0 ? '\n' : ',');
	for (enum scan_path path = SCAN_BEST; path <= SCAN_EXACT; path++)
		for (int fields = 0; fields < 2; fields++) {
			char *expected = marks_of(&d, fields, SCAN_EXACT, &b, b.length);
			char *got = marks_of(&d, fields, path, &b, b.length);

			ck_assert_str_eq(got, expected);
			free(got);
			free(expected);
		}
	buf_fini(&b);
}
END_TEST

int
main(void)
{
	const char *seed = getenv("SEED");
	unsigned number = seed != NULL && *seed != '\0' ? (unsigned)strtoul(seed, NULL, 10) : 1;
	Suite *s = suite_create("scan");
	TCase *t = tcase_create("scan");
	SRunner *runner = srunner_create(s);
	int failed;

	printf("SEED=%u\n", number);
	srandom(number);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, ends_of_fields_and_records_are_marked);
	tcase_add_test(t, line_ends_and_second_quotes_are_marked_inside_a_value);
	tcase_add_test(t, a_pair_may_stand_across_two_blocks);
	tcase_add_test(t, the_state_behind_the_last_byte_is_known);
	tcase_add_test(t, every_path_finds_the_same_in_any_bytes);
	tcase_add_test(t, every_path_finds_the_same_in_regular_files);
	tcase_add_test(t, every_path_finds_the_same_in_any_dialect);
	tcase_add_test(t, without_quoting_a_nul_is_no_quote);
	tcase_add_test(t, a_full_index_is_gone_on_from);
	suite_add_tcase(s, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
