#ifndef CONTRACT_HOME_H
#define CONTRACT_HOME_H

#include <check.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/private.h"
#include "cases.h"
#include "expect.h"

static const uid_t ordinary = 65534;
static char home_folder[200]; /* of the case */
static char *home;            /* not made yet: in it, named home */

static void
home_begin(void)
{
	const char *above = getenv("TEST_TMP");

	snprintf(home_folder, sizeof home_folder, "%s/pp-XXXXXX", above != NULL ? above : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(home_folder));
	home = buf_format("%s/home", home_folder);
}

static void
home_end(void)
{
	char *remove = buf_format("find '%s' -mindepth 1 -delete", home_folder);
	struct err e = {.message = ""};

	ck_assert_msg(private_down(home, &e) >= 0, "%s", e.message);
	ck_assert_int_eq(system(remove), 0);
	/* A case that dropped root may not be allowed to; what is above removes it then. */
	(void)rmdir(home_folder);
	free(remove);
	free(home);
}

/* The rest of the case runs as a user who is not root, in a folder of his. */
static inline void
home_drop_root(void)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(home_folder, ordinary, ordinary), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setgid(ordinary), 0);
	ck_assert_int_eq(setuid(ordinary), 0);
}

/* A home whose path has this name in it. */
static inline void
home_rename(const char *name)
{
	free(home);
	home = buf_format("%s/%s", home_folder, name);
}

#endif
