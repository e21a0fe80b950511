#ifndef TESTS_CONTRACT_ENGINE_H
#define TESTS_CONTRACT_ENGINE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "database.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "search/search.h"

/* The engine under test, and a users' table for it to index. */

static struct err e;
static struct pg *pg; /* the users' side: psql, and the loader */
static struct search *search;
static struct shape shape;
static struct search_index dataset;

/* The engines; those with a server are there if find_engines() has found their URL. */
static struct {
	const char *name;
	const char *scheme; /* the driver's, to which cursors are bound */
	const char *url;    /* NULL: not there */
} engines[] = {{"pg", "pg:", "pg:"}, {"elasticsearch", "es+http", NULL}, {"opensearch", "es+http", NULL}};

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, e.message)

/*
 * The URL of a server: a ready-made one, or that which tests/run keeps for all
 * programs, started by the first that wants it. NULL: there is none.
 */
static char *
server_url(const char *variable, const char *name)
{
	const char *given = getenv(variable), *folder = getenv("TEST_TMP");
	char *command, *url = NULL, line[300];
	FILE *output;

	if (given != NULL)
		return buf_strdup(given);
	if (folder == NULL)
		return NULL;
	command = buf_format(
	    "unset CSVP_TEST_SEARCH_URL; export CSVP_SERVICES_DIR='%s/../services'; mkdir -p \"$CSVP_SERVICES_DIR\";"
	    " flock -o \"$CSVP_SERVICES_DIR/lock\" scripts/services start %s >&2 &&"
	    " eval \"$(scripts/services env %s)\" && echo \"$CSVP_SEARCH_URL\"",
	    folder, name, name);
	output = popen(command, "r");
	if (output != NULL && fgets(line, sizeof line, output) != NULL)
		url = buf_strndup(line, strcspn(line, "\n"));
	if (output != NULL && pclose(output) != 0) {
		free(url);
		url = NULL;
	}
	free(command);
	return url;
}

/* Each program has indexes of its own at the servers. */
static void __attribute__((unused)) find_engines(const char *program)
{
	static const char *const variables[] = {NULL, "CSVP_TEST_SEARCH_URL", "CSVP_TEST_OPENSEARCH_URL"};

	for (size_t i = 1; i < sizeof engines / sizeof *engines; i++) {
		char *url = server_url(variables[i], engines[i].name);

		if (url != NULL)
			engines[i].url = buf_format("%s/%s-%d", url, program, (int)getpid());
		else
			printf("skip - %s on %s: no server; hint: scripts/services install %s\n", program,
			    engines[i].name, engines[i].name);
		free(url);
	}
	fflush(stdout);
}

static void
sql(const char *statement)
{
	OK(pg_exec(pg, statement, &e));
}

static void
open_engine(int which)
{
	struct search_options options = {.url = engines[which].url, .conninfo = conninfo.bytes};

	pg = pg_open(conninfo.bytes, &e);
	ck_assert_msg(pg != NULL, "%s", e.message);
	sql("CREATE SCHEMA IF NOT EXISTS csvp");
	search = search_open(&options, &e);
	ck_assert_msg(search != NULL, "%s", e.message);
}

static void
close_engine(void)
{
	if (dataset.dataset > 0)
		OK(search_drop(search, &dataset, &e));
	search_close(search);
	pg_close(pg);
	shape_fini(&shape);
}

/*
 * A dataset of these columns, `name type` apart by commas, the first keys of
 * them its key; and its index. The other text columns have the collation of a
 * database that is not ours.
 */
static void
define(int64_t id, const char *columns, size_t keys)
{
	static const char table[] = "things";
	char *list = buf_strdup(columns), *rest = list, *column;
	struct buf ddl = {0};

	buf_string(&ddl, "DROP TABLE IF EXISTS public.things; CREATE TABLE public.things (");
	shape_fini(&shape);
	while ((column = strsep(&rest, ",")) != NULL) {
		char *type = strchr(column, ' ');
		enum type_id t;
		*type++ = '\0';
		ck_assert(type_parse(type, &t));
		shape_add(&shape, column, column, t, false);
		if (shape.count <= keys)
			OK(shape_add_key(&shape, column, &e));
		buf_printf(&ddl, "\"%s\" %s%s, ", column, type_sql(t),
		    t != TYPE_TEXT        ? ""
		    : shape.count <= keys ? " COLLATE \"C\""
					  : " COLLATE \"und-x-icu\"");
	}
	if (keys == 0)
		buf_string(&ddl, "_id bigint, ");
	buf_string(&ddl, "_version bigint NOT NULL, PRIMARY KEY (");
	for (size_t i = 0; i < keys; i++)
		buf_printf(&ddl, "%s\"%s\"", i > 0 ? ", " : "", shape.columns[i].name);
	buf_string(&ddl, keys == 0 ? "_id))" : "))");
	sql(ddl.bytes);
	dataset = (struct search_index){
	    .dataset = id, .schema = "public", .table = table, .shape = &shape, .born = "2026-11-26 11:00:00+00"};
	OK(search_drop(search, &dataset, &e));
	OK(search_create(search, &dataset, &e));
	buf_fini(&ddl);
	free(list);
}

/* The cases over each engine that is there, whose number *engine then is. Main's exit status. */
static int __attribute__((unused)) engines_run(const char *program, Suite *(*cases)(void), int *engine)
{
	int failed = 0;

	sig_init();
	start_database();
	find_engines(program);
	for (*engine = 0; *engine < (int)(sizeof engines / sizeof *engines); ++*engine) {
		if (engines[*engine].url == NULL)
			continue;
		SRunner *runner = srunner_create(cases());
		/* A case that aborts must not take the server's stop with it. */
		srunner_set_fork_status(runner, CK_FORK);
		srunner_run_all(runner, CK_NORMAL);
		failed += srunner_ntests_failed(runner);
		srunner_free(runner);
	}
	stop_database();
	return failed > 0;
}

#endif
