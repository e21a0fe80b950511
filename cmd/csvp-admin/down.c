#include <stdlib.h>

#include "admin.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/config.h"
#include "cli/options.h"
#include "db/private.h"
#include "flow/site.h"

static int
stop(void *ctx, struct err *e)
{
	char *home;
	int stopped;

	(void)ctx;
	if (config_load(e) != 0 || (home = site_home(e)) == NULL)
		return -1;
	stopped = private_down(home, e);
	if (stopped == 1)
		log_notice("stopped the private PostgreSQL in %s; its data stay", home);
	else if (stopped == 0)
		log_notice("no private PostgreSQL runs in %s", home);
	free(home);
	return stopped < 0 ? -1 : 0;
}

int
admin_down(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {"CSVP_HOME", "CSVP_CONFIG", NULL};
	static const struct program program = {"csvp-admin down", "",
	    "Stop the private PostgreSQL; the next program that needs it starts it again.", table, environment};

	return admin_plain(&program, argc, argv, stop, NULL);
}
