#include "db/private_internal.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

/* Does `folder` hold a server that can be used, and of which major version? 0: no. */
static int
version_of(const char *folder)
{
	struct buf text = {0};
	char *postgres = buf_format("%s/postgres", folder);
	char *initdb = buf_format("%s/initdb", folder);
	struct err ignored;
	int version = 0;

	if (access(postgres, X_OK) == 0 && access(initdb, X_OK) == 0 &&
	    private_child_output(NULL, (const char *const[]){postgres, "--version", NULL}, &text, &ignored) == 0) {
		/* postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1) */
		const char *number = strstr(text.bytes, ") ");

		version = number != NULL ? (int)strtol(number + 2, NULL, 10) : 0;
	}
	buf_fini(&text);
	free(postgres);
	free(initdb);
	return version;
}

struct choice {
	int wanted; /* 0: the newest */
	int best;
	struct buf *folder;
};

static void
consider(struct choice *choice, const char *folder)
{
	int version = version_of(folder);

	if (version <= choice->best || (choice->wanted != 0 && version != choice->wanted))
		return;
	choice->best = version;
	buf_reset(choice->folder);
	buf_string(choice->folder, folder);
}

static void
consider_installed(struct choice *choice)
{
	/* Debian's and its kin; the PostgreSQL project's own RPMs; its sources' default. */
	static const char *const patterns[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"};
	glob_t found;

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		if (glob(patterns[i], GLOB_NOSORT, NULL, &found) == 0)
			for (size_t j = 0; j < found.gl_pathc; j++)
				consider(choice, found.gl_pathv[j]);
		globfree(&found);
	}
}

static void
consider_configured(struct choice *choice)
{
	struct buf text = {0};
	struct err ignored;

	if (private_child_output(NULL, (const char *const[]){"pg_config", "--bindir", NULL}, &text, &ignored) == 0) {
		text.bytes[strcspn(text.bytes, "\n")] = '\0';
		consider(choice, text.bytes);
	}
	buf_fini(&text);
}

static void
consider_path(struct choice *choice)
{
	char *path = buf_strdup(getenv("PATH") != NULL ? getenv("PATH") : "");
	char *rest = path;
	char *folder;

	while ((folder = strsep(&rest, ":")) != NULL)
		if (folder[0] == '/')
			consider(choice, folder);
	free(path);
}

int
private_binaries_find(int version, struct buf *folder, int *found, struct err *e)
{
	struct choice choice = {.wanted = version, .folder = folder};

	consider_installed(&choice);
	if (choice.best == 0)
		consider_configured(&choice);
	if (choice.best == 0)
		consider_path(&choice);
	*found = choice.best;
	if (choice.best != 0)
		return 0;
	if (version != 0)
		return err_set(e, ERR_UNAVAILABLE,
		    "the private database was made by PostgreSQL %d, which is not installed; "
		    "hint: apt-get install postgresql-%d",
		    version, version);
	return err_set(e, ERR_UNAVAILABLE,
	    "PostgreSQL is not installed; hint: apt-get install postgresql, or set CSVP_DATABASE_URL");
}
