#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A folder of a test's own, which is its working folder, and a suite of tests
 * that all have one. Removed afterwards.
 */
static char scratch[4096];

static inline int
scratch_remove(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline void
scratch_begin(void)
{
	const char *above = getenv("TEST_TMP");

	snprintf(scratch, sizeof scratch, "%s/scratch-XXXXXX", above != NULL ? above : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	ck_assert_int_eq(chdir(scratch), 0);
}

static inline void
scratch_end(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void
scratch_write(const char *path, const void *bytes, size_t length)
{
	FILE *stream = fopen(path, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
	ck_assert_int_eq(fclose(stream), 0);
}

/* What permissions forbid, they do not forbid root. */
static inline void
scratch_drop_root(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
}

static inline int
scratch_run_between(const char *name, void (*begin)(void), void (*end)(void), const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, begin, end);
	tcase_set_timeout(all, 30);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

static inline int
scratch_run(const char *name, const TTest *const *tests, size_t count)
{
	return scratch_run_between(name, scratch_begin, scratch_end, tests, count);
}

#endif
