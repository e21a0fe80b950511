#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/hit.h"

static struct shape shape;
static struct buf out;

static void
begin(void)
{
	shape_add(&shape, "Full \"Name\"", "full_name", TYPE_TEXT, false);
	shape_add(&shape, "Weight", "weight", TYPE_BIGINT, false);
	shape_add(&shape, "New", "new", TYPE_BOOLEAN, false);
	shape_add(&shape, "Sold, or not", "sold_or_not", TYPE_BOOLEAN, false);
}

static void
end(void)
{
	shape_fini(&shape);
	buf_fini(&out);
}

static struct search_hit
hit(const char *const *values)
{
	return (struct search_hit){.values = values};
}

START_TEST(json_has_names_types_and_nulls)
{
	struct search_hit h = hit((const char *const[]){"a \"b\"\n", "9007199254740993", "t", NULL});

	hit_json(&out, &shape, &h);
	ck_assert_str_eq(out.bytes,
	    "{\"full_name\":\"a \\\"b\\\"\\n\",\"weight\":\"9007199254740993\",\"new\":true,\"sold_or_not\":null}");
}
END_TEST

START_TEST(csv_quotes_what_needs_it)
{
	struct search_hit h = hit((const char *const[]){"a \"b\",c\r\nd", "7", "t", "f"});

	hit_csv(&out, &shape, &h);
	ck_assert_str_eq(out.bytes, "\"a \"\"b\"\",c\r\nd\",7,true,false\n");
}
END_TEST

START_TEST(csv_tells_null_from_the_empty_text)
{
	struct search_hit empty = hit((const char *const[]){"", NULL, NULL, NULL});
	struct search_hit null = hit((const char *const[]){NULL, NULL, NULL, "t"});

	hit_csv(&out, &shape, &empty);
	hit_csv(&out, &shape, &null);
	ck_assert_str_eq(out.bytes, "\"\",,,\n,,,true\n");
}
END_TEST

START_TEST(csv_begins_with_the_headers_of_the_file)
{
	hit_csv_header(&out, &shape);
	ck_assert_str_eq(out.bytes, "\"Full \"\"Name\"\"\",Weight,New,\"Sold, or not\"\n");
}
END_TEST

START_TEST(each_value_has_a_text_of_its_own)
{
	struct search_hit h = hit((const char *const[]){NULL, "7", "t", "f"});
	const char *sold = hit_text(&shape, &h, 3), *new = hit_text(&shape, &h, 2);

	ck_assert_ptr_null(hit_text(&shape, &h, 0));
	ck_assert_str_eq(hit_text(&shape, &h, 1), "7");
	ck_assert_str_eq(new, "true");
	ck_assert_str_eq(sold, "false");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hit");
	TCase *t = tcase_create("hit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, json_has_names_types_and_nulls);
	tcase_add_test(t, csv_quotes_what_needs_it);
	tcase_add_test(t, csv_tells_null_from_the_empty_text);
	tcase_add_test(t, csv_begins_with_the_headers_of_the_file);
	tcase_add_test(t, each_value_has_a_text_of_its_own);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
