/* What every search engine has to tell besides records: counts of a column's values, and where words were found. */
#include <check.h>
#include <stdlib.h>

#include "base/sig.h"
#include "documents.h"
#include "finds.h"
#include "search/facet.h"

static int engine; /* the one under test */

static void
begin(void)
{
	open_engine(engine);
	define(1,
	    "id text,name text,note text,founded bigint,price numeric,active boolean,day date,at timestamp,sent "
	    "timestamptz",
	    1);
}

static void
fill(void)
{
	put("a", 1, "'red', 'x', 9, 1.5, true, '2024-02-29', '2024-02-29 12:00', '2024-02-29 12:00+00'");
	put("b", 1, "'red', 'X', 10, 1.50, false, '2024-03-01', '2024-02-29 12:00', '2024-02-29 13:00+01'");
	put("c", 1, "'Red', '', 9223372036854775807, -2, true, '0001-01-01', NULL, NULL");
	put("d", 1, "'red', 'x', -3, 123456789012345678901234567890.10, NULL, NULL, NULL, NULL");
	put("e", 1, "'blue', NULL, NULL, NULL, NULL, NULL, NULL, '2024-02-29 12:00:00.5+00'");
}

/* The facets of a query as JSON; `columns` apart by blanks. */
static char *
facets(const char *columns, const char *text, const char *where, uint64_t limit, const char *cursor)
{
	char *list = buf_strdup(columns), *rest = list, *column;
	struct buf out = {0}, keys = {0};
	struct search_page page;
	struct query q;

	query_init(&q);
	q.limit = limit;
	q.cursor = cursor != NULL ? buf_strdup(cursor) : NULL;
	OK(query_text(&q, text, &e));
	if (where != NULL)
		OK(query_where(&q, &shape, where, &e));
	while ((column = strsep(&rest, " ")) != NULL)
		OK(query_facet(&q, &shape, column, &e));
	OK(search_query(search, &dataset, &q, note_key, &keys, &page, &e));
	facet_json(&out, &shape, &page);
	search_page_fini(&page);
	query_fini(&q);
	buf_fini(&keys);
	free(list);
	return buf_detach(&out);
}

static void
counts(const char *columns, const char *text, const char *where, const char *expected)
{
	char *json = facets(columns, text, where, 0, NULL);

	ck_assert_str_eq(json, expected);
	free(json);
}

START_TEST(values_are_counted_the_most_frequent_first)
{
	fill();
	counts("name", "", NULL,
	    "{\"name\":{\"values\":[{\"value\":\"red\",\"count\":3},{\"value\":\"Red\",\"count\":1},"
	    "{\"value\":\"blue\",\"count\":1}],\"other\":0,\"missing\":0,\"exact\":true}}");
	counts("note", "", NULL,
	    "{\"note\":{\"values\":[{\"value\":\"x\",\"count\":2},{\"value\":\"\",\"count\":1},"
	    "{\"value\":\"X\",\"count\":1}],\"other\":0,\"missing\":1,\"exact\":true}}");
}
END_TEST

START_TEST(values_of_every_type_are_told_apart_and_written_exactly)
{
	fill();
	counts("founded price", "", NULL,
	    "{\"founded\":{\"values\":[{\"value\":-3,\"count\":1},{\"value\":9,\"count\":1},{\"value\":10,\"count\":1},"
	    "{\"value\":\"9223372036854775807\",\"count\":1}],\"other\":0,\"missing\":1,\"exact\":true},"
	    "\"price\":{\"values\":[{\"value\":1.5,\"count\":2},{\"value\":-2,\"count\":1},"
	    "{\"value\":\"123456789012345678901234567890.1\",\"count\":1}],\"other\":0,\"missing\":1,\"exact\":true}}");
	counts("active day", "", NULL,
	    "{\"active\":{\"values\":[{\"value\":true,\"count\":2},{\"value\":false,\"count\":1}],\"other\":0,"
	    "\"missing\":2,\"exact\":true},\"day\":{\"values\":[{\"value\":\"0001-01-01\",\"count\":1},"
	    "{\"value\":\"2024-02-29\",\"count\":1},{\"value\":\"2024-03-01\",\"count\":1}],\"other\":0,\"missing\":2,"
	    "\"exact\":true}}");
	counts("at sent", "", NULL,
	    "{\"at\":{\"values\":[{\"value\":\"2024-02-29 12:00:00\",\"count\":2}],\"other\":0,\"missing\":3,"
	    "\"exact\":true},\"sent\":{\"values\":[{\"value\":\"2024-02-29 12:00:00+00\",\"count\":2},"
	    "{\"value\":\"2024-02-29 12:00:00.5+00\",\"count\":1}],\"other\":0,\"missing\":2,\"exact\":true}}");
}
END_TEST

START_TEST(only_what_matches_is_counted)
{
	fill();
	counts("note", "red", NULL,
	    "{\"note\":{\"values\":[{\"value\":\"x\",\"count\":2},{\"value\":\"\",\"count\":1},"
	    "{\"value\":\"X\",\"count\":1}],\"other\":0,\"missing\":0,\"exact\":true}}");
	counts("name id", "", "founded<10",
	    "{\"name\":{\"values\":[{\"value\":\"red\",\"count\":2}],\"other\":0,\"missing\":0,\"exact\":true},"
	    "\"id\":{\"values\":[{\"value\":\"a\",\"count\":1},{\"value\":\"d\",\"count\":1}],\"other\":0,\"missing\":"
	    "0,"
	    "\"exact\":true}}");
	/* Mistyped ones, too. */
	counts("founded", "bleu", NULL, "{\"founded\":{\"values\":[],\"other\":0,\"missing\":1,\"exact\":true}}");
	counts("name", "nothing", NULL, "{\"name\":{\"values\":[],\"other\":0,\"missing\":0,\"exact\":true}}");
}
END_TEST

START_TEST(every_page_counts_all_that_matches)
{
	static const char all[] = "{\"note\":{\"values\":[{\"value\":\"x\",\"count\":2},{\"value\":\"\",\"count\":1},"
				  "{\"value\":\"X\",\"count\":1}],\"other\":0,\"missing\":0,\"exact\":true}}";
	struct buf keys = {0};
	struct search_page page;
	char *json;

	fill();
	page = run(&keys, "red", NULL, NULL, 1);
	json = facets("note", "red", NULL, 2, page.next);
	ck_assert_str_eq(json, all);
	free(json);
	json = facets("note", "red", NULL, QUERY_ALL, NULL);
	ck_assert_str_eq(json, all);
	free(json);
	search_page_fini(&page);
	buf_fini(&keys);
}
END_TEST

START_TEST(many_values_are_cut_and_the_rest_is_told)
{
	enum { COUNT = 60 };
	static char names[COUNT][16];
	static const char *keys[COUNT];
	static struct search_doc docs[COUNT];
	char *json;

	sql("INSERT INTO public.things (id, name, founded, _version)"
	    " SELECT 'k' || i, 'n' || i % 30, i, 1 FROM generate_series(0, 59) i");
	for (int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof names[i], "k%d", i);
		keys[i] = names[i];
		docs[i] = (struct search_doc){.key = &keys[i], .version = 1};
	}
	bring(docs, COUNT);
	json = facets("name founded", "", NULL, 0, NULL);
	ck_assert_ptr_nonnull(
	    strstr(json, "{\"name\":{\"values\":[{\"value\":\"n0\",\"count\":2},{\"value\":\"n1\",\"count\":2},"
			 "{\"value\":\"n10\",\"count\":2}"));
	ck_assert_ptr_nonnull(
	    strstr(json, "{\"value\":\"n26\",\"count\":2}],\"other\":20,\"missing\":0,\"exact\":true}"));
	ck_assert_ptr_nonnull(strstr(json, "{\"value\":19,\"count\":1}],\"other\":40,\"missing\":0,\"exact\":true}"));
	free(json);
}
END_TEST

START_TEST(a_long_value_is_told_whole)
{
	struct buf values = {0};
	char *json;

	buf_string(&values, "'x', '");
	for (int i = 0; i < 4000; i++)
		buf_string(&values, "long \xc3\xa4 word ");
	buf_string(&values, "', NULL, NULL, NULL, NULL, NULL, NULL");
	put("a", 1, values.bytes);
	json = facets("note", "", NULL, 0, NULL);
	ck_assert_uint_gt(strlen(json), 50000);
	ck_assert_ptr_nonnull(strstr(json, "word \",\"count\":1}]"));
	free(json);
	buf_fini(&values);
}
END_TEST

START_TEST(records_without_key_have_facets_too)
{
	define(2, "name text", 0);
	sql("INSERT INTO public.things VALUES ('same', 9, 9), ('same', 10, 10)");
	tell((const char *const[]){"9"}, 9, false);
	tell((const char *const[]){"10"}, 10, false);
	counts("name", "", NULL,
	    "{\"name\":{\"values\":[{\"value\":\"same\",\"count\":2}],\"other\":0,\"missing\":0,\"exact\":true}}");
}
END_TEST

/* The marked texts of hits, apart by '|'. */
static int
note_marks(void *ctx, const struct search_hit *hit, struct err *err)
{
	struct buf *out = ctx;

	(void)err;
	ck_assert_ptr_nonnull(hit->marked);
	for (size_t i = 0; i < shape.count; i++)
		if (hit->marked[i] != NULL)
			buf_printf(out, "%s%s: %s", out->length > 0 ? "|" : "", shape.columns[i].name, hit->marked[i]);
	return 0;
}

static void
marks(const char *text, const char *how, const char *expected)
{
	struct search_page page;
	struct buf out = {0};
	struct query q;

	query_init(&q);
	OK(query_text(&q, text, &e));
	OK(query_sort(&q, &shape, shape.columns[0].name, &e));
	OK(query_highlight(&q, how, &e));
	buf_string(&out, "");
	OK(search_query(search, &dataset, &q, note_marks, &out, &page, &e));
	ck_assert_str_eq(out.bytes, expected);
	search_page_fini(&page);
	query_fini(&q);
	buf_fini(&out);
}

START_TEST(words_are_marked_where_they_were_found)
{
	put("a", 1, "'Plastic/Rubber, plastic! plastics', 'a <b>plastic</b>', NULL, NULL, NULL, NULL, NULL, NULL");
	put("plastic", 1, "'\xc3\x89tat PLASTIC', NULL, NULL, NULL, NULL, NULL, NULL, NULL");
	marks("plastic", NULL,
	    "name: [Plastic]/Rubber, [plastic]! plastics|note: a <b>[plastic]</b>|id: [plastic]|name: \xc3\x89tat "
	    "[PLASTIC]");
	marks("plastic", "<em>,</em>",
	    "name: <em>Plastic</em>/Rubber, <em>plastic</em>! plastics|note: a <b><em>plastic</em></b>|"
	    "id: <em>plastic</em>|name: \xc3\x89tat <em>PLASTIC</em>");
	marks("\xc3\xa9TAT", "*,*", "name: *\xc3\x89tat* PLASTIC");
	marks("plast*", "*,*",
	    "name: *Plastic*/Rubber, *plastic*! *plastics*|note: a <b>*plastic*</b>|"
	    "id: *plastic*|name: \xc3\x89tat *PLASTIC*");
	marks("", NULL, "");
}
END_TEST

START_TEST(a_phrase_is_marked_only_where_it_stands_whole)
{
	put("a", 1, "'red box, red wooden box', 'box of wood', NULL, NULL, NULL, NULL, NULL, NULL");
	marks("\"red box\"", NULL, "name: [red] [box], red wooden box");
	marks("red-box", NULL, "name: [red] [box], red wooden box");
	marks("\"red woo*\"", NULL, "");
	marks("wooden*", NULL, "name: red box, red [wooden] box");
	/* Words go on from column to column. */
	marks("\"box box of\"", NULL, "name: red box, red wooden [box]|note: [box] [of] wood");
	marks("box red", NULL, "name: [red] [box], [red] wooden [box]|note: [box] of wood");
}
END_TEST

START_TEST(what_a_mistyped_word_stands_for_is_marked)
{
	put("a", 1, "'red plastic box', NULL, NULL, NULL, NULL, NULL, NULL, NULL");
	put("b", 1, "'elastic', 'red', NULL, NULL, NULL, NULL, NULL, NULL");
	OK(search_finish(search, &dataset, &e));
	marks("lastic red", NULL, "name: [red] [plastic] box|name: [elastic]|note: [red]");
}
END_TEST

START_TEST(a_filter_marks_nothing)
{
	struct search_page page;
	struct buf out = {0};
	struct query q;

	put("a", 1, "'red', 'x', NULL, NULL, NULL, NULL, NULL, NULL");
	query_init(&q);
	OK(query_where(&q, &shape, "name=red", &e));
	OK(query_highlight(&q, NULL, &e));
	OK(search_query(search, &dataset, &q, note_marks, &out, &page, &e));
	ck_assert_uint_eq(out.length, 0);
	query_fini(&q);
	buf_fini(&out);
}
END_TEST

static Suite *
cases(void)
{
	Suite *suite = suite_create("marks");
	TCase *t = tcase_create(engines[engine].name);

	tcase_add_checked_fixture(t, begin, close_engine);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, values_are_counted_the_most_frequent_first);
	tcase_add_test(t, values_of_every_type_are_told_apart_and_written_exactly);
	tcase_add_test(t, only_what_matches_is_counted);
	tcase_add_test(t, every_page_counts_all_that_matches);
	tcase_add_test(t, many_values_are_cut_and_the_rest_is_told);
	tcase_add_test(t, a_long_value_is_told_whole);
	tcase_add_test(t, records_without_key_have_facets_too);
	tcase_add_test(t, words_are_marked_where_they_were_found);
	tcase_add_test(t, a_phrase_is_marked_only_where_it_stands_whole);
	tcase_add_test(t, what_a_mistyped_word_stands_for_is_marked);
	tcase_add_test(t, a_filter_marks_nothing);
	suite_add_tcase(suite, t);
	return suite;
}

int
main(void)
{
	return engines_run("marks", cases, &engine);
}
