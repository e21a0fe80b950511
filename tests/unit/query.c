#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "schema/shape.h"
#include "search/query.h"

static struct shape shape;
static struct query query;
static struct err e;

static void
begin(void)
{
	static const struct {
		const char *header, *name;
		enum type_id type;
	} columns[] = {
	    {"Organization Id", "organization_id", TYPE_TEXT},
	    {"Country", "country", TYPE_TEXT},
	    {"Founded", "founded", TYPE_BIGINT},
	    {"Price", "price", TYPE_NUMERIC},
	    {"Active", "active", TYPE_BOOLEAN},
	    {"Day", "day", TYPE_DATE},
	    {"Seen", "seen", TYPE_TIMESTAMP},
	    {"Sent", "sent", TYPE_TIMESTAMPTZ},
	    {"a=b", "a_b", TYPE_TEXT},
	    {"when:desc", "when_desc", TYPE_TEXT},
	};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		shape_add(&shape, columns[i].header, columns[i].name, columns[i].type, false);
	query_init(&query);
}

static void
end(void)
{
	query_fini(&query);
	shape_fini(&shape);
}

static void
filtered(const char *expression, const char *column, enum query_operator operator, const char * value)
{
	ck_assert_msg(query_where(&query, &shape, expression, &e) == 0, "%s: %s", expression, e.message);
	const struct query_filter *f = &query.filters[query.filter_count - 1];
	ck_assert_str_eq(shape.columns[f->column].name, column);
	ck_assert_int_eq((int)f->operator,(int) operator);
	ck_assert_pstr_eq(f->value, value);
}

static void
refused(const char *expression, const char *text)
{
	size_t before = query.filter_count;

	ck_assert_msg(query_where(&query, &shape, expression, &e) == -1, "%s", expression);
	ck_assert_int_eq((int)e.code, ERR_USAGE);
	ck_assert_msg(strstr(e.message, text) != NULL, "%s: %s", expression, e.message);
	ck_assert_uint_eq(query.filter_count, before);
}

START_TEST(each_operator_is_read)
{
	filtered("country=Denmark", "country", QUERY_EQUAL, "Denmark");
	filtered("country!=Denmark", "country", QUERY_NOT_EQUAL, "Denmark");
	filtered("founded<1990", "founded", QUERY_LESS, "1990");
	filtered("founded<=1990", "founded", QUERY_LESS_EQUAL, "1990");
	filtered("founded>1990", "founded", QUERY_GREATER, "1990");
	filtered("founded>=1990", "founded", QUERY_GREATER_EQUAL, "1990");
	filtered("country is null", "country", QUERY_NULL, NULL);
	filtered("Organization Id IS NULL ", "organization_id", QUERY_NULL, NULL);
}
END_TEST

START_TEST(a_column_is_named_by_header_or_name)
{
	filtered("Organization Id=1", "organization_id", QUERY_EQUAL, "1");
	filtered("organization_id=1", "organization_id", QUERY_EQUAL, "1");
	filtered(" Founded >= 1990", "founded", QUERY_GREATER_EQUAL, "1990");
}
END_TEST

START_TEST(the_leftmost_operator_counts)
{
	filtered("country=a>=b", "country", QUERY_EQUAL, "a>=b");
	filtered("country>=<=", "country", QUERY_GREATER_EQUAL, "<=");
	filtered("country!==x", "country", QUERY_NOT_EQUAL, "=x");
	filtered("country=is null", "country", QUERY_EQUAL, "is null");
	filtered("a_b=1", "a_b", QUERY_EQUAL, "1");
	refused("a=b=1", "no column \"a\"");
}
END_TEST

START_TEST(an_exclamation_mark_alone_is_a_character)
{
	shape_add(&shape, "Yahoo! id", "yahoo_id", TYPE_TEXT, false);
	filtered("Yahoo! id=7", "yahoo_id", QUERY_EQUAL, "7");
}
END_TEST

START_TEST(a_value_is_taken_as_it_is_unless_the_operator_stands_between_blanks)
{
	filtered("country= x ", "country", QUERY_EQUAL, " x ");
	filtered("country = x ", "country", QUERY_EQUAL, "x ");
	filtered("country=", "country", QUERY_EQUAL, "");
}
END_TEST

START_TEST(a_value_must_fit_the_type)
{
	refused("founded>=199O", "\"199O\" in \"founded>=199O\": ");
	refused("founded=", "founded");
	refused("founded=99999999999999999999", "founded");
	refused("price=1e5", "price");
	refused("active=yes", "active");
	refused("day=2023-02-29", "day");
	refused("seen=yesterday", "seen");
	filtered("price<-0.50", "price", QUERY_LESS, "-0.50");
	filtered("active=true", "active", QUERY_EQUAL, "true");
	filtered("day>2024-02-29", "day", QUERY_GREATER, "2024-02-29");
}
END_TEST

START_TEST(a_date_will_do_for_a_timestamp)
{
	filtered("seen>=2024-02-29", "seen", QUERY_GREATER_EQUAL, "2024-02-29 00:00");
	filtered("seen=2024-02-29T10:30", "seen", QUERY_EQUAL, "2024-02-29T10:30");
	filtered("sent>=2024-02-29", "sent", QUERY_GREATER_EQUAL, "2024-02-29 00:00Z");
	filtered("sent=2024-02-29 10:30:01.5", "sent", QUERY_EQUAL, "2024-02-29 10:30:01.5Z");
	filtered("sent=2024-02-29 10:30+02:00", "sent", QUERY_EQUAL, "2024-02-29 10:30+02:00");
	for (size_t i = 0; i < query.filter_count; i++) {
		const struct query_filter *f = &query.filters[i];
		ck_assert_ptr_null(type_check(shape.columns[f->column].type, f->value, strlen(f->value)));
	}
}
END_TEST

START_TEST(an_unknown_column_gets_a_hint)
{
	refused("cuntry=Denmark", "did you mean \"country\"?");
	refused("COUNTRY=Denmark", "did you mean \"Country\"?");
	refused("xyzzy=1", "there are organization_id, country, founded,");
	refused("cuntry is null", "did you mean \"country\"?");
	refused("=1", "no column \"\"");
}
END_TEST

START_TEST(an_expression_without_operator_is_refused)
{
	refused("country", "no operator in \"country\"");
	refused("", "no operator");
	refused("is null", "no operator");
	refused("country is nul", "no operator");
	refused("country is not null", "no operator");
}
END_TEST

START_TEST(what_is_not_utf8_is_refused)
{
	refused("country=\xff", "not UTF-8 at byte 9");
	refused("country=\xc0\x80", "not UTF-8 at byte 9");
	refused("country=\xed\xa0\x80", "not UTF-8 at byte 9");
	filtered("country=\xef\xbf\xbd", "country", QUERY_EQUAL, "\xef\xbf\xbd");
	ck_assert_int_eq(query_text(&query, "ok \xe9", &e), -1);
	ck_assert_int_eq((int)e.code, ERR_USAGE);
}
END_TEST

/* The terms as one string: w(words), p(prefix). */
static void
terms(const char *text, const char *expected)
{
	char got[400] = "";
	struct query q;
	query_init(&q);
	ck_assert_int_eq(query_text(&q, text, &e), 0);
	for (size_t i = 0; i < q.term_count; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s(%s)", i > 0 ? " " : "",
		    q.terms[i].kind == QUERY_PREFIX ? "p" : "w", q.terms[i].text);
	ck_assert_str_eq(got, expected);
	query_fini(&q);
}

START_TEST(words_phrases_and_prefixes_are_told_apart)
{
	terms("plastic rubber", "w(plastic) w(rubber)");
	terms("  two\twords\n", "w(two) w(words)");
	terms("\"as one\" more", "w(as one) w(more)");
	terms("foo\"bar baz\"qux", "w(foo) w(bar baz) w(qux)");
	terms("plas* *x x*y", "p(plas) w(*x) w(x*y)");
	terms("\"plas*\"", "w(plas*)");
	terms("", "");
}
END_TEST

START_TEST(odd_text_is_never_an_error)
{
	terms("\"", "");
	terms("5\" pipe", "w(5) w(pipe)");
	terms("\"\" \" \"", "");
	terms("*", "");
	terms("**\tx", "w(x)");
	terms("& | ! ( ) : \\ '", "w(&) w(|) w(!) w(() w()) w(:) w(\\) w(')");
}
END_TEST

static void
sorted(const char *text, const char *column, bool descending)
{
	ck_assert_msg(query_sort(&query, &shape, text, &e) == 0, "%s: %s", text, e.message);
	ck_assert_str_eq(shape.columns[query.sort].name, column);
	ck_assert_int_eq(query.descending, descending);
}

START_TEST(sort_takes_a_direction)
{
	sorted("Founded", "founded", false);
	sorted("founded:desc", "founded", true);
	sorted("founded:asc", "founded", false);
	sorted("when:desc", "when_desc", false);
	sorted("when:desc:desc", "when_desc", true);
	ck_assert_int_eq(query_sort(&query, &shape, "founded:down", &e), -1);
	ck_assert_int_eq((int)e.code, ERR_USAGE);
	ck_assert_int_eq(query_sort(&query, &shape, "fonded:desc", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "did you mean \"founded\"?"));
}
END_TEST

START_TEST(a_new_query_asks_for_everything_by_key)
{
	ck_assert_uint_eq(query.term_count, 0);
	ck_assert_uint_eq(query.filter_count, 0);
	ck_assert_int_eq(query.sort, -1);
	ck_assert(query.limit == QUERY_ALL);
	ck_assert(!query.total);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("query");
	TCase *tests = tcase_create("query");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, each_operator_is_read);
	tcase_add_test(tests, a_column_is_named_by_header_or_name);
	tcase_add_test(tests, the_leftmost_operator_counts);
	tcase_add_test(tests, an_exclamation_mark_alone_is_a_character);
	tcase_add_test(tests, a_value_is_taken_as_it_is_unless_the_operator_stands_between_blanks);
	tcase_add_test(tests, a_value_must_fit_the_type);
	tcase_add_test(tests, a_date_will_do_for_a_timestamp);
	tcase_add_test(tests, an_unknown_column_gets_a_hint);
	tcase_add_test(tests, an_expression_without_operator_is_refused);
	tcase_add_test(tests, what_is_not_utf8_is_refused);
	tcase_add_test(tests, words_phrases_and_prefixes_are_told_apart);
	tcase_add_test(tests, odd_text_is_never_an_error);
	tcase_add_test(tests, sort_takes_a_direction);
	tcase_add_test(tests, a_new_query_asks_for_everything_by_key);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
