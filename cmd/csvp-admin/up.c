#include <stdio.h>
#include <stdlib.h>

#include "admin.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/config.h"
#include "cli/options.h"
#include "flow/site.h"

static int
start(void *ctx, struct err *e)
{
	struct site *site;

	(void)ctx;
	if (config_load(e) != 0)
		return -1;
	if (site_database_named())
		return err_set(e, ERR_CONFIG,
		    "a database is configured, and csvp starts only its private one; hint: csvp-admin config");
	/* Whoever says `up` means it: the setting is for programs that would start the server by themselves. */
	if (setenv("CSVP_AUTOSTART", "yes", 1) != 0)
		return err_set(e, ERR_AGAIN, "out of memory");
	site = site_open(e);
	if (site == NULL)
		return -1;
	if (log_level() != LOG_QUIET)
		puts(site_conninfo(site));
	site_close(site);
	return 0;
}

int
admin_up(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {"CSVP_HOME", "CSVP_CONFIG", NULL};
	static const struct program program = {"csvp-admin up", "",
	    "Start the private PostgreSQL if it does not run, and print what to connect with.", table, environment};

	return admin_plain(&program, argc, argv, start, NULL);
}
