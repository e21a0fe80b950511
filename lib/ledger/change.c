#include "ledger/change.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"

int
change_take(struct pg *pg, int64_t dataset, size_t parts, size_t limit, struct pg_rows **rows, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_printf(&sql,
	    "WITH gone AS (DELETE FROM csvp.change WHERE id IN (SELECT id FROM csvp.change WHERE dataset = %" PRId64
	    " ORDER BY id LIMIT %zu FOR UPDATE SKIP LOCKED) RETURNING key, version, deleted) SELECT ",
	    dataset, limit);
	for (size_t i = 0; i < parts; i++)
		buf_printf(&sql, "key[%zu], ", i + 1);
	buf_string(&sql, "max(version), bool_or(deleted) FROM gone GROUP BY key");
	result = pg_query(pg, rows, e, sql.bytes, 0, NULL);
	buf_fini(&sql);
	return result;
}

int
change_datasets(struct pg *pg, int64_t **ids, size_t *count, struct err *e)
{
	struct pg_rows *rows;

	/* A probe per dataset: the outbox may be long. Of a table that was dropped there is no row to read. */
	if (pg_query(pg, &rows, e,
		"SELECT id FROM csvp.dataset d WHERE state = 'ready'"
		" AND to_regclass(format('%I.%I', table_schema, table_name)) IS NOT NULL"
		" AND EXISTS (SELECT FROM csvp.change c WHERE c.dataset = d.id) LIMIT 100",
		0, NULL) != 0)
		return -1;
	*count = pg_rows_count(rows);
	*ids = pg_rows_ids(rows);
	pg_rows_free(rows);
	return 0;
}
