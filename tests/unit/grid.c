#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "cli/grid.h"

#define MAX_COLUMNS 12

/* A table to print in a child: its header and rows, one after the other. */
struct table {
	size_t columns;
	size_t rows;
	bool right[MAX_COLUMNS];
	const char *headers[MAX_COLUMNS];
	const char *cells[3][MAX_COLUMNS];
};

static void
print(void *ctx)
{
	struct table *t = ctx;
	struct grid *g = grid_new(t->headers, t->right, t->columns);

	for (size_t row = 0; row < t->rows; row++)
		grid_row(g, t->cells[row]);
	grid_print(g);
	grid_free(g);
}

static void
shows(struct table table, int columns, const char *expected)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(print, &table, STDOUT_FILENO, columns, &out), 0);
	ck_assert_str_eq(out.bytes, expected);
	buf_fini(&out);
}

static void
begin(void)
{
	setenv("NO_COLOR", "1", 1);
}

START_TEST(columns_are_as_wide_as_their_content)
{
	shows((struct table){2, 2, {true, false}, {"job", "file"}, {{"7", "a.csv"}, {"12345", "b"}}}, 80,
	    "  job  file\n"
	    "    7  a.csv\n"
	    "12345  b\n");
}
END_TEST

START_TEST(a_table_without_rows_is_its_header)
{
	shows((struct table){2, 0, {0}, {"job", "file"}, {{0}}}, 80, "job  file\n");
}
END_TEST

START_TEST(a_missing_cell_is_empty)
{
	shows((struct table){3, 1, {false, true, false}, {"a", "b", "c"}, {{NULL, NULL, "x"}}}, 80,
	    "a  b  c\n"
	    "      x\n");
}
END_TEST

START_TEST(the_widest_columns_are_cut_to_fit_the_terminal)
{
	shows((struct table){3, 1, {0}, {"id", "name", "comment"},
		  {{"1", "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"}}},
	    29,
	    "id  name          comment\n"
	    "1   abcdefghijk…  abcdefghij…\n");
}
END_TEST

START_TEST(nothing_is_cut_without_a_terminal)
{
	shows(
	    (struct table){2, 1, {0}, {"id", "name"},
		{{"1", "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghij"}}},
	    0,
	    "id  name\n"
	    "1   abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghij\n");
}
END_TEST

START_TEST(widths_are_counted_in_cells_of_the_terminal)
{
	/* Two cells a character, one, and none (a combining accent). */
	shows((struct table){2, 3, {0}, {"city", "n"}, {{"東京", "1"}, {"Århus", "2"}, {"Me\xcc\x81n", "3"}}}, 80,
	    "city   n\n"
	    "東京   1\n"
	    "Århus  2\n"
	    "Me\xcc\x81n    3\n");
	/* A wide character that would be cut in half is left out. */
	shows((struct table){1, 1, {0}, {"city"}, {{"東京東京東京"}}}, 10,
	    "city\n"
	    "東京東京…\n");
}
END_TEST

START_TEST(what_could_act_on_the_terminal_is_spelled_out)
{
	shows((struct table){2, 1, {0}, {"a", "b"}, {{"\033[31mred\n", "\xff\x9b"}}}, 80,
	    "a                b\n"
	    "\\x1b[31mred\\x0a  \\xff\\x9b\n");
	shows((struct table){1, 1, {0}, {"a"}, {{"\xc2\x9b"}}}, 80,
	    "a\n"
	    "\\xc2\\x9b\n");
}
END_TEST

START_TEST(too_many_columns_for_the_terminal_become_lines)
{
	shows((struct table){4, 2, {0}, {"id", "name", "country", "comment"},
		  {{"1", "a long name that needs room", "Denmark and Norway", "a long comment"},
		      {"2", "another long name", NULL, "x"}}},
	    24,
	    "id       1\n"
	    "name     a long name that needs room\n"
	    "country  Denmark and Norway\n"
	    "comment  a long comment\n"
	    "\n"
	    "id       2\n"
	    "name     another long name\n"
	    "country  \n"
	    "comment  x\n");
}
END_TEST

START_TEST(the_header_is_bold_on_a_terminal_without_no_color)
{
	struct table table = {1, 1, {0}, {"a"}, {{"b"}}};

	unsetenv("NO_COLOR");
	shows(table, 80, "\033[1ma\033[0m\nb\n");
	shows(table, 0, "a\nb\n");
	setenv("NO_COLOR", "", 1);
	shows(table, 80, "\033[1ma\033[0m\nb\n");
	setenv("NO_COLOR", "1", 1);
	shows(table, 80, "a\nb\n");
}
END_TEST

static void
print_width(void *ctx)
{
	(void)ctx;
	printf("%d", grid_width(STDOUT_FILENO));
}

START_TEST(the_width_is_the_terminals_or_80)
{
	struct buf out = {0};

	ck_assert_int_eq(capture(print_width, NULL, STDOUT_FILENO, 200, &out), 0);
	buf_byte(&out, ' ');
	ck_assert_int_eq(capture(print_width, NULL, STDOUT_FILENO, 0, &out), 0);
	ck_assert_str_eq(out.bytes, "200 80");
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("grid");
	TCase *tests = tcase_create("grid");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, NULL);
	tcase_add_test(tests, columns_are_as_wide_as_their_content);
	tcase_add_test(tests, a_table_without_rows_is_its_header);
	tcase_add_test(tests, a_missing_cell_is_empty);
	tcase_add_test(tests, the_widest_columns_are_cut_to_fit_the_terminal);
	tcase_add_test(tests, nothing_is_cut_without_a_terminal);
	tcase_add_test(tests, widths_are_counted_in_cells_of_the_terminal);
	tcase_add_test(tests, what_could_act_on_the_terminal_is_spelled_out);
	tcase_add_test(tests, too_many_columns_for_the_terminal_become_lines);
	tcase_add_test(tests, the_header_is_bold_on_a_terminal_without_no_color);
	tcase_add_test(tests, the_width_is_the_terminals_or_80);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
