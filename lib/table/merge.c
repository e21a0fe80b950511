#include "table/merge.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "table/batch.h"
#include "table/copyin.h"
#include "table/target.h"

/* What one merge_batch works with. */
struct merge {
	struct pg *pg;
	const struct target *target;
	enum merge_mode mode;
	enum merge_guess guess;
	struct batch *batch;
	struct merge_result *result;
	size_t in_stage; /* rows in the file of the stage, dead ones too, at most */
};

static void
append_stage(struct buf *sql, const struct target *t)
{
	buf_printf(sql, "pg_temp.stage_%" PRId64 "_%" PRId64, t->dataset, t->generation);
}

int
merge_prepare(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	int result;

	/* TEMP, not UNLOGGED: no WAL at all, and its truncation at commit costs nothing. */
	buf_string(&sql, "SET client_min_messages = warning;CREATE TEMP TABLE IF NOT EXISTS ");
	append_stage(&sql, t);
	buf_string(&sql, " ON COMMIT DELETE ROWS AS SELECT ");
	target_columns(&sql, t, "");
	buf_string(&sql, " FROM ");
	target_table(&sql, t);
	buf_string(&sql, " WITH NO DATA");
	result = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

static uint64_t
winners(const struct merge *m, size_t from, size_t to)
{
	uint64_t count = 0;

	for (size_t i = from; i < to; i++)
		count += batch_winner(m->batch, &m->batch->groups[i]) != NULL;
	return count;
}

/* A trigger BEFORE the row has returned NULL: nobody would miss the record if that were no refusal. */
static int
left_out(const struct merge *m, struct err *e)
{
	return err_set(e, ERR_DATA, "a trigger of table %s.%s has left it out", m->target->schema, m->target->name);
}

static int
append_groups(const struct merge *m, size_t from, size_t to, struct err *e)
{
	uint64_t sent = winners(m, from, to);
	struct buf sql = {0};
	int result;

	buf_string(&sql, "COPY ");
	target_table(&sql, m->target);
	buf_string(&sql, " (");
	target_columns(&sql, m->target, "");
	buf_string(&sql, ") FROM STDIN");
	result = copyin_groups(m->pg, m->batch, from, to, sql.bytes, e);
	buf_fini(&sql);
	if (result == 0 && pg_copied(m->pg) < sent)
		return left_out(m, e);
	if (result == 0)
		m->result->inserted += sent;
	return result;
}

/*
 * Empty already, except while a batch is being halved. Deleted rows and those behind a savepoint stay in the file, and
 * each later part would scan them: 714 refusals in 5,000 records took 80 s. A truncation costs as much as a scan of
 * some thousand of them.
 */
static int
empty_stage(struct merge *m, size_t from, size_t to, struct err *e)
{
	struct buf sql = {0};
	bool full = m->in_stage > 1000;
	int result;

	if (m->mode == MERGE_APPEND || m->in_stage == 0)
		result = 0;
	else {
		buf_string(&sql, full ? "TRUNCATE " : "DELETE FROM ");
		append_stage(&sql, m->target);
		result = pg_exec(m->pg, sql.bytes, e);
		buf_fini(&sql);
	}
	m->in_stage = (full ? 0 : m->in_stage) + to - from;
	return result;
}

static int
stage_groups(const struct merge *m, size_t from, size_t to, struct err *e)
{
	struct buf sql = {0};
	int result;

	buf_string(&sql, "COPY ");
	append_stage(&sql, m->target);
	buf_string(&sql, " FROM STDIN");
	result = copyin_groups(m->pg, m->batch, from, to, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

/* Run a statement that gives numbers. */
static int
numbers(struct pg *pg, const char *sql, uint64_t *out, size_t count, struct err *e)
{
	struct pg_rows *rows;

	if (pg_query(pg, &rows, e, sql, 0, NULL) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		out[i] = (uint64_t)pg_rows_int(rows, 0, i);
	pg_rows_free(rows);
	return 0;
}

/* Row t looks like staged record s: identical images, so that 1.0 is not 1.00. */
static void
append_equal(struct buf *sql, const struct target *t)
{
	buf_string(sql, "record_image_eq(ROW(");
	target_values(sql, t, "t.");
	buf_string(sql, "), ROW(");
	target_values(sql, t, "s.");
	buf_string(sql, "))");
}

/* "a" = from."a", and so on, to be followed by the version. */
static void
append_assignments(struct buf *sql, const struct target *t, const char *from)
{
	for (size_t i = 0; i < t->shape->count; i++) {
		pg_quote_name(sql, t->shape->columns[i].name);
		buf_printf(sql, " = %s", from);
		pg_quote_name(sql, t->shape->columns[i].name);
		buf_string(sql, ", ");
	}
}

/* What upsert_rows tells: staged rows it looked at, those equal to their row, rows written, and new ones among them. */
struct upserted {
	uint64_t considered, equal, written, inserted;
};

/*
 * INSERT ... ON CONFLICT of what is staged. Each record meets its row before,
 * in a join: with MERGE_LEAVE one that is equal is not considered at all, since
 * ON CONFLICT would lock its row.
 */
static int
upsert_rows(const struct merge *m, struct upserted *u, struct err *e)
{
	const struct target *t = m->target;
	struct buf sql = {0};
	uint64_t counts[4];
	int result;

	buf_string(&sql, "WITH c AS (SELECT ");
	target_columns(&sql, t, "s.");
	buf_string(&sql, ", ");
	append_equal(&sql, t);
	buf_string(&sql, " AND t._version < s._version AS csvp_equal FROM ");
	append_stage(&sql, t);
	buf_string(&sql, " s LEFT JOIN ");
	target_table(&sql, t);
	buf_string(&sql, " t ON ");
	target_key_join(&sql, t, "t.", "s.");
	if (m->mode == MERGE_LEAVE) {
		buf_string(&sql, " WHERE ");
		append_equal(&sql, t);
		/* What update_rows has just written may look different, if a person has made a column coarser. */
		buf_string(&sql, " IS NOT TRUE AND t._version IS DISTINCT FROM s._version");
	}
	buf_string(&sql, "), w AS (INSERT INTO ");
	target_table(&sql, t);
	buf_string(&sql, " AS t (");
	target_columns(&sql, t, "");
	buf_string(&sql, ") SELECT ");
	target_columns(&sql, t, "c.");
	buf_string(&sql, " FROM c ON CONFLICT (");
	target_key(&sql, t, "");
	buf_string(&sql, ") DO UPDATE SET ");
	append_assignments(&sql, t, "excluded.");
	buf_string(&sql,
	    "_version = excluded._version WHERE excluded._version > t._version RETURNING t.xmax = 0 AS new)"
	    " SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM c WHERE csvp_equal),"
	    " (SELECT count(*) FROM w), (SELECT count(*) FROM w WHERE new)");
	result = numbers(m->pg, sql.bytes, counts, 4, e);
	buf_fini(&sql);
	if (result == 0)
		*u = (struct upserted){counts[0], counts[1], counts[2], counts[3]};
	return result;
}

/*
 * The rows that differ and are older, by UPDATE alone: where all are, this is two thirds of the work of upsert_rows,
 * which is left to do the rest. Not where a person has made triggers: they are to see each record the same way always.
 */
static int
update_rows(const struct merge *m, uint64_t *updated, struct err *e)
{
	const struct target *t = m->target;
	struct buf sql = {0}, table = {0};
	struct pg_rows *rows;
	int result;

	target_table(&table, t);
	buf_printf(&sql, "UPDATE %s", table.bytes);
	buf_string(&sql, " t SET ");
	append_assignments(&sql, t, "s.");
	buf_string(&sql, "_version = s._version FROM ");
	append_stage(&sql, t);
	buf_string(&sql, " s WHERE ");
	target_key_join(&sql, t, "t.", "s.");
	buf_string(&sql, " AND t._version < s._version AND NOT ");
	append_equal(&sql, t);
	buf_string(&sql,
	    " AND NOT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal AND tgname !~ '^csvp_' AND tgrelid = ");
	pg_quote_literal(&sql, table.bytes);
	buf_string(&sql, "::regclass)");
	result = pg_query(m->pg, &rows, e, sql.bytes, 0, NULL);
	if (result == 0) {
		*updated = pg_rows_affected(rows);
		pg_rows_free(rows);
	}
	buf_fini(&table);
	buf_fini(&sql);
	return result;
}

/* Has a row of this dataset ever been deleted that an older record could bring back? 1, 0, -1. */
static int
any_tombstone(const struct merge *m, struct err *e)
{
	char *sql = buf_format(
	    "SELECT EXISTS (SELECT FROM csvp.tombstone WHERE dataset = %" PRId64 ")::int", m->target->dataset);
	uint64_t some;
	int result = numbers(m->pg, sql, &some, 1, e);

	free(sql);
	return result == 0 ? (int)some : -1;
}

/*
 * An upsert can wait for the transaction that deletes its row, so the
 * tombstone is looked for in a second statement, with a snapshot of its own.
 */
static int
remove_beaten(const struct merge *m, uint64_t *beaten, struct err *e)
{
	const struct target *t = m->target;
	struct buf sql = {0};
	int some = any_tombstone(m, e), result;

	*beaten = 0;
	if (some <= 0)
		return some;
	buf_string(&sql, "WITH gone AS (DELETE FROM ");
	target_table(&sql, t);
	buf_string(&sql, " t USING ");
	append_stage(&sql, t);
	buf_printf(&sql,
	    " s, csvp.tombstone d WHERE d.dataset = %" PRId64 " AND d.version > s._version AND d.key = ", t->dataset);
	target_key_text(&sql, t, "s.");
	buf_string(&sql, " AND t._version = s._version AND ");
	target_key_join(&sql, t, "t.", "s.");
	buf_string(&sql, " RETURNING 1) SELECT count(*) FROM gone");
	result = numbers(m->pg, sql.bytes, beaten, 1, e);
	buf_fini(&sql);
	return result;
}

/* Every staged record whose row is not as it says is beaten by a higher version, of a row or a deletion. */
static int
check_written(const struct merge *m, struct err *e)
{
	const struct target *t = m->target;
	struct buf sql = {0};
	uint64_t missing;
	int result;

	buf_string(&sql, "SELECT count(*) FROM ");
	append_stage(&sql, t);
	buf_string(&sql, " s WHERE NOT EXISTS (SELECT FROM ");
	target_table(&sql, t);
	buf_string(&sql, " t WHERE ");
	target_key_join(&sql, t, "t.", "s.");
	buf_string(&sql, " AND (t._version >= s._version OR ");
	append_equal(&sql, t);
	buf_printf(&sql,
	    ")) AND NOT EXISTS (SELECT FROM csvp.tombstone d WHERE d.dataset = %" PRId64
	    " AND d.version > s._version AND d.key = ",
	    t->dataset);
	target_key_text(&sql, t, "s.");
	buf_byte(&sql, ')');
	result = numbers(m->pg, sql.bytes, &missing, 1, e);
	buf_fini(&sql);
	return result == 0 && missing > 0 ? left_out(m, e) : result;
}

static int
upsert_groups(const struct merge *m, size_t from, size_t to, struct err *e)
{
	uint64_t staged = winners(m, from, to);
	uint64_t beaten, left, updated, unchanged, inserted, before = 0;
	struct upserted u = {0};

	if (staged == 0)
		return 0;
	if (stage_groups(m, from, to, e) != 0)
		return -1;
	if (m->guess == MERGE_ALL_CHANGED && m->mode == MERGE_LEAVE && update_rows(m, &before, e) != 0)
		return -1;
	if ((before < staged && upsert_rows(m, &u, e) != 0) || (u.written < u.considered && check_written(m, e) != 0) ||
	    remove_beaten(m, &beaten, e) != 0)
		return -1;
	/*
	 * Rows left alone were not considered, nor those updated before, which are equal by now. A row equal in the snapshot
	 * may be edited before it is written: keep the sum.
	 */
	left = staged - u.considered - before;
	inserted = u.inserted;
	updated = u.written - u.inserted;
	unchanged = u.equal < updated ? u.equal : updated;
	updated += before - unchanged;
	m->result->superseded += u.considered - u.written + beaten;
	for (uint64_t *from_counter[] = {&inserted, &updated, &unchanged, NULL}, **c = from_counter;
	     beaten > 0 && *c != NULL; c++) {
		uint64_t taken = **c < beaten ? **c : beaten;

		**c -= taken;
		beaten -= taken;
	}
	m->result->inserted += inserted;
	m->result->updated += updated;
	m->result->unchanged += unchanged + left;
	return 0;
}

/*
 * On the guess that no key is there: as an append, which meets each key once instead of three times. 1 all is written;
 * 0 a key is there or a tombstone, or the server refuses a record, and nothing is written; -1.
 */
static int
write_new(const struct merge *m, struct err *e)
{
	int some = any_tombstone(m, e);

	if (some != 0 || m->batch->group_count == 0)
		return some < 0 ? -1 : 0;
	if (pg_exec(m->pg, "SAVEPOINT guess", e) != 0)
		return -1;
	if (append_groups(m, 0, m->batch->group_count, e) == 0) {
		/* It can have waited for the transaction that deletes a row. */
		some = any_tombstone(m, e);
		if (some <= 0)
			return some < 0 || pg_exec(m->pg, "RELEASE SAVEPOINT guess", e) != 0 ? -1 : 1;
	} else if (e->code != ERR_DATA || pg_lost(m->pg)) {
		return -1;
	}
	*m->result = (struct merge_result){0};
	return pg_exec(m->pg, "ROLLBACK TO SAVEPOINT guess;RELEASE SAVEPOINT guess", e);
}

static int
write_groups(const struct merge *m, size_t from, size_t to, struct err *e)
{
	return m->mode == MERGE_APPEND ? append_groups(m, from, to, e) : upsert_groups(m, from, to, e);
}

/* Write some groups behind a savepoint; when the server refuses them for their data, halve, down to the record. */
static int
write_halving(struct merge *m, size_t from, size_t to, struct err *e)
{
	struct merge_result before = *m->result;
	size_t middle = from + (to - from) / 2;
	struct batch_entry *entry;

	if (from == to || winners(m, from, to) == 0)
		return 0;
	if (sig_check(e) != 0 || empty_stage(m, from, to, e) != 0 || pg_exec(m->pg, "SAVEPOINT part", e) != 0)
		return -1;
	if (write_groups(m, from, to, e) == 0)
		return pg_exec(m->pg, "RELEASE SAVEPOINT part", e);
	if (e->code != ERR_DATA || pg_lost(m->pg))
		return -1;
	*m->result = before;
	if (to - from == 1) {
		entry = batch_winner(m->batch, &m->batch->groups[from]);
		entry->fault = buf_strdup(e->message);
	}
	if (pg_exec(m->pg, "ROLLBACK TO SAVEPOINT part;RELEASE SAVEPOINT part", e) != 0)
		return -1;
	if (to - from == 1)
		return write_halving(m, from, to, e);
	if (write_halving(m, from, middle, e) != 0)
		return -1;
	return write_halving(m, middle, to, e);
}

int
merge_batch(struct pg *pg, const struct target *t, enum merge_mode mode, enum merge_guess guess, struct batch *batch,
    struct merge_result *result, struct err *e)
{
	struct merge m = {pg, t, mode, guess, batch, result, 0};
	uint64_t refused = 0, staged;
	int written = 0;

	*result = (struct merge_result){0};
	if (mode != MERGE_APPEND && target_check_key(pg, t, e) != 0)
		return -1;
	/*
	 * Deferred constraints must speak before the commit. A join of stage and table must stay a nested loop over the
	 * key: sorted keys visit each page of the index once, and no statistics of a table that grows are to be trusted.
	 */
	if (pg_exec(pg,
		"SET CONSTRAINTS ALL IMMEDIATE;SET LOCAL enable_hashjoin = off;SET LOCAL enable_mergejoin = off;"
		"SET LOCAL enable_seqscan = off;SET LOCAL enable_bitmapscan = off",
		e) != 0)
		return -1;
	if (guess == MERGE_ALL_NEW && mode != MERGE_APPEND)
		written = write_new(&m, e);
	if (written == 0)
		written = write_halving(&m, 0, batch->group_count, e);
	if (written < 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++)
		refused += batch->entries[i].fault != NULL;
	/* What was de-duplicated away in the client. */
	staged = winners(&m, 0, batch->group_count);
	result->superseded += batch->count - refused - staged;
	return 0;
}

enum merge_guess
merge_guess(const struct merge_result *result)
{
	if (result->superseded + result->unchanged > 0 || result->inserted + result->updated == 0)
		return MERGE_MIXED;
	return result->updated == 0 ? MERGE_ALL_NEW : result->inserted == 0 ? MERGE_ALL_CHANGED : MERGE_MIXED;
}
