#include "db/pg.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "db/pg_internal.h"

struct name {
	char text[16];
};

static struct name
name_of(size_t number)
{
	struct name name;

	snprintf(name.text, sizeof name.text, "csvp_%zu", number);
	return name;
}

static int
prepare(struct pg *pg, const char *sql, struct err *e)
{
	PGresult *result;

	if (pg->prepared_count == PG_MOST_PREPARED)
		return err_set(e, ERR_BUG, "a session has no room for another prepared statement");
	result = pg_wait_result(pg, PQsendPrepare(pg->conn, name_of(pg->prepared_count).text, sql, 0, NULL), e);
	PQclear(result);
	if (result == NULL)
		return -1;
	pg->prepared[pg->prepared_count++] = sql;
	return 0;
}

static int
run(struct pg *pg, struct pg_rows **rows, struct err *e, const char *sql, size_t count, const char *const *params)
{
	size_t i = 0;
	int sent;

	if (pg_wait_begin(pg, e) != 0)
		return -1;
	while (i < pg->prepared_count && pg->prepared[i] != sql)
		i++;
	if (i == pg->prepared_count && prepare(pg, sql, e) != 0)
		return -1;
	sent = PQsendQueryPrepared(pg->conn, name_of(i).text, (int)count, params, NULL, NULL, 0);
	return pg_rows_take(rows, pg_wait_result(pg, sent, e));
}

/* A table has other types than it had, or somebody has cleared the session. */
static bool
is_stale(const struct pg *pg)
{
	return strcmp(pg->sqlstate, "0A000") == 0 || strcmp(pg->sqlstate, "26000") == 0;
}

int
pg_prepared(
    struct pg *pg, struct pg_rows **rows, struct err *e, const char *sql, size_t count, const char *const *params)
{
	int result = run(pg, rows, e, sql, count, params);

	if (result == 0 || !is_stale(pg) || pg_in_transaction(pg) || pg_exec(pg, "DEALLOCATE ALL", e) != 0)
		return result;
	pg->prepared_count = 0;
	return run(pg, rows, e, sql, count, params);
}
