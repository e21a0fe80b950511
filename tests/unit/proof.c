#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "flow/proof.h"

/* 131,072 slots: more than 98,304 keys go to the spill file. */
#define MEMORY ((size_t)1 << 20)
#define FEW 50000
#define MANY 500000

static struct err e;

/* Are the keys 0 .. count-1, and one key more, unique? */
static int
unique(uint64_t count, uint64_t extra)
{
	struct proof *proof = proof_new(MEMORY);
	int result;

	for (uint64_t i = 0; i < count; i++)
		if (proof_add(proof, proof_hash(&i, sizeof i), &e) != 0)
			ck_abort_msg("%s", e.message);
	ck_assert_int_eq(proof_add(proof, proof_hash(&extra, sizeof extra), &e), 0);
	result = proof_unique(proof, &e);
	proof_free(proof);
	return result;
}

START_TEST(different_keys_are_unique)
{
	ck_assert_int_eq(unique(FEW, FEW), 1);
}
END_TEST

START_TEST(one_key_twice_is_found)
{
	ck_assert_int_eq(unique(FEW, 77), 0);
	ck_assert_int_eq(unique(1, 0), 0);
}
END_TEST

START_TEST(no_key_at_all_is_unique)
{
	struct proof *proof = proof_new(MEMORY);

	ck_assert_int_eq(proof_unique(proof, &e), 1);
	proof_free(proof);
}
END_TEST

/* More keys than fit into memory: most go to the spill file. */
START_TEST(spilled_keys_are_unique)
{
	ck_assert_int_eq(unique(MANY, MANY), 1);
}
END_TEST

START_TEST(a_key_twice_is_found_among_spilled_ones)
{
	ck_assert_int_eq(unique(MANY, MANY - 1), 0);
	ck_assert_int_eq(unique(MANY, 5), 0);
}
END_TEST

START_TEST(a_spill_folder_that_is_not_there_is_an_error_that_names_it)
{
	struct proof *proof = proof_new(MEMORY);
	int result = 0;

	ck_assert_int_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
	for (uint64_t i = 0; result == 0 && i < MANY; i++)
		result = proof_add(proof, proof_hash(&i, sizeof i), &e);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(e.code, ERR_NOINPUT);
	proof_free(proof);
}
END_TEST

/* A partition that does not fit is not proven, which is always right. */
START_TEST(too_many_keys_for_the_memory_prove_nothing)
{
	struct proof *proof = proof_new((size_t)64 << 10);

	for (uint64_t i = 0; i < 3000000; i++)
		if (proof_add(proof, proof_hash(&i, sizeof i), &e) != 0)
			ck_abort_msg("%s", e.message);
	ck_assert_int_eq(proof_unique(proof, &e), 0);
	proof_free(proof);
}
END_TEST

START_TEST(length_is_part_of_the_hash)
{
	ck_assert(proof_hash("a\0", 2) != proof_hash("a", 1));
	ck_assert(proof_hash("", 0) != proof_hash("\0", 1));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("proof");
	TCase *tests = tcase_create("proof");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, different_keys_are_unique);
	tcase_add_test(tests, one_key_twice_is_found);
	tcase_add_test(tests, no_key_at_all_is_unique);
	tcase_add_test(tests, spilled_keys_are_unique);
	tcase_add_test(tests, a_key_twice_is_found_among_spilled_ones);
	tcase_add_test(tests, a_spill_folder_that_is_not_there_is_an_error_that_names_it);
	tcase_add_test(tests, too_many_keys_for_the_memory_prove_nothing);
	tcase_add_test(tests, length_is_part_of_the_hash);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
