#include "ledger/index_generation.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "db/pg.h"

int
index_generation_raise(struct pg *pg, int64_t dataset, struct err *e)
{
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, dataset);
	return PG_QUERY(pg, NULL, e,
	    "INSERT INTO csvp.index_generation SELECT id, gen_random_uuid() FROM csvp.dataset WHERE id = $1"
	    " ON CONFLICT (dataset) DO UPDATE SET generation = excluded.generation",
	    id);
}

int
index_generation_read(struct pg *pg, int64_t dataset, struct index_generation *out, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int found;

	snprintf(id, sizeof id, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e, "SELECT generation FROM csvp.index_generation WHERE dataset = $1", id) != 0)
		return -1;
	found = pg_rows_count(rows) == 1;
	if (found)
		snprintf(out->text, sizeof out->text, "%s", pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return found;
}

int
index_generation_forget(struct pg *pg, int64_t dataset, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int had;

	/* What was indexed before there were generations is known by its chunks. */
	snprintf(id, sizeof id, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e,
		"WITH gone AS (DELETE FROM csvp.index_generation WHERE dataset = $1 RETURNING dataset)"
		" SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
		"   JOIN csvp.dataset d ON d.id = j.dataset WHERE d.id = $1 AND j.seq >= d.since"
		"   AND c.state = 'indexed' AND c.inserted + c.updated > 0)",
		id) != 0)
		return -1;
	had = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return had;
}
