#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "cli/options.h"
#include "db/conninfo.h"
#include "db/pg.h"
#include "flow/site.h"

/*
 * Table names mean the datasets' tables first, then csvp's own. In front of
 * the user's own PGOPTIONS, so that those win.
 */
static int
set_search_path(const char *schema, struct err *e)
{
	const char *old = getenv("PGOPTIONS");
	struct buf path = {0}, options = {0};
	int result;

	pg_quote_name(&path, schema);
	buf_string(&options, "-csearch_path=");
	for (const char *p = path.bytes; *p != '\0'; p++) {
		if (*p == ' ' || *p == '\\')
			buf_byte(&options, '\\');
		buf_byte(&options, *p);
	}
	buf_printf(&options, ",csvp %s", old != NULL ? old : "");
	result = setenv("PGOPTIONS", options.bytes, 1);
	buf_fini(&path);
	buf_fini(&options);
	return result == 0 ? 0 : err_set(e, ERR_AGAIN, "out of memory");
}

/* Everything psql needs, in the environment; *rest is what has no variable. */
static int
prepare(struct buf *rest, struct err *e)
{
	struct site *site = site_open_unmigrated(e);
	/* Asked before libpq's names are set, which would look like a database named by the user. */
	bool ours = !site_database_named();
	int result = -1;

	if (site == NULL || conninfo_export(site_conninfo(site), rest, e) != 0)
		goto done;
	/* A pooler in front of somebody's own database may refuse start-up options: only where it is needed. */
	if (ours || strcmp(site_schema(site), "public") != 0)
		result = set_search_path(site_schema(site), e);
	else
		result = 0;
done:
	site_close(site);
	return result;
}

static int
run(int argc, char **argv, struct err *e)
{
	char **arguments = buf_calloc((size_t)argc + 3, sizeof *arguments);
	char program[] = "psql", database[] = "-d";
	struct buf rest = {0};
	size_t count = 0;

	if (prepare(&rest, e) == 0) {
		arguments[count++] = program;
		if (rest.length > 0) {
			arguments[count++] = database;
			arguments[count++] = rest.bytes;
		}
		memcpy(arguments + count, argv + 1, (size_t)(argc - 1) * sizeof *argv);
		sig_default();
		execvp(program, arguments);
		if (errno == ENOENT)
			err_set(e, ERR_UNAVAILABLE, "psql is not installed; hint: the package postgresql-client");
		else
			err_errno(e, errno, "cannot run psql");
	}
	buf_fini(&rest);
	free(arguments);
	return -1;
}

int
admin_psql(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_HOME", "CSVP_SCHEMA", "CSVP_AUTOSTART", "CSVP_CONFIG", NULL};
	static const struct program program = {"csvp-admin psql", "[ARGUMENT...]",
	    "Run psql on the database that csvp uses; all arguments but a lone --help are psql's own.", table,
	    environment};
	struct err e = {0};
	bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
	char *alone[] = {argv[0], NULL}, **operands;
	size_t count;

	/* All else is psql's to parse; then this call only prepares messages and signals. */
	if (options_parse(&program, help ? argc : 1, help ? argv : alone, &operands, &count, &e) == 0)
		(void)run(argc, argv, &e);
	return options_exit(&e);
}
