#include "ledger/holder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "db/pg.h"
#include "ledger/ledger.h"

struct visit {
	holder_each *each;
	void *ctx;
};

static int
visit_row(void *ctx, const struct pg_rows *row, struct err *e)
{
	const struct visit *v = ctx;
	const struct holder h = {
	    .job = pg_rows_int(row, 0, 0),
	    .chunk = pg_rows_int(row, 0, 1),
	    .act = pg_rows_text(row, 0, 2),
	    .who = pg_rows_text(row, 0, 3),
	    .user = pg_rows_text(row, 0, 4),
	    .seconds = pg_rows_int(row, 0, 5),
	    .since = pg_rows_text(row, 0, 6),
	};

	return v->each(v->ctx, &h, e);
}

int
holder_list(struct pg *pg, const int64_t *ids, size_t count, holder_each *each, void *ctx, struct err *e)
{
	struct visit v = {each, ctx};
	struct buf list = {0}, sql = {0};
	int result;

	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s%" PRId64, i > 0 ? "," : "", ids[i]);
	/* PostgreSQL keeps no time for a lock that was had at once: its holder's transaction begins a read later. */
	buf_printf(&sql,
	    "SELECT h.job, CASE WHEN h.kind = %d THEN h.chunk ELSE -1 END,"
	    "  CASE WHEN h.kind = %d THEN 'uploading' WHEN h.kind = %d THEN 'splitting'"
	    "       WHEN c.state IN ('loaded', 'indexed') THEN 'indexing' ELSE 'loading' END,"
	    "  a.application_name, a.usename,"
	    "  coalesce(greatest(extract(epoch FROM clock_timestamp() - a.since), 0), -1)::bigint,"
	    "  to_char(a.since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
	    "  FROM (SELECT pid, key >> 60 AS kind, (key >> 26) & 17179869183 AS job, key & 67108863 AS chunk"
	    "          FROM (SELECT pid, classid::bigint << 32 | objid::bigint AS key FROM pg_locks"
	    "                 WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database ="
	    "                       (SELECT oid FROM pg_database WHERE datname = current_database())) l) h"
	    "  JOIN csvp.job j ON j.id = h.job"
	    "  LEFT JOIN csvp.chunk c ON h.kind = %d AND c.job = h.job AND c.number = h.chunk"
	    "  LEFT JOIN (SELECT pid, application_name, usename, coalesce(xact_start, state_change) AS since"
	    "               FROM pg_stat_activity) a ON a.pid = h.pid"
	    " WHERE h.kind IN (%d, %d, %d)",
	    LEDGER_LOCK_CHUNK, LEDGER_LOCK_UPLOAD, LEDGER_LOCK_SPLIT, LEDGER_LOCK_CHUNK, LEDGER_LOCK_UPLOAD,
	    LEDGER_LOCK_SPLIT, LEDGER_LOCK_CHUNK);
	if (count > 0)
		buf_printf(&sql, " AND h.job IN (%s)", list.bytes);
	buf_string(&sql, " ORDER BY 1, 2, h.pid");
	result = pg_stream(pg, sql.bytes, 0, NULL, visit_row, &v, e);
	buf_fini(&sql);
	buf_fini(&list);
	return result;
}
