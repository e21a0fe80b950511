#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/*
 * The numbers of the game.
 *
 * A version orders all records and edits of a dataset: the job's seq in the
 * upper bits, the record's offset in the object in the lower 39. Bit 38 is set
 * in the versions of edits made outside jobs, which come after all records of
 * the newest job (objects are at most 2^38 bytes = 256 GiB) and before the next.
 */
#define LEDGER_OFFSET_BITS 39
#define LEDGER_EDIT_BIT ((int64_t)1 << 38)
#define LEDGER_MAX_OBJECT ((uint64_t)1 << 38)
#define LEDGER_MAX_SEQ (((int64_t)1 << 24) - 1)

int64_t ledger_version(int64_t seq, uint64_t offset);

/*
 * Session advisory locks, the only "running" there is. The key is
 * kind << 60 | job (or dataset) << 26 | chunk.
 */
enum ledger_lock {
	LEDGER_LOCK_UPLOAD = 1, /* job: its uploader is alive */
	LEDGER_LOCK_SPLIT = 2,  /* job: being split */
	LEDGER_LOCK_CHUNK = 3,  /* job, chunk: being loaded or indexed; view csvp.running reads this kind */
	LEDGER_LOCK_INDEX = 4,  /* dataset: its search index is being created or finished; or LEDGER_INDEX_REJECTS */
	LEDGER_LOCK_SWEEP = 5,  /* 0: forgotten work is being looked for */
	LEDGER_LOCK_DOCTOR = 6, /* process: to see whether locks are kept */
	LEDGER_LOCK_GC = 7      /* 0: garbage is being collected; the highest kind there can be */
};
#define LEDGER_MAX_CHUNKS ((int64_t)1 << 26)
#define LEDGER_INDEX_REJECTS 1 /* as chunk of LEDGER_LOCK_INDEX: those of the dataset are being written */

int64_t ledger_lock_key(enum ledger_lock kind, int64_t id, int64_t chunk);

/* Bring the schema csvp of this database up to date: how many steps that took, or -1; 78 if it is newer than this program. */
int ledger_migrate(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

/* How many migrations are still to be run, or -1. */
int ledger_pending_migrations(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

/* Say that this session is a worker: its writes to users' tables are no edits (their triggers look for this). */
int ledger_worker(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

#endif
