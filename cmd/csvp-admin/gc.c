#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "admin.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/options.h"
#include "flow/gc.h"
#include "flow/site.h"

/* What was asked for. */
struct wish {
	struct gc_request request;
	bool adopt;
};

static void
print_line(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
	fflush(stdout);
}

static int
collect(const struct site *site, const struct wish *wish, struct err *e)
{
	struct gc_result r;
	int result = gc_run(site, &wish->request, print_line, NULL, &r, e);

	if (result != 0)
		return -1;
	printf("%" PRIu64 " jobs, %" PRIu64 " objects, %" PRIu64 " unfinished uploads, %" PRIu64 " tombstones; %" PRIu64
	       " bytes\n",
	    r.jobs, r.objects, r.uploads, r.tombstones, r.bytes);
	if (wish->request.dry_run)
		log_notice("a dry run: nothing was removed");
	return 0;
}

static int
gc(void *ctx, struct err *e)
{
	const struct wish *wish = ctx;
	struct site *site;
	int result = -1;

	if (wish->adopt && (wish->request.dry_run || wish->request.jobs_before != NULL))
		return err_set(e, ERR_USAGE, "--adopt goes with no other option");
	site = site_open(e);
	if (site != NULL)
		result = wish->adopt ? gc_adopt(site, e) : collect(site, wish, e);
	site_close(site);
	return result;
}

int
admin_gc(int argc, char **argv)
{
	struct wish wish = {0};
	const struct option table[] = {
	    {"dry-run", 'n', NULL, OPTION_FLAG, &wish.request.dry_run, "print the same and remove nothing"},
	    {"jobs-before", '\0', "DATE", OPTION_STRING, &wish.request.jobs_before,
		"also jobs that ended before it (UTC), with their stored files and rejects"},
	    {"adopt", '\0', NULL, OPTION_FLAG, &wish.adopt,
		"say that this database, a copy, is the one that the stored files belong to"},
	    {.name = NULL},
	};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-admin gc", "[-n] [--jobs-before DATE] | --adopt",
	    "Remove what no job refers to: stored files, uploads that broke off more than a day ago, and marks of "
	    "deleted "
	    "records. Print each, then how much that was.",
	    table, environment};

	return admin_plain(&program, argc, argv, gc, &wish);
}
