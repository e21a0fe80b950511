/* What every search engine has to do for a person who turns pages; the same cases over each driver. */
#include <check.h>
#include <stdlib.h>

#include "base/sig.h"
#include "documents.h"
#include "finds.h"
#include "search/cursor.h"

static int engine; /* the one under test */

static void
begin(void)
{
	open_engine(engine);
	define(1, "id text,name text,note text,founded bigint,price numeric,day date,sent timestamptz", 1);
}

static char *cursor; /* of the next page */

/* One page: its keys are appended; whether there is another one. */
static bool
turn(struct buf *keys, const char *text, const char *where, const char *sort, uint64_t limit)
{
	struct search_page page = {0};
	struct query q;

	query_init(&q);
	q.limit = limit;
	q.cursor = cursor;
	OK(query_text(&q, text, &e));
	if (where != NULL)
		OK(query_where(&q, &shape, where, &e));
	if (sort != NULL)
		OK(query_sort(&q, &shape, sort, &e));
	OK(search_query(search, &dataset, &q, note_key, keys, &page, &e));
	query_fini(&q);
	cursor = page.next;
	page.next = NULL;
	search_page_fini(&page);
	return cursor != NULL;
}

/* Pages of every size give what one page gives. */
static void
pages_like_one(const char *text, const char *where, const char *sort)
{
	struct buf whole = {0}, pages = {0};

	cursor = NULL;
	buf_string(&whole, "");
	ck_assert(!turn(&whole, text, where, sort, QUERY_ALL));
	/* A server takes its time for each page: one size there. */
	for (uint64_t limit = engine == 0 ? 1 : 2; limit < (engine == 0 ? 6 : 3); limit++) {
		buf_reset(&pages);
		buf_string(&pages, "");
		for (size_t turns = 0; turn(&pages, text, where, sort, limit); turns++)
			ck_assert_uint_lt(turns, 100);
		ck_assert_msg(strcmp(pages.bytes, whole.bytes) == 0, "%s %s: %s, not %s", text, sort ? sort : "by key",
		    pages.bytes, whole.bytes);
	}
	buf_fini(&pages);
	buf_fini(&whole);
}

static void
fill(void)
{
	put("a", 1, "'red box', 'x', 10, 1.5, '2024-02-29', '2024-02-29 23:30:00.123456+00'");
	put("b", 1, "'red red', NULL, NULL, 1.50, NULL, NULL");
	put("c", 1, "'Red', 'x', 9, -2, '2024-02-29', '2024-03-01 00:30+01'");
	put("d", 1, "'red', '', 9, NULL, '0001-01-01', NULL");
	put("e", 1, "NULL, 'y', 9223372036854775807, 123456789012345678901234567890.5, NULL, NULL");
	put("f", 1, "'blue box', NULL, -9223372036854775808, 0, '9999-12-31', '0001-01-01 00:00+00'");
	put("g", 1, "'red \xc3\x84 box', 'Y', NULL, NULL, NULL, NULL");
}

START_TEST(pages_are_the_whole_in_every_order)
{
	static const char *const sorts[] = {NULL, "id", "id:desc", "name", "name:desc", "note", "note:desc", "founded",
	    "founded:desc", "price", "price:desc", "day", "day:desc", "sent", "sent:desc"};

	fill();
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
		pages_like_one("", NULL, sorts[i]);
		pages_like_one("red", NULL, sorts[i]);
		pages_like_one("", "founded is null", sorts[i]);
		pages_like_one("box", "price>0", sorts[i]);
		pages_like_one("none", NULL, sorts[i]);
	}
}
END_TEST

START_TEST(the_last_page_says_so)
{
	struct buf keys = {0};

	fill();
	ck_assert(turn(&keys, "box", NULL, "id", 2));
	ck_assert_str_eq(keys.bytes, "a f");
	ck_assert(!turn(&keys, "box", NULL, "id", 2));
	ck_assert_str_eq(keys.bytes, "a f g");
	finds("box", NULL, "a f g");
	buf_fini(&keys);
}
END_TEST

START_TEST(a_page_may_be_of_another_size_or_all_that_is_left)
{
	struct buf keys = {0};

	fill();
	ck_assert(turn(&keys, "", NULL, "name", 1));
	ck_assert(turn(&keys, "", NULL, "name", 3));
	ck_assert(!turn(&keys, "", NULL, "name", QUERY_ALL));
	ck_assert_str_eq(keys.bytes, "c f d a b g e");
	buf_fini(&keys);
}
END_TEST

START_TEST(what_changes_between_pages_moves_nothing_else)
{
	struct buf keys = {0};

	fill();
	ck_assert(turn(&keys, "", NULL, "founded", 2));
	ck_assert_str_eq(keys.bytes, "f c");
	put("A", 1, "NULL, NULL, 1, NULL, NULL, NULL"); /* before what has been seen */
	put("B", 1, "NULL, NULL, 9, NULL, NULL, NULL");
	put("cc", 1, "NULL, NULL, 9, NULL, NULL, NULL"); /* behind it */
	put("f", 2, "NULL, NULL, NULL, NULL, NULL, NULL");
	sql("DELETE FROM public.things WHERE id = 'c'");
	tell((const char *const[]){"c"}, 2, true);
	while (turn(&keys, "", NULL, "founded", 2))
		;
	ck_assert_str_eq(keys.bytes, "f c cc d a e b f g");
	buf_fini(&keys);
}
END_TEST

START_TEST(a_ranking_goes_on_where_it_was)
{
	struct buf keys = {0};

	put("a", 1, "'red', NULL, NULL, NULL, NULL, NULL");
	put("b", 1, "'red red', NULL, NULL, NULL, NULL, NULL");
	put("c", 1, "'red red red', NULL, NULL, NULL, NULL, NULL");
	put("d", 1, "'red red', NULL, NULL, NULL, NULL, NULL");
	ck_assert(turn(&keys, "red", NULL, NULL, 2));
	ck_assert_str_eq(keys.bytes, "c b");
	put("0", 1, "'red red red red', NULL, NULL, NULL, NULL, NULL");
	ck_assert(turn(&keys, "red", NULL, NULL, 1));
	ck_assert(!turn(&keys, "red", NULL, NULL, 1));
	ck_assert_str_eq(keys.bytes, "c b d a");
	buf_fini(&keys);
}
END_TEST

/* By relevance and by name: the words of the first page stay, though a nearer one and the word itself come. */
START_TEST(what_a_mistyped_word_stands_for_stays_for_all_pages)
{
	static const char *const sorts[] = {NULL, "name"};

	for (size_t i = 0; i < 2; i++) {
		struct buf keys = {0};
		int64_t version = 1 + 2 * (int64_t)i; /* what was deleted does not come back older */

		put("a", version, "'stoned', NULL, NULL, NULL, NULL, NULL");
		put("b", version, "'stoned', NULL, NULL, NULL, NULL, NULL");
		put("c", version, "'stoned', NULL, NULL, NULL, NULL, NULL");
		put("d", version, "'storied', NULL, NULL, NULL, NULL, NULL");
		ck_assert(turn(&keys, "stonied", NULL, sorts[i], 1));
		put("e", version, "'stonier', NULL, NULL, NULL, NULL, NULL");
		put("f", version, "'stonied', NULL, NULL, NULL, NULL, NULL");
		ck_assert(turn(&keys, "stonied", NULL, sorts[i], 1));
		ck_assert(turn(&keys, "stonied", NULL, sorts[i], 1));
		while (turn(&keys, "stonied", NULL, sorts[i], 1))
			continue;
		ck_assert_msg(strncmp(keys.bytes, "a b c ", 6) == 0, "%s", keys.bytes);
		ck_assert_ptr_nonnull(strchr(keys.bytes, 'd'));
		ck_assert_ptr_null(strchr(keys.bytes, 'e'));
		buf_fini(&keys);
		sql("DELETE FROM public.things");
		for (const char *key = "a\0b\0c\0d\0e\0f\0"; *key; key += 2)
			tell(&key, version + 1, true);
	}
}
END_TEST

START_TEST(a_record_without_document_and_the_reverse_do_not_end_the_pages)
{
	struct buf keys = {0};

	fill();
	sql("DELETE FROM public.things WHERE id IN ('b', 'c', 'd')");
	sql("INSERT INTO public.things VALUES ('bb', NULL, NULL, NULL, NULL, NULL, NULL, 1)");
	while (turn(&keys, "", NULL, NULL, 2))
		;
	/* What reads the rows itself has what they are; what was given them, what they were. */
	ck_assert_str_eq(keys.bytes, search_capabilities(search) & SEARCH_WANTS_VALUES ? "a b c d e f g" : "a e f g");
	buf_fini(&keys);
}
END_TEST

START_TEST(keys_of_every_type_are_gone_on_from)
{
	define(3, "n numeric,code text,at timestamptz,ok boolean", 4);
	sql("INSERT INTO public.things SELECT n, c, '2024-01-01 00:00:00.5+00'::timestamptz + n * interval '1 day', b, "
	    "1"
	    " FROM generate_series(-1.5, 1.5) n, unnest(ARRAY['\"', '\\', '', E'a\\tb']) c,"
	    " unnest(ARRAY[true, false]) b");
	for (int n = -3; n <= 3; n += 2)
		for (int c = 0; c < 8; c++) {
			static const char *const codes[] = {"\"", "\\", "", "a\tb"};
			char *number = buf_format("%s%d.5", n < 0 ? "-" : "", abs(n) / 2);
			char *at = buf_format("%s 12:00:00.5+00", n == -3   ? "2023-12-30"
								  : n == -1 ? "2023-12-31"
								  : n == 1  ? "2024-01-01"
									    : "2024-01-02");
			tell((const char *const[]){number, codes[c % 4], at, c < 4 ? "true" : "false"}, 1, false);
			free(number);
			free(at);
		}
	holds(32);
	pages_like_one("", NULL, NULL);
	pages_like_one("", NULL, "ok");
	pages_like_one("", NULL, "at:desc");
}
END_TEST

START_TEST(records_without_key_have_pages)
{
	define(2, "name text", 0);
	sql("INSERT INTO public.things SELECT 'same', i, i FROM generate_series(8, 12) i");
	for (int i = 8; i <= 12; i++) {
		char *id = buf_format("%d", i);
		tell((const char *const[]){id}, i, false);
		free(id);
	}
	pages_like_one("", NULL, "name");
	pages_like_one("same", NULL, NULL);
}
END_TEST

static void
refuses(const char *text, const char *sort, const char *message)
{
	struct search_page page;
	struct query q;

	query_init(&q);
	OK(query_text(&q, text, &e));
	if (sort != NULL)
		OK(query_sort(&q, &shape, sort, &e));
	q.cursor = buf_strdup(cursor);
	q.limit = 1;
	ck_assert_int_eq(search_query(search, &dataset, &q, note_key, NULL, &page, &e), -1);
	ck_assert_int_eq((int)e.code, ERR_USAGE);
	ck_assert_msg(strstr(e.message, message) != NULL, "%s", e.message);
	query_fini(&q);
}

START_TEST(a_cursor_of_another_query_or_dataset_is_refused)
{
	struct buf keys = {0};

	fill();
	ck_assert(turn(&keys, "red", NULL, "name", 1));
	refuses("red", NULL, "another query");
	refuses("red", "name:desc", "another query");
	refuses("box", "name", "another query");
	dataset.dataset = 2;
	refuses("red", "name", "another query");
	dataset.dataset = 1;
	cursor[strlen(cursor) - 3] = '\0';
	refuses("red", "name", "damaged");
	buf_fini(&keys);
}
END_TEST

/* Whoever can compute the checksum still gets an answer that says what is wrong, and does no harm. */
START_TEST(a_forged_state_is_refused)
{
	static const char *const states[][6] = {{"c", "1", "a", "more"}, {"c", "1"}, {"c"}, {"x", "1", "a"},
	    {"k", "1", "a"}, {"r", "1", "a"}, {"c", "no number", "a"}, {"c", "1", "\xff"}, {"", "1", "a"},
	    {"c", "99999999999999999999", "a"}, {"cc", "1", "a"}};
	struct query q;

	fill();
	query_init(&q);
	OK(query_sort(&q, &shape, "founded", &e));
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		struct buf state = {0};

		for (size_t k = 0; states[i][k] != NULL; k++)
			cursor_put(&state, states[i][k]);
		free(cursor);
		cursor = cursor_seal(cursor_binding(engines[engine].scheme, &dataset, &q), &state);
		refuses("", "founded", "damaged");
		buf_fini(&state);
	}
	query_fini(&q);
}
END_TEST

static Suite *
cases(void)
{
	Suite *suite = suite_create("paging");
	TCase *t = tcase_create(engines[engine].name);

	tcase_add_checked_fixture(t, begin, close_engine);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, pages_are_the_whole_in_every_order);
	tcase_add_test(t, the_last_page_says_so);
	tcase_add_test(t, a_page_may_be_of_another_size_or_all_that_is_left);
	tcase_add_test(t, what_changes_between_pages_moves_nothing_else);
	tcase_add_test(t, a_ranking_goes_on_where_it_was);
	tcase_add_test(t, what_a_mistyped_word_stands_for_stays_for_all_pages);
	tcase_add_test(t, a_record_without_document_and_the_reverse_do_not_end_the_pages);
	tcase_add_test(t, keys_of_every_type_are_gone_on_from);
	tcase_add_test(t, records_without_key_have_pages);
	tcase_add_test(t, a_cursor_of_another_query_or_dataset_is_refused);
	tcase_add_test(t, a_forged_state_is_refused);
	suite_add_tcase(suite, t);
	return suite;
}

int
main(void)
{
	return engines_run("paging", cases, &engine);
}
