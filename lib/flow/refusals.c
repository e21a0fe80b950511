#include "flow/refusals.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/index_reject.h"
#include "schema/shape.h"
#include "table/rows.h"
#include "table/target.h"

void
refusals_fini(struct refusals *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->reasons[i]);
	free(r->reasons);
	free(r->versions);
	free(r->keys);
	buf_fini(&r->texts);
}

static int
not_deleted(void *ctx, const struct search_doc *doc, const char *reason, struct err *e)
{
	(void)ctx;
	return err_set(e, ERR_IO, "the search engine does not delete record %s: %s", doc->key[0], reason);
}

int
refusals_add(void *refusals, const struct search_doc *doc, const char *reason, struct err *e)
{
	struct refusals *r = refusals;

	if (doc->deleted)
		return not_deleted(NULL, doc, reason, e);
	/* Doubling at powers of two: no capacity to keep. */
	if ((r->count & (r->count - 1)) == 0) {
		size_t capacity = r->count > 0 ? 2 * r->count : 1;

		r->versions = buf_realloc(r->versions, capacity, sizeof *r->versions);
		r->reasons = buf_realloc(r->reasons, capacity, sizeof *r->reasons);
	}
	for (size_t i = 0; i < shape_key_parts(r->index->shape); i++)
		buf_append(&r->texts, doc->key[i], strlen(doc->key[i]) + 1);
	r->versions[r->count] = doc->version;
	r->reasons[r->count++] = buf_strdup(reason);
	return 0;
}

int
refusals_delete(struct refusals *r, struct search *search, struct err *e)
{
	size_t parts = shape_key_parts(r->index->shape);
	struct search_doc *docs;
	int result;

	if (r->count == 0)
		return 0;
	r->keys = buf_calloc(r->count * parts, sizeof *r->keys);
	buf_texts(r->texts.bytes, r->keys, r->count * parts);
	log_notice("%zu rows of %s cannot be searched; the first, of key %s: %s", r->count, r->index->table, r->keys[0],
	    r->reasons[0]);
	docs = buf_calloc(r->count, sizeof *docs);
	for (size_t i = 0; i < r->count; i++)
		docs[i] = (struct search_doc){.key = r->keys + i * parts, .version = r->versions[i], .deleted = true};
	result = search_bulk(search, r->index, docs, r->count, not_deleted, NULL, e);
	free(docs);
	return result;
}

struct standing {
	const int64_t *versions; /* that were refused */
	bool *still;             /* the row is of that one */
};

static int
note_standing(void *ctx, int64_t place, const char *const *values, int64_t version, struct err *e)
{
	struct standing *s = ctx;

	(void)values, (void)e;
	s->still[place] = version == s->versions[place];
	return 0;
}

int
refusals_keep(struct refusals *r, struct pg *pg, const struct target *target, struct err *e)
{
	struct standing s = {r->versions, buf_calloc(r->count, sizeof *s.still)};
	size_t parts = shape_key_parts(r->index->shape);
	int result = rows_by_key(pg, target, r->keys, r->count, note_standing, &s, e);

	for (size_t i = 0; result == 0 && i < r->count; i++)
		if (s.still[i])
			result = index_reject_keep(
			    pg, target->dataset, r->keys + i * parts, parts, r->versions[i], r->reasons[i], e);
	free(s.still);
	return result;
}
