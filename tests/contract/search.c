/* What every search engine has to do for search.h; the same cases over each driver. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sig.h"
#include "documents.h"
#include "finds.h"

static int engine; /* the one under test */

static void
begin(void)
{
	open_engine(engine);
}

/* id, name, note and a column of each other type. */
static void
define_things(void)
{
	define(
	    1, "id text,name text,note text,founded bigint,price numeric,active boolean,day date,sent timestamptz", 1);
}

static void
put_named(const char *key, const char *name)
{
	struct buf values = {0};

	pg_quote_literal(&values, name);
	buf_string(&values, ", NULL, NULL, NULL, NULL, NULL, NULL");
	put(key, 1, values.bytes);
	buf_fini(&values);
}

START_TEST(creating_twice_keeps_the_documents)
{
	define_things();
	put_named("a", "plastic");
	OK(search_create(search, &dataset, &e));
	holds(1);
	finds("plastic", NULL, "a");
}
END_TEST

START_TEST(an_index_is_there_or_not)
{
	define_things();
	ck_assert_int_eq(search_exists(search, &dataset, &e), 1);
	OK(search_drop(search, &dataset, &e));
	ck_assert_int_eq(search_exists(search, &dataset, &e), 0);
	OK(search_create(search, &dataset, &e));
	ck_assert_int_eq(search_exists(search, &dataset, &e), 1);
	holds(0);
}
END_TEST

START_TEST(every_word_of_a_text_is_found_whatever_stands_around_it)
{
	define_things();
	put_named("a", "Plastic/Rubber <em>bold R&D;x https://www.example.com/some/path.html?q=1 me@example.org");
	put_named("b", "multi-word snake_case 3.14 -42 +7 x~tilde 1e5 007 a.b.c c:\\dir\\file don't \"quoted\" (x,y)");
	put_named("c", "\xc3\x89tat Stra\xc3\x9f"
		       "e \xe5\x90\x8d\xe5\x89\x8d na\xc3\xafve");
	const char *const a[] = {"plastic", "RUBBER", "bold", "em", "r", "d", "x", "https", "www", "example", "some",
	    "path", "html", "q", "1", "me", "org", "www.example.com", "path.html", "me@example.org", "plastic/rubber",
	    "R&D"};
	for (size_t i = 0; i < sizeof a / sizeof *a; i++)
		finds(a[i], "id=a", "a");
	const char *const b[] = {"multi", "word", "snake", "case", "3", "14", "42", "7", "tilde", "1e5", "007", "a",
	    "c", "dir", "file", "don", "t", "quoted", "y", "multi-word", "snake_case", "3.14", "-42", "don't",
	    "c:\\dir\\file"};
	for (size_t i = 0; i < sizeof b / sizeof *b; i++)
		finds(b[i], "id=b", "b");
	const char *const c[] = {"\xc3\xa9tat", "\xc3\x89TAT",
	    "stra\xc3\x9f"
	    "e",
	    "\xe5\x90\x8d\xe5\x89\x8d", "NA\xc3\x8fVE"};
	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		finds(c[i], NULL, "c");
	finds("plast", NULL, "");
	finds("word-multi", NULL, "");
}
END_TEST

START_TEST(all_terms_must_match)
{
	define_things();
	put_named("a", "red plastic box");
	put_named("b", "red wooden box");
	put_named("c", "plastic bag");
	finds("red", NULL, "a b");
	finds("box red", NULL, "a b");
	finds("red plastic", NULL, "a");
	finds("red bag", NULL, "");
	finds("\"plastic box\"", NULL, "a");
	finds("\"red box\"", NULL, "");
	finds("pla*", NULL, "a c");
	finds("re* woo*", NULL, "b");
	finds("", NULL, "a b c");
}
END_TEST

START_TEST(words_are_looked_for_in_all_text_columns)
{
	define_things();
	put("k1", 1, "'red', 'box', 1990, NULL, NULL, NULL, NULL");
	finds("red box", NULL, "k1");
	finds("k1", NULL, "k1");
	finds("1990", NULL, "");
}
END_TEST

START_TEST(odd_text_is_no_error)
{
	static const char *const odd[] = {"'", "\\", "''' ", "a'b*", "\\*", "'*", "&", "!", "a & ", "( | )", ":*",
	    "a:*b*", "\"", "\"\"", "<->", "a <-> b", "-", "--", ";", "%", "\x01", "''':*'", "\xef\xbf\xbd"};
	struct buf keys = {0};

	define_things();
	put_named("a", "a b");
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		run(&keys, odd[i], NULL, NULL, 1);
	buf_fini(&keys);
	finds("!", NULL, "");
	finds("a ! & b", NULL, "a");
}
END_TEST

START_TEST(a_changed_record_is_found_by_its_new_words_only)
{
	define_things();
	put_named("a", "red");
	put("a", 2, "'blue', NULL, NULL, NULL, NULL, NULL, NULL");
	finds("red", NULL, "");
	finds("blue", NULL, "a");
	holds(1);
}
END_TEST

START_TEST(a_late_older_document_changes_nothing)
{
	define_things();
	put("a", 5, "'new', NULL, NULL, NULL, NULL, NULL, NULL");
	tell((const char *const[]){"a"}, 3, false);
	finds("new", NULL, "a");
	sql("DELETE FROM public.things");
	tell((const char *const[]){"a"}, 6, true);
	holds(0);
	tell((const char *const[]){"a"}, 4, false);
	holds(0);
}
END_TEST

START_TEST(a_late_deletion_does_not_remove_a_newer_record)
{
	define_things();
	put("a", 7, "'again', NULL, NULL, NULL, NULL, NULL, NULL");
	tell((const char *const[]){"a"}, 6, true);
	finds("again", NULL, "a");
	sql("DELETE FROM public.things");
	tell((const char *const[]){"a"}, 6, true);
	holds(1);
	tell((const char *const[]){"a"}, 8, true);
	holds(0);
}
END_TEST

START_TEST(many_documents_in_one_call_each_once)
{
	enum { COUNT = 5000 };
	static char names[COUNT][16];
	static const char *keys[COUNT + 1];
	static struct search_doc docs[COUNT + 1];

	define(1, "id text,name text", 1);
	sql("INSERT INTO public.things SELECT 'k' || i, 'word' || i, i FROM generate_series(1, 5000) i");
	for (int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof names[i], "k%d", i + 1);
		keys[i] = names[i];
		docs[i] = (struct search_doc){.key = &keys[i], .version = i + 1};
	}
	docs[COUNT] = (struct search_doc){.key = &keys[0], .version = COUNT}; /* one key twice */
	for (int round = 0; round < 2; round++) {
		bring(docs, COUNT + 1);
		holds(COUNT);
	}
	OK(search_finish(search, &dataset, &e));
	OK(search_finish(search, &dataset, &e));
	finds("word4711", NULL, "k4711");
}
END_TEST

START_TEST(a_key_may_hold_anything)
{
	static const char *const keys[] = {
	    "{a,b}", "\"quoted\"", "back\\slash", "new\nline", "NULL", "", " blank ", "it's"};
	size_t count = sizeof keys / sizeof *keys;

	define(1, "id text,name text", 1);
	for (size_t i = 0; i < count; i++) {
		put(keys[i], 1, "'x'");
		holds(i + 1);
	}
	sql("DELETE FROM public.things");
	for (size_t i = 0; i < count; i++)
		tell(&keys[i], 2, true);
	holds(0);
}
END_TEST

START_TEST(filters_compare_by_type)
{
	define_things();
	put("a", 1, "'x', NULL, 9, 1.5, true, '2024-02-29', '2024-02-29 23:30+00'");
	put("b", 1, "'x', NULL, 10, 1.50, false, '2024-03-01', '2024-03-01 01:00+02'");
	put("c", 1, "'y', 'n', -1, -2, NULL, NULL, NULL");
	put("d", 1, "NULL, NULL, NULL, NULL, NULL, NULL, NULL");
	finds("", "founded=10", "b");
	finds("", "founded<10", "a c");
	finds("", "founded<=10", "a b c");
	finds("", "founded>-1", "a b");
	finds("", "founded>=9", "a b");
	finds("", "founded!=9", "b c");
	finds("", "founded is null", "d");
	finds("", "price=1.50", "a b");
	finds("", "price<0", "c");
	finds("", "active=TRUE", "a");
	finds("", "active!=true", "b");
	finds("", "day>=2024-03-01", "b");
	finds("", "sent=2024-02-29T23:00Z", "b");
	finds("", "sent>2024-02-29T23:00Z", "a");
	finds("", "sent<2024-03-01", "a b");
	finds("", "name=x|founded>9", "b");
	finds("", "name!=x", "c");
	finds("", "name=X", "");
	finds("", "note is null|name is null", "d");
	finds("x", "founded=9", "a");
	finds("y", "founded=9", "");
}
END_TEST

START_TEST(text_filters_compare_bytes_and_whole_values)
{
	define_things();
	put_named("a", "Zebra crossing");
	put_named("b", "apple");
	put_named("c", "\xc3\x84pfel");
	put_named("d", "");
	finds("", "name<apple", "a d");
	finds("", "name>apple", "c");
	finds("", "name=Zebra", "");
	finds("", "name=Zebra crossing", "a");
	finds("", "name=", "d");
	finds("", "name='; DROP TABLE things", "");
	put_named("e", "--");
	put_named("f", "R&D/x-y (3.14)");
	finds("", "name=--", "e");
	finds("", "name=R&D/x-y (3.14)", "f");
	finds("", "name=r&d/x-y (3.14)", "");
}
END_TEST

START_TEST(a_sort_is_by_bytes_nulls_last_ties_by_key)
{
	define_things();
	put("b", 1, "'apple', NULL, 2, NULL, NULL, NULL, NULL");
	put("a", 1, "'Zebra', NULL, 10, NULL, NULL, NULL, NULL");
	put("d", 1, "'apple', NULL, NULL, NULL, NULL, NULL, NULL");
	put("c", 1, "NULL, NULL, -3, NULL, NULL, NULL, NULL");
	put("B", 1, "'\xc3\x84', NULL, 2, NULL, NULL, NULL, NULL");
	finds_sorted("", NULL, "name", "a b d B c");
	finds_sorted("", NULL, "name:desc", "B b d a c");
	finds_sorted("", NULL, "founded", "c B b a d");
	finds_sorted("", NULL, "founded:desc", "a B b c d");
	finds_sorted("", NULL, NULL, "B a b c d");
	finds_sorted("apple", NULL, "founded", "b d");
}
END_TEST

START_TEST(a_limit_cuts_and_says_so)
{
	struct buf keys = {0};
	struct search_page page;

	define_things();
	put_named("a", "x");
	put_named("b", "x");
	put_named("c", "x");
	page = run(&keys, "", NULL, "id", 2);
	ck_assert_str_eq(keys.bytes, "a b");
	ck_assert_ptr_nonnull(page.next);
	search_page_fini(&page);
	ck_assert_uint_eq(page.total, 3);
	buf_reset(&keys);
	page = run(&keys, "x", NULL, "id", 3);
	ck_assert_str_eq(keys.bytes, "a b c");
	ck_assert(page.next == NULL);
	buf_reset(&keys);
	page = run(&keys, "x", NULL, NULL, 0);
	ck_assert_str_eq(keys.bytes, "");
	ck_assert_uint_eq(page.total, 3);
	buf_fini(&keys);
}
END_TEST

START_TEST(relevance_puts_the_better_match_first)
{
	struct buf keys = {0};
	struct search_page page;

	define_things();
	put_named("a", "plastic and many other words about wood");
	put_named("b", "plastic plastic plastic");
	page = run(&keys, "plastic", NULL, NULL, 10);
	ck_assert_str_eq(keys.bytes, "b a");
	ck_assert(page.ranked);
	buf_reset(&keys);
	page = run(&keys, "", NULL, NULL, 10);
	ck_assert(!page.ranked);
	page = run(&keys, "plastic", NULL, "id", 10);
	ck_assert(!page.ranked);
	buf_fini(&keys);
}
END_TEST

struct seen {
	char *values[10];
	int64_t version;
	size_t hits;
};

static int
note_values(void *ctx, const struct search_hit *hit, struct err *err)
{
	struct seen *seen = ctx;

	(void)err;
	for (size_t i = 0; i < shape.count; i++)
		seen->values[i] = hit->values[i] != NULL ? buf_strdup(hit->values[i]) : NULL;
	seen->version = hit->version;
	seen->hits++;
	return 0;
}

START_TEST(a_hit_carries_every_value_exactly)
{
	static const char *const json[] = {"\"a\"", "\"tab\\there\"", "", "\"9007199254740993\"", "1.50", "true",
	    "\"2024-02-29\"", "\"2024-02-29 23:30:00+00\""};
	struct seen seen = {0};
	struct search_page page;
	struct query q;
	struct buf out = {0};

	define_things();
	put("a", (INT64_C(1) << 62) + 1,
	    "E'tab\\there', NULL, 9007199254740993, 1.50, true, '2024-02-29', '2024-02-29 23:30+00'");
	query_init(&q);
	OK(search_query(search, &dataset, &q, note_values, &seen, &page, &e));
	ck_assert_uint_eq(seen.hits, 1);
	ck_assert(seen.version == (INT64_C(1) << 62) + 1);
	ck_assert_ptr_null(seen.values[2]);
	for (size_t i = 0; i < shape.count; i++) {
		if (seen.values[i] == NULL)
			continue;
		buf_reset(&out);
		type_to_json(shape.columns[i].type, &out, seen.values[i], strlen(seen.values[i]));
		ck_assert_str_eq(out.bytes, json[i]);
		free(seen.values[i]);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(records_without_key_are_known_by_id)
{
	define(2, "name text", 0);
	sql("INSERT INTO public.things VALUES ('same', 9, 9), ('same', 10, 10)");
	tell((const char *const[]){"9"}, 9, false);
	tell((const char *const[]){"10"}, 10, false);
	holds(2);
	finds_sorted("same", NULL, "name", "9 10");
	sql("DELETE FROM public.things WHERE _id = 9");
	tell((const char *const[]){"9"}, 11, true);
	holds(1);
	finds_sorted("", NULL, NULL, "10");
}
END_TEST

START_TEST(a_key_of_several_columns_counts_as_a_whole)
{
	define(3, "n numeric,code text,at timestamptz,body text", 3);
	sql("INSERT INTO public.things VALUES (1.00, 'a', '2024-01-01 00:00+00', 'x', 1), (1.00, 'b', '2024-01-01 "
	    "00:00+00', 'x', 1)");
	tell((const char *const[]){"1", "a", "2024-01-01 00:00:00+00"}, 1, false);
	tell((const char *const[]){"1", "b", "2024-01-01 00:00:00+00"}, 1, false);
	holds(2);
	finds_sorted("x", "code=b", NULL, "1.00");
	sql("DELETE FROM public.things WHERE code = 'a'");
	tell((const char *const[]){"1", "a", "2024-01-01 00:00:00+00"}, 2, true);
	holds(1);
}
END_TEST

/* The n-th word of two letters, of four bytes each: nothing else makes an index as big from as few characters. */
static void
long_word(struct buf *text, unsigned n)
{
	const unsigned letters[] = {0x20000 + n / 40000, 0x20000 + n % 40000};

	for (size_t i = 0; i < 2; i++)
		buf_printf(text, "\xf0%c%c%c", 0x80 | (int)(letters[i] >> 12), 0x80 | (int)(letters[i] >> 6 & 63),
		    0x80 | (int)(letters[i] & 63));
	buf_byte(text, ' ');
}

START_TEST(the_longest_texts_are_indexed_by_their_beginning)
{
	struct buf values = {0};
	struct buf word = {0};

	define(4, "id text,c1 text,c2 text,c3 text,c4 text,c5 text,c6 text,c7 text,c8 text,n bigint", 1);
	for (unsigned column = 0; column < 8; column++) {
		buf_byte(&values, '\'');
		for (unsigned i = 0; i < 20000; i++)
			long_word(&values, column * 20000 + i);
		buf_string(&values, "', ");
	}
	buf_string(&values, "7");
	put("a", 1, values.bytes);
	holds(1);
	finds("", "n=7", "a");
	long_word(&word, 0);
	finds(word.bytes, NULL, "a");
	buf_reset(&word);
	long_word(&word, 6 * 20000); /* the seventh column has its share */
	finds(word.bytes, NULL, "a");
	buf_fini(&word);
	buf_fini(&values);
}
END_TEST

static int
stop(void *ctx, const struct search_hit *hit, struct err *err)
{
	(void)ctx, (void)hit;
	return err_set(err, ERR_IO, "enough");
}

START_TEST(the_callback_can_end_a_query)
{
	struct search_page page;
	struct query q;

	define_things();
	put_named("a", "x");
	put_named("b", "x");
	query_init(&q);
	ck_assert_int_eq(search_query(search, &dataset, &q, stop, NULL, &page, &e), -1);
	ck_assert_str_eq(e.message, "enough");
	finds("x", NULL, "a b");
}
END_TEST

START_TEST(without_an_index_there_is_a_clear_answer)
{
	struct search_page page;
	const char *const values[8] = {"a"};
	struct search_doc doc = {.key = (const char *const[]){"a"}, .version = 1, .values = values};
	struct query q;

	define_things();
	put_named("a", "x");
	OK(search_drop(search, &dataset, &e));
	OK(search_drop(search, &dataset, &e));
	holds(0);
	query_init(&q);
	ck_assert_int_eq(search_query(search, &dataset, &q, note_key, NULL, &page, &e), -1);
	ck_assert_int_eq((int)e.code, ERR_NOINPUT);
	ck_assert_ptr_nonnull(strstr(e.message, "csvp-index"));
	ck_assert_int_eq(search_bulk(search, &dataset, &doc, 1, nothing_is_refused, NULL, &e), -1);
	ck_assert_int_eq((int)e.code, ERR_NOINPUT);
}
END_TEST

START_TEST(a_url_of_no_engine_is_a_wrong_configuration)
{
	struct search_options options = {.url = "gopher://x", .conninfo = conninfo.bytes};

	ck_assert_ptr_null(search_open(&options, &e));
	ck_assert_int_eq((int)e.code, ERR_CONFIG);
}
END_TEST

static Suite *
cases(void)
{
	Suite *suite = suite_create("search");
	TCase *t = tcase_create(engines[engine].name);

	tcase_add_checked_fixture(t, begin, close_engine);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, creating_twice_keeps_the_documents);
	tcase_add_test(t, an_index_is_there_or_not);
	tcase_add_test(t, every_word_of_a_text_is_found_whatever_stands_around_it);
	tcase_add_test(t, all_terms_must_match);
	tcase_add_test(t, words_are_looked_for_in_all_text_columns);
	tcase_add_test(t, odd_text_is_no_error);
	tcase_add_test(t, a_changed_record_is_found_by_its_new_words_only);
	tcase_add_test(t, a_late_older_document_changes_nothing);
	tcase_add_test(t, a_late_deletion_does_not_remove_a_newer_record);
	tcase_add_test(t, many_documents_in_one_call_each_once);
	tcase_add_test(t, a_key_may_hold_anything);
	tcase_add_test(t, filters_compare_by_type);
	tcase_add_test(t, text_filters_compare_bytes_and_whole_values);
	tcase_add_test(t, a_sort_is_by_bytes_nulls_last_ties_by_key);
	tcase_add_test(t, a_limit_cuts_and_says_so);
	tcase_add_test(t, relevance_puts_the_better_match_first);
	tcase_add_test(t, a_hit_carries_every_value_exactly);
	tcase_add_test(t, records_without_key_are_known_by_id);
	tcase_add_test(t, a_key_of_several_columns_counts_as_a_whole);
	tcase_add_test(t, the_longest_texts_are_indexed_by_their_beginning);
	tcase_add_test(t, the_callback_can_end_a_query);
	tcase_add_test(t, without_an_index_there_is_a_clear_answer);
	tcase_add_test(t, a_url_of_no_engine_is_a_wrong_configuration);
	suite_add_tcase(suite, t);
	return suite;
}

int
main(void)
{
	return engines_run("search", cases, &engine);
}
