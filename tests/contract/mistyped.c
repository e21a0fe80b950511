/* What every search engine has to do for words that nobody has written so; the same cases over each driver. */
#include <check.h>
#include <stdlib.h>

#include "base/sig.h"
#include "documents.h"
#include "finds.h"

static int engine; /* the one under test */

static void
begin(void)
{
	open_engine(engine);
	define(1, "id text,name text", 1);
}

static void
put_named(const char *key, int64_t version, const char *name)
{
	struct buf value = {0};

	pg_quote_literal(&value, name);
	put(key, version, value.bytes);
	buf_fini(&value);
}

/* What is found with words near to those typed, as the page says. */
static void
finds_near(const char *text, const char *where, const char *mistyped, const char *expected)
{
	struct buf keys = {0};
	struct search_page page = run(&keys, text, where, "id", QUERY_ALL);

	ck_assert_msg(strcmp(keys.bytes, expected) == 0, "%s: %s, not %s", text, keys.bytes, expected);
	ck_assert_pstr_eq(page.mistyped, mistyped);
	search_page_fini(&page);
	buf_fini(&keys);
}

START_TEST(a_word_that_no_document_has_stands_for_the_nearest)
{
	put_named("a", 1, "red plastic box");
	put_named("b", 1, "plastics of the world");
	put_named("c", 1, "elastic band");
	put_named("d", 1,
	    "Stra\xc3\x9f"
	    "e nach \xc3\x96rebro");
	OK(search_finish(search, &dataset, &e));
	finds_near("plastic", NULL, NULL, "a");
	/* One edit of each kind. */
	finds_near("plastik", NULL, "plastik", "a");
	finds_near("PLSTIC", NULL, "PLSTIC", "a");
	finds_near("plasttic", NULL, "plasttic", "a");
	finds_near("plsatic", NULL, "plsatic", "a");
	finds_near("lastic", NULL, "lastic", "a c");
	finds_near("xlastic", NULL, "xlastic", "a c");
	finds_near("plastick", NULL, "plastick", "a b");
	/* Two in a long word, if one is not enough. */
	finds_near("plxstixs", NULL, "plxstixs", "b");
	finds_near("wrldo", NULL, NULL, "");
	finds_near("owrlde", NULL, "owrlde", "b");
	/* Short words, where trigrams find nothing. */
	finds_near("teh", NULL, "teh", "b");
	finds_near("rad", NULL, "rad", "a");
	finds_near("ox", NULL, NULL, "");
	finds_near("bxz", NULL, NULL, "");
	/* A letter is a letter, however many bytes it has. */
	finds_near("strasse", NULL, "strasse", "d");
	finds_near("\xc3\xb6rbro", NULL, "\xc3\xb6rbro", "d");
	finds_near("nech", NULL, "nech", "d");
	/* The other words are as they are. */
	finds_near("red plastik", NULL, "plastik", "a");
	finds_near("bxnd elastik", NULL, "bxnd elastik", "c");
	finds_near("band plastik", NULL, "plastik", "");
	finds_near("plastik", "id=b", "plastik", "");
}
END_TEST

START_TEST(phrases_prefixes_and_numbers_are_never_mistyped)
{
	put_named("a", 1, "red plastic box 1990 b2b4y");
	finds_near("\"plastik\"", NULL, NULL, "");
	finds_near("\"red plastik\"", NULL, NULL, "");
	finds_near("plastik*", NULL, NULL, "");
	finds_near("red-plastik", NULL, NULL, "");
	finds_near("1991", NULL, NULL, "");
	finds_near("b2b4x", NULL, NULL, "");
}
END_TEST

START_TEST(words_come_and_go_with_their_documents)
{
	put_named("a", 1, "blue");
	put_named("b", 1, "plastic");
	finds_near("plastik", NULL, "plastik", "b");
	put_named("c", 1, "plastik");
	finds_near("plastik", NULL, NULL, "c");
	put_named("c", 2, "wood");
	finds_near("plastik", NULL, "plastik", "b");
	finds_near("wodo", NULL, "wodo", "c");
	/* A word left behind is no neighbour either: else `blues` would stand for nothing but `blue`. */
	put_named("d", 1, "blouse");
	put_named("a", 2, "green");
	finds_near("blousy", NULL, "blousy", "d");
	finds_near("bluese", NULL, "bluese", "d");
	sql("DELETE FROM public.things WHERE id = 'b'");
	tell((const char *const[]){"b"}, 2, true);
	finds_near("plastik", NULL, NULL, "");
}
END_TEST

static Suite *
cases(void)
{
	Suite *suite = suite_create("mistyped");
	TCase *t = tcase_create(engines[engine].name);

	tcase_add_checked_fixture(t, begin, close_engine);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_word_that_no_document_has_stands_for_the_nearest);
	tcase_add_test(t, phrases_prefixes_and_numbers_are_never_mistyped);
	tcase_add_test(t, words_come_and_go_with_their_documents);
	suite_add_tcase(suite, t);
	return suite;
}

int
main(void)
{
	return engines_run("mistyped", cases, &engine);
}
