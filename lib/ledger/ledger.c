#include "ledger/ledger.h"

#include "db/migrate.h"
#include "db/pg.h"
#include "ledger/migration_1.sql.h"
#include "ledger/migration_2.sql.h"
#include "ledger/migration_3.sql.h"
#include "ledger/migration_4.sql.h"
#include "ledger/migration_5.sql.h"
#include "ledger/migration_6.sql.h"
#include "ledger/migration_7.sql.h"
#include "ledger/migration_8.sql.h"
#include "ledger/migration_9.sql.h"
#include "ledger/migration_10.sql.h"
#include "ledger/migration_11.sql.h"
#include "ledger/migration_12.sql.h"

static const struct migration migrations[] = {
    {1, "ledger", sql_migration_1},
    {2, "messages", sql_migration_2},
    {3, "throttle", sql_migration_3},
    {4, "site", sql_migration_4},
    {5, "generations of the search indexes", sql_migration_5},
    {6, "unfinished uploads", sql_migration_6},
    {7, "search indexes that were lost", sql_migration_7},
    {8, "tokens of the API", sql_migration_8},
    {9, "names of uploads", sql_migration_9},
    {10, "garbage", sql_migration_10},
    {11, "index rejects", sql_migration_11},
    {12, "where a chunk's rows are", sql_migration_12},
};
#define MIGRATION_COUNT (sizeof migrations / sizeof *migrations)

int64_t
ledger_version(int64_t seq, uint64_t offset)
{
	return (int64_t)((uint64_t)seq << LEDGER_OFFSET_BITS | offset);
}

int64_t
ledger_lock_key(enum ledger_lock kind, int64_t id, int64_t chunk)
{
	return (int64_t)kind << 60 | id << 26 | chunk;
}

int
ledger_migrate(struct pg *pg, struct err *e)
{
	return migrate_run(pg, migrations, MIGRATION_COUNT, e);
}

int
ledger_pending_migrations(struct pg *pg, struct err *e)
{
	return migrate_pending(pg, migrations, MIGRATION_COUNT, e);
}

int
ledger_worker(struct pg *pg, struct err *e)
{
	/* A worker's statements are sized for its share of the machine: cores are used by more workers, not by one plan. */
	return pg_exec(pg,
	    "SET csvp.worker = 'on';SET jit = off;SET max_parallel_workers_per_gather = 0;SET work_mem = '32MB';"
	    "SET maintenance_work_mem = '256MB'",
	    e);
}
