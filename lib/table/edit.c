#include "table/edit.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "db/pg.h"
#include "schema/shape.h"
#include "table/edit_trigger.sql.h"
#include "table/target.h"

/* The condition under which a statement is an edit. */
static int
append_condition(struct pg *pg, struct buf *sql, struct err *e)
{
	struct pg_rows *rows;

	if (pg_query(
		pg, &rows, e, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'csvp'", 0, NULL) != 0)
		return -1;
	buf_string(sql, " WHEN (current_setting('csvp.worker', true) IS DISTINCT FROM 'on' OR NOT pg_has_role(");
	pg_quote_literal(sql, pg_rows_text(rows, 0, 0));
	buf_string(sql, ", 'MEMBER')) ");
	pg_rows_free(rows);
	return 0;
}

static void
append_trigger(struct buf *sql, const struct target *t, const char *name, const char *event, const char *condition)
{
	buf_printf(sql, ";CREATE TRIGGER %s %s ON ", name, event);
	target_table(sql, t);
	buf_printf(sql, " %s EXECUTE FUNCTION csvp.edit_%" PRId64 "()", condition, t->dataset);
}

/* The function's text with its three names filled in. */
static void
append_function(struct buf *sql, const struct target *t)
{
	struct buf values[3] = {{0}, {0}, {0}};
	static const char *const names[3] = {"$dataset", "$old_key", "$new_key"};

	buf_printf(&values[0], "%" PRId64, t->dataset);
	target_key_text(&values[1], t, "OLD.");
	target_key_text(&values[2], t, "NEW.");
	for (const char *p = sql_edit_trigger; *p != '\0';) {
		size_t i = 0;

		while (i < 3 && strncmp(p, names[i], strlen(names[i])) != 0)
			i++;
		if (i < 3) {
			buf_string(sql, values[i].bytes);
			p += strlen(names[i]);
		} else {
			buf_byte(sql, *p++);
		}
	}
	for (size_t i = 0; i < 3; i++)
		buf_fini(&values[i]);
}

int
edit_install(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0}, when = {0};
	int result = -1;

	buf_string(&when, "FOR EACH ROW");
	if (append_condition(pg, &when, e) != 0)
		goto done;
	append_function(&sql, t);
	append_trigger(&sql, t, "csvp_version", "BEFORE UPDATE", when.bytes);
	append_trigger(&sql, t, "csvp_update", "AFTER UPDATE", when.bytes);
	append_trigger(&sql, t, "csvp_delete", "AFTER DELETE", when.bytes);
	append_trigger(&sql, t, "csvp_truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT");
	result = pg_exec(pg, sql.bytes, e);

done:
	buf_fini(&sql);
	buf_fini(&when);
	return result;
}

int
edit_key_type(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	int result;

	append_function(&sql, t);
	result = pg_exec(pg, sql.bytes, e);
	buf_fini(&sql);
	return result;
}

/* Rows of edits, as entries of csvp.change. */
static void
append_enter(struct buf *sql, const struct target *t)
{
	buf_printf(sql, "INSERT INTO csvp.change (dataset, key, version, deleted) SELECT %" PRId64 ", ", t->dataset);
	target_key_text(sql, t, "t.");
	buf_string(sql, ", t._version, false FROM ");
	target_table(sql, t);
	buf_string(sql, " t WHERE t._version & (1::bigint << 38) <> 0");
}

int64_t
edit_enter(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0};
	struct pg_rows *rows;
	int64_t count = -1;

	/* It reads the whole table, and takes as long as that takes. */
	append_enter(&sql, t);
	buf_printf(&sql,
	    " OR t._version >> 39 IN (SELECT seq FROM csvp.job WHERE dataset = %" PRId64 " AND removed_at IS NOT NULL)",
	    t->dataset);
	if (pg_exec(pg, "SET LOCAL statement_timeout = 0", e) == 0 && pg_query(pg, &rows, e, sql.bytes, 0, NULL) == 0) {
		count = (int64_t)pg_rows_affected(rows);
		pg_rows_free(rows);
	}
	buf_fini(&sql);
	return count;
}

int
edit_watch_inserts(struct pg *pg, const struct target *t, struct err *e)
{
	struct buf sql = {0}, when = {0};
	int result = -1;

	buf_string(&when, "FOR EACH ROW");
	if (append_condition(pg, &when, e) != 0)
		goto done;
	append_enter(&sql, t);
	/* The sequence was never used since the job was opened: no edit, no need to read the whole table. */
	buf_printf(
	    &sql, " AND (SELECT last_value & ((1::bigint << 38) - 1) <> 0 FROM csvp.version_%" PRId64 ")", t->dataset);
	append_trigger(&sql, t, "csvp_insert", "AFTER INSERT", when.bytes);
	result = pg_exec_waiting(pg, sql.bytes, e);

done:
	buf_fini(&sql);
	buf_fini(&when);
	return result;
}
