#include "admin.h"
#include "base/err.h"
#include "cli/options.h"
#include "flow/desk.h"
#include "flow/index.h"
#include "flow/site.h"
#include "search/search.h"

static int
create(void *ctx, struct err *e)
{
	struct site *site = site_open(e);
	struct desk desk = {0};
	struct search *search = NULL;
	int result = -1;

	(void)ctx;
	if (site != NULL && desk_open(&desk, site, e) == 0 && (search = site_search(site, e)) != NULL)
		result = index_create_all(&desk, search, e);
	search_close(search);
	desk_close(&desk);
	site_close(site);
	return result;
}

int
admin_create_index(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_SEARCH_URL", "CSVP_HOME", "CSVP_CONFIG", NULL};
	static const struct program program = {"csvp-admin create-index", "",
	    "Make the search index of every dataset that has none, and fill one that was lost; twice is a no-op.",
	    table, environment};

	return admin_plain(&program, argc, argv, create, NULL);
}
