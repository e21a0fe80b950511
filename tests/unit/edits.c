#include <check.h>
#include <stdlib.h>

#include "base/edits.h"

static void
apart(const char *a, const char *b, size_t edits)
{
	ck_assert_msg(edits_between(a, b) == edits, "%s, %s: %zu", a, b, edits_between(a, b));
	ck_assert_uint_eq(edits_between(b, a), edits);
}

START_TEST(each_edit_counts_one)
{
	apart("", "", 0);
	apart("plastic", "plastic", 0);
	apart("plastic", "plastics", 1);
	apart("plastic", "plasti", 1);
	apart("plastic", "plostic", 1);
	apart("plastic", "plasitc", 1);
	apart("plastic", "elastic", 1);
	apart("plastic", "elastics", 2);
	apart("", "abc", 3);
	apart("abc", "xyz", 3);
}
END_TEST

START_TEST(a_swapped_pair_is_not_edited_again)
{
	apart("ca", "abc", 3);
}
END_TEST

START_TEST(letters_count_not_bytes)
{
	apart("gr\xc3\xb6\xc3\x9f"
	      "e",
	    "grosse", 3);
	apart("\xe5\x90\x8d\xe5\x89\x8d", "\xe5\x89\x8d\xe5\x90\x8d", 1);
	apart("\xf0\xa0\x80\x80", "\xf0\xa0\x80\x81", 1);
	ck_assert_uint_eq(edits_letters("gr\xc3\xb6\xc3\x9f"
					"e"),
	    5);
	apart("\x80\x80", "", 1);
}
END_TEST

START_TEST(long_words_are_infinitely_far)
{
	char longest[EDITS_LETTERS + 2];

	for (size_t i = 0; i <= EDITS_LETTERS; i++)
		longest[i] = 'x';
	longest[EDITS_LETTERS + 1] = '\0';
	apart(longest, longest, SIZE_MAX);
	apart(longest, "x", SIZE_MAX);
	apart(longest + 1, longest + 3, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("edits");
	TCase *t = tcase_create("edits");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(t, each_edit_counts_one);
	tcase_add_test(t, a_swapped_pair_is_not_edited_again);
	tcase_add_test(t, letters_count_not_bytes);
	tcase_add_test(t, long_words_are_infinitely_far);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
