#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "table/batch.h"

/* Append an entry with this line and key; its place in the file is its number. */
static void
add(struct batch *b, const char *text, const char *key)
{
	size_t texts = b->texts.length, keys = b->keys.length;

	buf_string(&b->texts, text);
	buf_string(&b->keys, key);
	ck_assert_int_eq(batch_add(b, b->count * 10, b->count + 1, 10, texts, keys), 0);
}

static const char *
winning_text(const struct batch *b, size_t group)
{
	static char text[64];
	const struct batch_entry *entry = batch_winner(b, &b->groups[group]);

	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_lt(entry->text_length, sizeof text);
	memcpy(text, b->texts.bytes + entry->text, entry->text_length);
	text[entry->text_length] = '\0';
	return text;
}

START_TEST(records_are_sorted_by_key)
{
	struct batch b = {0};

	add(&b, "1\n", "pear");
	add(&b, "2\n", "apple");
	add(&b, "3\n", "a key longer than eight bytes, b");
	add(&b, "4\n", "a key longer than eight bytes, a");
	batch_group_by_key(&b);
	ck_assert_uint_eq(b.group_count, 4);
	ck_assert_str_eq(winning_text(&b, 0), "4\n");
	ck_assert_str_eq(winning_text(&b, 1), "3\n");
	ck_assert_str_eq(winning_text(&b, 2), "2\n");
	ck_assert_str_eq(winning_text(&b, 3), "1\n");
	batch_fini(&b);
}
END_TEST

START_TEST(the_last_record_of_a_key_stands_for_all)
{
	struct batch b = {0};

	add(&b, "old\n", "k");
	add(&b, "other\n", "l");
	add(&b, "new\n", "k");
	batch_group_by_key(&b);
	ck_assert_uint_eq(b.group_count, 2);
	ck_assert_str_eq(winning_text(&b, 0), "new\n");
	batch_fini(&b);
}
END_TEST

START_TEST(an_earlier_record_takes_the_place_of_a_refused_one)
{
	struct batch b = {0};

	add(&b, "old\n", "k");
	add(&b, "new\n", "k");
	batch_group_by_key(&b);
	batch_winner(&b, &b.groups[0])->fault = buf_strdup("refused");
	ck_assert_str_eq(winning_text(&b, 0), "old\n");
	batch_winner(&b, &b.groups[0])->fault = buf_strdup("refused, too");
	ck_assert_ptr_null(batch_winner(&b, &b.groups[0]));
	batch_fini(&b);
}
END_TEST

START_TEST(a_key_and_its_prefix_are_two_keys)
{
	struct batch b = {0};

	add(&b, "1\n", "ab");
	add(&b, "2\n", "a");
	add(&b, "3\n", "ab");
	batch_group_by_key(&b);
	ck_assert_uint_eq(b.group_count, 2);
	ck_assert_str_eq(winning_text(&b, 0), "2\n");
	ck_assert_str_eq(winning_text(&b, 1), "3\n");
	batch_fini(&b);
}
END_TEST

START_TEST(without_a_key_each_record_is_its_own_group_in_file_order)
{
	struct batch b = {0};

	add(&b, "b\n", "");
	add(&b, "a\n", "");
	batch_group_each(&b);
	ck_assert_uint_eq(b.group_count, 2);
	ck_assert_str_eq(winning_text(&b, 0), "b\n");
	ck_assert_str_eq(winning_text(&b, 1), "a\n");
	batch_fini(&b);
}
END_TEST

START_TEST(a_batch_is_used_again)
{
	struct batch b = {0};

	add(&b, "1\n", "k");
	batch_group_by_key(&b);
	batch_winner(&b, &b.groups[0])->fault = buf_strdup("refused");
	batch_reset(&b);
	ck_assert_uint_eq(b.count, 0);
	add(&b, "2\n", "k");
	batch_group_by_key(&b);
	ck_assert_str_eq(winning_text(&b, 0), "2\n");
	batch_fini(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("batch");
	TCase *tests = tcase_create("batch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, records_are_sorted_by_key);
	tcase_add_test(tests, the_last_record_of_a_key_stands_for_all);
	tcase_add_test(tests, an_earlier_record_takes_the_place_of_a_refused_one);
	tcase_add_test(tests, a_key_and_its_prefix_are_two_keys);
	tcase_add_test(tests, without_a_key_each_record_is_its_own_group_in_file_order);
	tcase_add_test(tests, a_batch_is_used_again);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
