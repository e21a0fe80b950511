#include "ledger/index_reject.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "db/pg.h"
#include "ledger/ledger.h"

int
index_reject_begin(struct pg *pg, int64_t dataset, bool refused, struct err *e)
{
	int64_t key = ledger_lock_key(LEDGER_LOCK_INDEX, dataset, LEDGER_INDEX_REJECTS);
	char sql[100];

	snprintf(sql, sizeof sql, "SELECT pg_advisory_xact_lock%s(%" PRId64 ")", refused ? "" : "_shared", key);
	return pg_exec_waiting(pg, sql, e);
}

int64_t
index_reject_count(struct pg *pg, int64_t dataset, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int64_t count;

	snprintf(id, sizeof id, "%" PRId64, dataset);
	if (PG_QUERY(pg, &rows, e, "SELECT count(*) FROM csvp.index_reject WHERE dataset = $1", id) != 0)
		return -1;
	count = pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	return count;
}

int
index_reject_forget(struct pg *pg, int64_t dataset, const char *const *keys, size_t count, size_t parts, struct err *e)
{
	int64_t known = index_reject_count(pg, dataset, e);
	struct buf sql = {0};
	int result;

	/* Nearly always. */
	if (known <= 0)
		return known < 0 ? -1 : 0;
	buf_string(&sql, "DELETE FROM csvp.index_reject r USING unnest(");
	for (size_t i = 0; i < parts; i++) {
		buf_string(&sql, i > 0 ? ", " : "");
		pg_quote_array(&sql, keys + i, count, parts);
		buf_string(&sql, "::text[]");
	}
	buf_string(&sql, ") AS k (");
	for (size_t i = 0; i < parts; i++)
		buf_printf(&sql, "%sk%zu", i > 0 ? ", " : "", i);
	buf_printf(&sql, ") WHERE r.dataset = %" PRId64 " AND r.key = ARRAY[", dataset);
	for (size_t i = 0; i < parts; i++)
		buf_printf(&sql, "%sk.k%zu", i > 0 ? ", " : "", i);
	buf_byte(&sql, ']');
	result = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

int
index_reject_keep(struct pg *pg, int64_t dataset, const char *const *key, size_t parts, int64_t version,
    const char *reason, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_printf(
	    &sql, "INSERT INTO csvp.index_reject (dataset, key, version, reason) VALUES (%" PRId64 ", ARRAY[", dataset);
	for (size_t i = 0; i < parts; i++) {
		buf_string(&sql, i > 0 ? ", " : "");
		pg_quote_literal(&sql, key[i]);
	}
	buf_printf(&sql, "], %" PRId64 ", ", version);
	pg_quote_literal(&sql, reason);
	/* The key may have been sent twice. */
	buf_string(
	    &sql, ") ON CONFLICT (dataset, key) DO UPDATE SET version = excluded.version, reason = excluded.reason");
	result = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

struct visit {
	index_reject_each *each;
	void *ctx;
};

static int
visit_row(void *ctx, const struct pg_rows *row, struct err *e)
{
	const struct visit *v = ctx;
	const struct index_reject reject = {
	    .key = pg_rows_text(row, 0, 0),
	    .parts = pg_rows_text(row, 0, 1),
	    .job = pg_rows_int(row, 0, 2),
	    .byte = pg_rows_int(row, 0, 3),
	    .reason = pg_rows_text(row, 0, 4),
	};

	return v->each(v->ctx, &reject, e);
}

int
index_reject_list(struct pg *pg, int64_t dataset, index_reject_each *each, void *ctx, struct err *e)
{
	struct visit v = {each, ctx};
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, dataset);
	return pg_stream(pg,
	    "SELECT array_to_string(r.key, ','), array_to_json(r.key), j.id, r.version & ((1::bigint << 38) - 1), "
	    "r.reason"
	    "  FROM csvp.index_reject r LEFT JOIN csvp.job j ON j.dataset = r.dataset AND j.seq = r.version >> 39"
	    "   AND r.version & (1::bigint << 38) = 0"
	    " WHERE r.dataset = $1 ORDER BY r.version, r.key",
	    1, (const char *const[]){id}, visit_row, &v, e);
}
