#include "csv/dialect.h"

#include <check.h>
#include <stdlib.h>

#include "base/err.h"

START_TEST(the_default_is_rfc_4180_with_a_header)
{
	struct dialect d = dialect_default();
	struct err e;

	ck_assert_int_eq(d.delimiter, ',');
	ck_assert_int_eq(d.quote, '"');
	ck_assert_int_eq(d.escape, '\0');
	ck_assert_int_eq(d.comment, '\0');
	ck_assert(d.header);
	ck_assert_uint_eq(d.skip_lines, 0);
	ck_assert_uint_eq(d.max_record, 16u << 20);
	ck_assert_int_eq(dialect_check(&d, &e), 0);
}
END_TEST

START_TEST(other_characters_are_taken)
{
	static const struct dialect good[] = {
	    {.delimiter = '\t', .quote = '\0', .max_record = 1},
	    {.delimiter = ';', .quote = '\'', .escape = '\\', .comment = '#', .max_record = 1u << 30},
	    {.delimiter = '|', .quote = '"', .escape = '"', .max_record = 100},
	};
	struct err e;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_int_eq(dialect_check(&good[i], &e), 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_refused_by_its_option)
{
	static const struct {
		struct dialect dialect;
		const char *message;
	} bad[] = {
	    {{.delimiter = '\0', .max_record = 1}, "--delimiter: there is none; hint: ',', ';', '|' or a tab"},
	    {{.delimiter = '\n', .max_record = 1}, "--delimiter: a line end cannot be the delimiter"},
	    {{.delimiter = ',', .quote = '\r', .max_record = 1}, "--quote: a line end cannot be the quote"},
	    {{.delimiter = ',', .escape = '\n', .max_record = 1}, "--escape: a line end cannot be the escape"},
	    {{.delimiter = ',', .quote = '\n', .escape = '\n', .max_record = 1},
		"--quote: a line end cannot be the quote"},
	    {{.delimiter = '\xa7', .max_record = 1}, "--delimiter: not an ASCII character"},
	    {{.delimiter = ',', .comment = '\xff', .max_record = 1}, "--comment: not an ASCII character"},
	    {{.delimiter = ',', .quote = ',', .max_record = 1}, "--quote: ',' is already the delimiter"},
	    {{.delimiter = ',', .quote = '"', .escape = ',', .max_record = 1},
		"--escape: ',' is already the delimiter"},
	    {{.delimiter = ',', .quote = '"', .comment = '"', .max_record = 1}, "--comment: '\"' is already the quote"},
	    {{.delimiter = ',', .escape = '#', .comment = '#', .max_record = 1},
		"--comment: '#' is already the escape"},
	    {{.delimiter = ',', .max_record = 0}, "--max-record: 0 is not between 1 byte and 1G"},
	    {{.delimiter = ',', .max_record = (1u << 30) + 1}, "--max-record: 1073741825 is not between 1 byte and 1G"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = {0};

		ck_assert_int_eq(dialect_check(&bad[i].dialect, &e), -1);
		ck_assert_int_eq(e.code, ERR_USAGE);
		ck_assert_str_eq(e.message, bad[i].message);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dialect");
	TCase *t = tcase_create("dialect");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_add_test(t, the_default_is_rfc_4180_with_a_header);
	tcase_add_test(t, other_characters_are_taken);
	tcase_add_test(t, what_cannot_be_read_is_refused_by_its_option);
	suite_add_tcase(s, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
