#ifndef TESTS_CONTRACT_DATABASE_H
#define TESTS_CONTRACT_DATABASE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/private.h"

/* A PostgreSQL for a program of tests, in TEST_TMP. Start and stop it in main, around the cases. */
static char *home;
static struct buf conninfo;

static void
start_database(void)
{
	struct err error = {0};
	const char *folder = getenv("TEST_TMP");

	home = buf_format("%s/csvp.XXXXXX", folder != NULL ? folder : "/tmp");
	if (mkdtemp(home) == NULL || private_up(home, true, &conninfo, &error) != 0) {
		fprintf(stderr, "%s: %s\n", home, error.message);
		exit(1);
	}
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static void
stop_database(void)
{
	struct err error = {0};

	if (private_down(home, &error) < 0)
		fprintf(stderr, "%s: %s\n", home, error.message);
	nftw(home, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(home);
	buf_fini(&conninfo);
}

#endif
