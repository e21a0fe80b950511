#include "flow/refill.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"
#include "flow/documents.h"
#include "ledger/chunk.h"
#include "ledger/dataset.h"
#include "ledger/index_generation.h"
#include "ledger/ledger.h"
#include "search/search.h"
#include "table/edit.h"
#include "table/target.h"

/* In one transaction: all that the index had is not indexed. 1, 0 it had nothing, -1. */
static int
count_as_lost(struct pg *pg, const struct dataset *d, const struct shape *shape, struct err *e)
{
	const struct target target = {d->id, d->generation, d->table_schema, d->table_name, shape};
	uint64_t chunks = 0;
	int64_t edits = 0;
	int had, result = -1;

	if (pg_begin(pg, e) != 0)
		return -1;
	had = index_generation_forget(pg, d->id, e);
	/*
	 * The edits first: a chunk that is loaded meanwhile may take one of their rows over without a change, and has
	 * then to be seen as one that was loaded before.
	 */
	if (had > 0 && ((edits = edit_enter(pg, &target, e)) < 0 || chunk_unindex(pg, d->id, &chunks, e) != 0))
		had = -1;
	if (had >= 0 && pg_commit(pg, e) == 0)
		result = had;
	pg_rollback(pg);
	if (result > 0)
		log_notice("dataset %s: its search index is gone; %" PRIu64 " chunks and %" PRId64
			   " edits are indexed again",
		    d->name, chunks, edits);
	return result;
}

int
refill_create(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape, struct err *e)
{
	const struct search_index index = documents_index(d, shape);
	int64_t key = ledger_lock_key(LEDGER_LOCK_INDEX, d->id, 0);
	int there = search_exists(search, &index, e), lost = 0;

	if (there < 0)
		return -1;
	if (there > 0)
		return search_create(search, &index, e);
	if (pg_lock(pg, key, e) != 0)
		return -1;
	there = search_exists(search, &index, e);
	if (there == 0)
		lost = count_as_lost(pg, d, shape, e);
	if (there < 0 || lost < 0 || search_create(search, &index, e) != 0)
		lost = -1;
	pg_unlock(pg, key);
	return lost;
}
