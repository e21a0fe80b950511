#ifndef CONTRACT_CASES_H
#define CONTRACT_CASES_H

#include <check.h>

#include "base/log.h"

/* Run the cases, each in a process of its own between `begin` and `end` (or NULL). Exit status. */
static int
cases_run(const char *name, void (*begin)(void), void (*end)(void), const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	log_init(name, LOG_QUIET);
	/* What waits for a condition that never comes. */
	tcase_set_timeout(all, 50);
	tcase_add_checked_fixture(all, begin, end);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

#endif
