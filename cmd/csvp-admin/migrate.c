#include "admin.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/options.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/ledger.h"

static int
migrate(void *ctx, struct err *e)
{
	struct site *site = site_open_unmigrated(e);
	struct pg *pg = site != NULL ? pg_open(site_conninfo(site), e) : NULL;
	int done = pg != NULL ? ledger_migrate(pg, e) : -1;

	(void)ctx;
	if (done > 0)
		log_notice("%d migration%s done", done, done == 1 ? "" : "s");
	else if (done == 0)
		log_notice("the database is up to date");
	pg_close(pg);
	site_close(site);
	return done < 0 ? -1 : 0;
}

int
admin_migrate(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_HOME", "CSVP_AUTOSTART", "CSVP_CONFIG", NULL};
	static const struct program program = {"csvp-admin migrate", "",
	    "Bring csvp's own tables in the database up to date; twice does nothing.", table, environment};

	return admin_plain(&program, argc, argv, migrate, NULL);
}
