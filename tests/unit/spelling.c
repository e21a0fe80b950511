#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/edits.h"
#include "search/spelling.h"

START_TEST(short_words_bear_no_edit_longer_ones_one_or_two)
{
	ck_assert_uint_eq(spelling_edits(""), 0);
	ck_assert_uint_eq(spelling_edits("ab"), 0);
	ck_assert_uint_eq(spelling_edits("abc"), 1);
	ck_assert_uint_eq(spelling_edits("abcde"), 1);
	ck_assert_uint_eq(spelling_edits("abcdef"), 2);
	ck_assert_uint_eq(spelling_edits("\xc3\xb6\xc3\xb6"), 0);
	ck_assert_uint_eq(spelling_edits("\xc3\xb6\xc3\xb6\xc3\xb6"), 1);
}
END_TEST

START_TEST(numbers_and_endless_words_bear_none)
{
	char endless[EDITS_LETTERS + 2] = "";

	ck_assert_uint_eq(spelling_edits("19901"), 0);
	ck_assert_uint_eq(spelling_edits("airports844"), 0);
	memset(endless, 'x', EDITS_LETTERS + 1);
	ck_assert_uint_eq(spelling_edits(endless), 0);
	ck_assert_uint_eq(spelling_edits(endless + 1), 2);
}
END_TEST

static bool
share(const char *a, const char *b, size_t strikes)
{
	int32_t x[SPELLING_MOST], y[SPELLING_MOST];
	size_t m = spelling_list(a, strikes, x), n = spelling_list(b, 2, y);

	for (size_t i = 0; i < m; i++)
		for (size_t k = 0; k < n; k++)
			if (x[i] == y[k])
				return true;
	return false;
}

START_TEST(each_spelling_comes_once)
{
	int32_t list[SPELLING_MOST];

	ck_assert_uint_eq(spelling_list("", 2, list), 1);
	ck_assert_uint_eq(spelling_list("a", 2, list), 2);
	ck_assert_uint_eq(spelling_list("abcdefgh", 0, list), 1);
	ck_assert_uint_eq(spelling_list("abcdefgh", 1, list), 1 + SPELLING_LETTERS);
	ck_assert_uint_eq(spelling_list("abcdefgh", 2, list), SPELLING_MOST);
	ck_assert_uint_eq(spelling_list("aaaaaaaa", 2, list), 3);
}
END_TEST

/* From a small alphabet, so that edits fall on equal letters, and at all lengths around the cut. */
START_TEST(whatever_is_near_shares_a_spelling)
{
	unsigned near = 0;

	srandom(1);
	for (int round = 0; round < 400000; round++) {
		char words[2][12];
		size_t edits;

		for (int w = 0; w < 2; w++) {
			size_t length = 1 + (size_t)random() % 10;

			if (w == 1 && random() % 4 > 0)
				length = strlen(words[0]);
			for (size_t i = 0; i < length; i++)
				words[w][i] = (char)('a' + random() % 3);
			words[w][length] = '\0';
		}
		edits = edits_between(words[0], words[1]);
		if (edits > 2)
			continue;
		near++;
		ck_assert_msg(share(words[0], words[1], edits), "%s, %s", words[0], words[1]);
	}
	ck_assert_uint_gt(near, 10000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spelling");
	TCase *t = tcase_create("spelling");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(t, short_words_bear_no_edit_longer_ones_one_or_two);
	tcase_add_test(t, numbers_and_endless_words_bear_none);
	tcase_add_test(t, each_spelling_comes_once);
	tcase_add_test(t, whatever_is_near_shares_a_spelling);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
