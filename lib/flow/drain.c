#include "flow/drain.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg.h"
#include "flow/desk.h"
#include "flow/documents.h"
#include "flow/refill.h"
#include "ledger/change.h"
#include "ledger/index_generation.h"
#include "search/search.h"

/* Keys taken at a time: they are locked until the index has them. */
#define TAKE 1000

/* Send what was taken; the current row is what counts, so only keys, the newest version and deletions are told. */
static int
send(const struct desk *d, struct search *search, const struct pg_rows *rows, size_t parts, struct err *e)
{
	const struct search_index index = documents_index(&d->dataset, &d->shape);
	size_t count = pg_rows_count(rows);
	const char **keys = buf_calloc(count * parts, sizeof *keys);
	struct search_doc *docs = buf_calloc(count, sizeof *docs);
	uint64_t refused;
	int result;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < parts; k++)
			keys[i * parts + k] = pg_rows_text(rows, i, k);
		docs[i] = (struct search_doc){
		    .key = keys + i * parts,
		    .version = pg_rows_int(rows, i, parts),
		    .deleted = pg_rows_bool(rows, i, parts + 1),
		};
	}
	result = documents_send(d->pg, search, &d->dataset, &d->shape, docs, count, &refused, e);
	if (result == 0)
		result = search_refresh(search, &index, e);
	free(docs);
	free(keys);
	return result;
}

/* One transaction: how many keys it brought, or -1. */
static int64_t
drain_some(struct desk *d, struct search *search, struct err *e)
{
	size_t parts = shape_key_parts(&d->shape);
	struct pg_rows *rows = NULL;
	int64_t count = -1;

	if (pg_begin(d->pg, e) == 0 && change_take(d->pg, d->dataset.id, parts, TAKE, &rows, e) == 0) {
		count = (int64_t)pg_rows_count(rows);
		if (count > 0 &&
		    (send(d, search, rows, parts, e) != 0 || index_generation_raise(d->pg, d->dataset.id, e) != 0))
			count = -1;
		if (count >= 0 && pg_commit(d->pg, e) != 0)
			count = -1;
	}
	pg_rows_free(rows);
	pg_rollback(d->pg);
	return count;
}

int64_t
drain_dataset(struct desk *d, struct search *search, int64_t dataset, struct err *e)
{
	int64_t total = 0, some;

	if (desk_take_dataset(d, dataset, e) != 0 || refill_create(d->pg, search, &d->dataset, &d->shape, e) < 0)
		return -1;
	do {
		some = sig_check(e) == 0 ? drain_some(d, search, e) : -1;
		total += some;
	} while (some > 0);
	return some < 0 ? -1 : total;
}

int64_t
drain_all(struct desk *d, struct search *search, struct err *e)
{
	int64_t *ids, total = 0;
	size_t count;

	if (change_datasets(d->pg, &ids, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && total >= 0; i++) {
		int64_t some = drain_dataset(d, search, ids[i], e);

		total = some < 0 ? -1 : total + some;
	}
	free(ids);
	return total;
}
