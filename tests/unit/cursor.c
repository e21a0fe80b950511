#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/cursor.h"
#include "search/query.h"
#include "search/search.h"

static struct shape shape;
static struct search_index dataset;
static struct query query;
static struct err e;

static void
begin(void)
{
	shape_add(&shape, "Id", "id", TYPE_TEXT, false);
	shape_add(&shape, "Made", "made", TYPE_BIGINT, false);
	ck_assert_int_eq(shape_add_key(&shape, "Id", &e), 0);
	dataset = (struct search_index){.dataset = 7, .schema = "public", .table = "things", .shape = &shape};
	query_init(&query);
	ck_assert_int_eq(query_text(&query, "red box", &e), 0);
	ck_assert_int_eq(query_where(&query, &shape, "Made>=1990", &e), 0);
}

static void
end(void)
{
	query_fini(&query);
	shape_fini(&shape);
}

static uint64_t
binding(void)
{
	return cursor_binding("pg:", &dataset, &query);
}

START_TEST(a_state_comes_back_as_it_was)
{
	static const char *const values[] = {"r", NULL, "",
	    "Gr\xc3\xb6\xc3\x9f"
	    "e\n",
	    "-", "=", NULL};
	struct buf state = {0}, back = {0};
	const char *value;
	size_t at = 0;
	char *text;

	for (size_t i = 0; i < 7; i++)
		cursor_put(&state, values[i]);
	text = cursor_seal(binding(), &state);
	ck_assert_uint_eq(
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(text));
	ck_assert_int_eq(cursor_unseal(text, binding(), &back, &e), 0);
	for (size_t i = 0; i < 7; i++) {
		ck_assert(cursor_take(&back, &at, &value));
		ck_assert_pstr_eq(value, values[i]);
	}
	ck_assert(!cursor_take(&back, &at, &value));
	free(text);
	buf_fini(&back);
	buf_fini(&state);
}
END_TEST

static void
refused(const char *text, uint64_t to, const char *message)
{
	struct buf state = {0};

	ck_assert_int_eq(cursor_unseal(text, to, &state, &e), -1);
	ck_assert_int_eq((int)e.code, ERR_USAGE);
	ck_assert_msg(strstr(e.message, message) != NULL, "%s", e.message);
	ck_assert_uint_eq(state.length, 0);
	buf_fini(&state);
}

START_TEST(damage_anywhere_is_noticed)
{
	static const char others[] = "Az_-/ =";
	struct buf state = {0};
	char *text;

	for (size_t extra = 0; extra < 3; extra++) {
		cursor_put(&state, "x");
		text = cursor_seal(binding(), &state);
		for (size_t i = 0; text[i] != '\0'; i++) {
			char was = text[i];

			for (const char *other = others; *other != '\0'; other++) {
				text[i] = *other;
				if (*other != was)
					refused(text, binding(), "damaged");
			}
			text[i] = '\0';
			refused(text, binding(), "damaged");
			text[i] = was;
		}
		/* The bits of the last character that no byte uses. */
		text[strlen(text) - 1]++;
		refused(text, binding(), "damaged");
		free(text);
		buf_byte(&state, '-');
	}
	refused("", binding(), "damaged");
	refused("no cursor at all", binding(), "damaged");
	buf_fini(&state);
}
END_TEST

START_TEST(a_cursor_is_bound_to_its_query)
{
	uint64_t first = binding(), bindings[12];
	struct buf state = {0};
	size_t count = 0;
	char *text = cursor_seal(first, &state);

	bindings[count++] = cursor_binding("es", &dataset, &query);
	dataset.dataset = 8;
	bindings[count++] = binding();
	dataset.dataset = 7;
	query.terms[0].kind = QUERY_PREFIX;
	bindings[count++] = binding();
	query.terms[0].kind = QUERY_WORDS;
	query.terms[1].text[0] = 'f';
	bindings[count++] = binding();
	query.terms[1].text[0] = 'b';
	query.filters[0].operator= QUERY_GREATER;
	bindings[count++] = binding();
	query.filters[0].operator= QUERY_GREATER_EQUAL;
	query.filter_count = 0;
	bindings[count++] = binding();
	query.filter_count = 1;
	query.sort = 1;
	bindings[count++] = binding();
	query.descending = true;
	bindings[count++] = binding();
	shape.columns[1].type = TYPE_NUMERIC;
	bindings[count++] = binding();
	shape.columns[1].type = TYPE_BIGINT;
	query.sort = 0;
	bindings[count++] = binding();
	query.sort = -1;
	query.descending = false;
	for (size_t i = 0; i < count; i++) {
		refused(text, bindings[i], "another query");
		for (size_t j = 0; j < i; j++)
			ck_assert(bindings[i] != bindings[j]);
	}
	ck_assert(binding() == first);
	free(text);
	buf_fini(&state);
}
END_TEST

START_TEST(the_limit_may_differ_from_page_to_page)
{
	uint64_t first = binding();

	query.limit = 5;
	query.total = true;
	ck_assert(binding() == first);
}
END_TEST

START_TEST(a_state_cut_short_is_seen)
{
	struct buf state = {0};
	const char *value;
	size_t at = 0;

	buf_string(&state, "=no end");
	ck_assert(!cursor_take(&state, &at, &value));
	buf_fini(&state);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tests = tcase_create("cursor");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_state_comes_back_as_it_was);
	tcase_add_test(tests, damage_anywhere_is_noticed);
	tcase_add_test(tests, a_cursor_is_bound_to_its_query);
	tcase_add_test(tests, the_limit_may_differ_from_page_to_page);
	tcase_add_test(tests, a_state_cut_short_is_seen);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
