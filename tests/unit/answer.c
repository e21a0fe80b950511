#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "flow/answer.h"
#include "ledger/index_generation.h"
#include "schema/shape.h"
#include "search/facet.h"
#include "search/query.h"

static struct shape shape;
static struct buf answer, seen;
static struct err e;

static void
begin(void)
{
	shape_add(&shape, "Name", "name", TYPE_TEXT, false);
	shape_add(&shape, "Made", "made", TYPE_DATE, false);
}

static void
end(void)
{
	shape_fini(&shape);
	buf_fini(&answer);
	buf_fini(&seen);
}

/* Two hits and a cursor. */
static void
write_answer(void)
{
	const char *const one[] = {"page", "2001-02-03"}, *const two[] = {"", NULL}, *const marked[] = {"[x]", NULL};
	struct facet facet = {.column = 1, .other = 3, .missing = 4, .exact = true};

	answer_begin(&answer, &shape);
	answer_hit(&answer, &shape, &(struct search_hit){.values = one, .version = 9007199254740993});
	answer_hit(&answer, &shape, &(struct search_hit){.values = two, .id = "17", .version = 1, .marked = marked});
	facet_add(&facet, &shape, "2001-02-03", 5);
	answer_end(&answer, &(struct search_page){
				.facets = &facet,
				.facet_count = 1,
				.total = 12345678901,
				.ranked = true,
				.next = (char[]){"cursor"},
				.mistyped = (char[]){"wrod"},
			    });
	free(facet.values[0].value);
}

static int
see(void *ctx, const struct search_hit *hit, struct err *err)
{
	const int *stop = ctx;

	buf_printf(&seen, "%s%s/%s/%s/%lld ", hit->marked != NULL ? hit->marked[0] : "", hit->values[0],
	    hit->values[1] != NULL ? hit->values[1] : "NULL", hit->id != NULL ? hit->id : "NULL",
	    (long long)hit->version);
	return *stop ? err_set(err, ERR_IO, "enough") : 0;
}

START_TEST(an_answer_is_given_as_it_was)
{
	struct search_page page = {0};

	write_answer();
	ck_assert(answer_valid(&answer, &shape));
	ck_assert_int_eq(answer_give(&answer, &shape, see, &(int){0}, &page, &e), 0);
	ck_assert_str_eq(seen.bytes, "page/2001-02-03/NULL/9007199254740993 [x]/NULL/17/1 ");
	ck_assert_uint_eq(page.total, 12345678901);
	ck_assert(page.ranked);
	ck_assert_str_eq(page.next, "cursor");
	ck_assert_str_eq(page.mistyped, "wrod");
	struct buf json = {0};
	facet_json(&json, &shape, &page);
	ck_assert_str_eq(json.bytes,
	    "{\"made\":{\"values\":[{\"value\":\"2001-02-03\",\"count\":5}],\"other\":3,\"missing\":4,"
	    "\"exact\":true}}");
	buf_fini(&json);
	search_page_fini(&page);
}
END_TEST

START_TEST(the_error_of_who_reads_it_ends_it)
{
	struct search_page page = {0};

	write_answer();
	ck_assert_int_eq(answer_give(&answer, &shape, see, &(int){1}, &page, &e), -1);
	ck_assert_str_eq(e.message, "enough");
	ck_assert_str_eq(seen.bytes, "page/2001-02-03/NULL/9007199254740993 ");
}
END_TEST

START_TEST(no_part_of_an_answer_is_one)
{
	struct buf part = {0};

	write_answer();
	for (size_t i = 0; i < answer.length; i++) {
		/* Its own memory, so that a sanitizer sees a step beyond it. */
		part.bytes = buf_malloc(i + 1);
		for (size_t k = 0; k < i; k++)
			part.bytes[k] = answer.bytes[k];
		part.length = i;
		ck_assert_msg(!answer_valid(&part, &shape), "%zu bytes", i);
		free(part.bytes);
	}
	buf_byte(&answer, '-');
	ck_assert(!answer_valid(&answer, &shape));
}
END_TEST

START_TEST(an_answer_of_other_columns_is_none)
{
	struct shape other = {0};

	write_answer();
	shape_add(&other, "Name", "name", TYPE_TEXT, false);
	ck_assert(!answer_valid(&answer, &other));
	shape_add(&other, "Made", "made", TYPE_TEXT, false);
	ck_assert(!answer_valid(&answer, &other));
	shape_fini(&other);
}
END_TEST

static struct index_generation generation = {"g1"};

static char *
key_of(const struct query *q)
{
	struct search_index index = {.dataset = 1, .shape = &shape};
	struct buf key = {0}, hex = {0};

	answer_key(&key, &generation, "pg:", &index, q);
	for (size_t i = 0; i < key.length; i++)
		buf_printf(&hex, "%02x", (unsigned char)key.bytes[i]);
	buf_fini(&key);
	return buf_detach(&hex);
}

START_TEST(every_part_of_a_query_and_the_generation_make_another_key)
{
	char *keys[12], *again;
	struct query q;

	query_init(&q);
	keys[0] = key_of(&q);
	q.limit = 10;
	keys[1] = key_of(&q);
	q.total = true;
	keys[2] = key_of(&q);
	q.cursor = (char[]){"c"};
	keys[3] = key_of(&q);
	q.sort = 1;
	keys[4] = key_of(&q);
	q.descending = true;
	keys[5] = key_of(&q);
	ck_assert_int_eq(query_text(&q, "word", &e), 0);
	keys[6] = key_of(&q);
	ck_assert_int_eq(query_where(&q, &shape, "name=x", &e), 0);
	keys[7] = key_of(&q);
	ck_assert_int_eq(query_highlight(&q, "a,b", &e), 0);
	keys[8] = key_of(&q);
	ck_assert_int_eq(query_facet(&q, &shape, "name", &e), 0);
	keys[9] = key_of(&q);
	ck_assert_int_eq(query_facet(&q, &shape, "made", &e), 0);
	keys[10] = key_of(&q);
	generation = (struct index_generation){"g2"};
	keys[11] = key_of(&q);
	for (int i = 0; i < 12; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(keys[i], keys[k]);
	generation = (struct index_generation){"g1"};
	again = key_of(&q);
	ck_assert_str_eq(again, keys[10]);
	free(again);
	for (int i = 0; i < 12; i++)
		free(keys[i]);
	q.cursor = NULL;
	query_fini(&q);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("answer");
	TCase *all = tcase_create("answer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, an_answer_is_given_as_it_was);
	tcase_add_test(all, the_error_of_who_reads_it_ends_it);
	tcase_add_test(all, no_part_of_an_answer_is_one);
	tcase_add_test(all, an_answer_of_other_columns_is_none);
	tcase_add_test(all, every_part_of_a_query_and_the_generation_make_another_key);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
