#include "db/migrate.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"

/*
 * "csvp mig" in ASCII. The ledger packs its own keys with a small kind number
 * in the high bits, so they cannot meet; this one is needed before the ledger is.
 */
static const int64_t lock_key = 0x63737670206d6967;

/* The version the database is at, 0 for a new one; -1. */
static int
current(struct pg *pg, size_t count, struct err *e)
{
	struct pg_rows *rows;
	int version;

	/* Each program's first question: one round trip, unless the table is not there. */
	if (pg_query(pg, &rows, e, "SELECT coalesce(max(version), 0) FROM csvp.migration", 0, NULL) != 0) {
		if (strcmp(pg_sqlstate(pg), "42P01") != 0)
			return -1;
		*e = (struct err){0};
		return 0;
	}
	version = (int)pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	if ((size_t)version > count)
		return err_set(e, ERR_CONFIG,
		    "the database is at version %d, this csvp knows %zu; hint: use the newer csvp that migrated it",
		    version, count);
	return version;
}

static int
apply(struct pg *pg, const struct migration *migration, struct err *e)
{
	char version[12];

	snprintf(version, sizeof version, "%d", migration->version);
	if (pg_begin(pg, e) != 0)
		return -1;
	if (pg_exec_waiting(pg, migration->sql, e) != 0 ||
	    PG_QUERY(pg, NULL, e, "INSERT INTO csvp.migration (version, name) VALUES ($1, $2)", version,
		migration->name) != 0 ||
	    pg_commit(pg, e) != 0) {
		pg_rollback(pg);
		return err_prefix(e, "migration %d (%s)", migration->version, migration->name);
	}
	log_detail("migration %d (%s) applied", migration->version, migration->name);
	return 0;
}

static int
run_locked(struct pg *pg, const struct migration *list, size_t count, struct err *e)
{
	int version = current(pg, count, e);
	int applied = 0;

	if (version < 0)
		return -1;
	if (version == 0 &&
	    pg_exec(pg,
		"CREATE SCHEMA IF NOT EXISTS csvp; CREATE TABLE IF NOT EXISTS csvp.migration ("
		"version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
		e) != 0)
		return -1;
	for (size_t i = (size_t)version; i < count; i++, applied++)
		if (apply(pg, &list[i], e) != 0)
			return -1;
	return applied;
}

int
migrate_run(struct pg *pg, const struct migration *list, size_t count, struct err *e)
{
	int applied;

	if (pg_lock(pg, lock_key, e) != 0)
		return -1;
	applied = run_locked(pg, list, count, e);
	pg_unlock(pg, lock_key);
	return applied;
}

int
migrate_pending(struct pg *pg, const struct migration *list, size_t count, struct err *e)
{
	int version = current(pg, count, e);

	(void)list;
	return version < 0 ? -1 : (int)count - version;
}
