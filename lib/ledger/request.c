#include "ledger/request.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "db/pg.h"

int
request_find(
    struct pg *pg, int64_t dataset, const char *name, int64_t job, const char *sha256, int64_t *known, struct err *e)
{
	struct pg_rows *rows;
	char id[24], own[24];
	bool found, same;

	snprintf(id, sizeof id, "%" PRId64, dataset);
	snprintf(own, sizeof own, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT j.id, j.sha256 = $3::bytea AND j.options = (SELECT options FROM csvp.job WHERE id = $4)"
		" FROM csvp.request r JOIN csvp.job j ON j.id = r.job WHERE r.dataset = $1 AND r.name = $2",
		id, name, sha256, own) != 0)
		return -1;
	found = pg_rows_count(rows) == 1;
	*known = found ? pg_rows_int(rows, 0, 0) : 0;
	same = found && pg_rows_bool(rows, 0, 1);
	pg_rows_free(rows);
	if (found && !same)
		return err_set(
		    e, ERR_DATA, "'%s' stands for job %" PRId64 ", which has other bytes or options", name, *known);
	return found;
}

int
request_keep(struct pg *pg, int64_t dataset, const char *name, int64_t job, struct err *e)
{
	char id[24], number[24];

	snprintf(id, sizeof id, "%" PRId64, dataset);
	snprintf(number, sizeof number, "%" PRId64, job);
	return PG_QUERY(
	    pg, NULL, e, "INSERT INTO csvp.request (dataset, name, job) VALUES ($1, $2, $3)", id, name, number);
}
