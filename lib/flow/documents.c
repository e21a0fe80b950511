#include "flow/documents.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "db/pg.h"
#include "ledger/dataset.h"
#include "ledger/index_reject.h"
#include "schema/shape.h"
#include "table/rows.h"
#include "table/target.h"

/* Values held at a time, in bytes: a request or two of the engine's, and small beside a worker's 64 MB. */
#define PIECE ((size_t)4 << 20)

/* How old what was read may get, in milliseconds. */
#define FRESH 60000

/* How often the engine's trouble is met again, each time after the driver and its wrapper have given up. */
#define ATTEMPTS 4

/* Rows read and not sent yet. */
struct piece {
	struct search_doc *docs;
	size_t *numbers; /* of docs in the caller's list */
	size_t count, capacity;
	struct buf texts;
	size_t *places; /* of values in texts, a shape's columns for each document; NOWHERE: NULL */
};
#define NOWHERE SIZE_MAX

/* What the engine has refused: documents, and why. */
struct refusals {
	struct search_doc *docs;
	char **reasons;
	bool *standing; /* the row is still of that version */
	size_t count;
};

struct sending {
	struct search *search;
	struct search_index index;
	const struct search_doc *docs;
	bool *done; /* of docs: sent, or nothing to send */
	struct refusals refusals;
	struct piece piece;
	size_t *left; /* numbers of the docs asked for in this attempt */
	int64_t begun;
	bool engine; /* it is the engine that failed, or its slowness */
};

struct search_index
documents_index(const struct dataset *d, const struct shape *shape)
{
	return (struct search_index){
	    .dataset = d->id,
	    .schema = d->table_schema,
	    .table = d->table_name,
	    .shape = shape,
	    .born = d->created_at,
	};
}

/* Keys are the caller's, and stay. */
static int
note_refused(void *ctx, const struct search_doc *doc, const char *reason, struct err *e)
{
	struct refusals *r = ctx;

	if (doc->deleted)
		return err_set(e, ERR_IO, "the search engine does not delete record %s: %s", doc->key[0], reason);
	/* Doubling at powers of two: no capacity to keep. */
	if ((r->count & (r->count - 1)) == 0) {
		size_t capacity = r->count > 0 ? 2 * r->count : 1;

		r->docs = buf_realloc(r->docs, capacity, sizeof *r->docs);
		r->reasons = buf_realloc(r->reasons, capacity, sizeof *r->reasons);
	}
	r->docs[r->count] = (struct search_doc){.key = doc->key, .version = doc->version, .deleted = true};
	r->reasons[r->count++] = buf_strdup(reason);
	return 0;
}

static void
refusals_fini(struct refusals *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->reasons[i]);
	free(r->reasons);
	free(r->standing);
	free(r->docs);
}

static size_t
key_parts(const struct sending *s)
{
	return s->index.shape->key_count > 0 ? s->index.shape->key_count : 1;
}

static int
send_piece(struct sending *s, struct err *e)
{
	struct piece *p = &s->piece;
	size_t columns = s->index.shape->count;
	const char **values;
	int result;

	if (p->count == 0)
		return 0;
	if (clk_now(clk_system()) - s->begun > FRESH) {
		s->engine = true;
		return err_set(e, ERR_AGAIN, "the search engine is too slow for the rows read");
	}
	values = buf_calloc(p->count * columns + 1, sizeof *values);
	for (size_t i = 0; i < p->count * columns; i++)
		values[i] = p->places[i] == NOWHERE ? NULL : p->texts.bytes + p->places[i];
	for (size_t i = 0; i < p->count; i++)
		p->docs[i].values = p->docs[i].deleted ? NULL : values + i * columns;
	result = search_bulk(s->search, &s->index, p->docs, p->count, note_refused, &s->refusals, e);
	s->engine = result != 0;
	for (size_t i = 0; i < p->count && result == 0; i++)
		s->done[p->numbers[i]] = true;
	free(values);
	buf_reset(&p->texts);
	p->count = 0;
	return result;
}

/* Put a document into the piece; values of its row, or NULL if it is deleted. */
static int
add(struct sending *s, size_t number, const char *const *values, int64_t version, struct err *e)
{
	struct piece *p = &s->piece;
	size_t columns = s->index.shape->count;

	if (p->count == p->capacity) {
		p->capacity = p->capacity > 0 ? 2 * p->capacity : 1024;
		p->docs = buf_realloc(p->docs, p->capacity, sizeof *p->docs);
		p->numbers = buf_realloc(p->numbers, p->capacity, sizeof *p->numbers);
		p->places = buf_realloc(p->places, p->capacity * columns, sizeof *p->places);
	}
	p->docs[p->count] =
	    (struct search_doc){.key = s->docs[number].key, .version = version, .deleted = values == NULL};
	p->numbers[p->count] = number;
	for (size_t i = 0; i < columns; i++) {
		size_t *place = &p->places[p->count * columns + i];

		*place = NOWHERE;
		if (values == NULL || values[i] == NULL)
			continue;
		*place = p->texts.length;
		buf_append(&p->texts, values[i], strlen(values[i]) + 1);
	}
	p->count++;
	return p->texts.length + p->count * columns * sizeof(char *) < PIECE ? 0 : send_piece(s, e);
}

static int
take_row(void *ctx, size_t key, const char *const *values, int64_t version, struct err *e)
{
	struct sending *s = ctx;

	return add(s, s->left[key], values, version, e);
}

/* Read the rows of what is not done, and send them; then the deletions. Inside a transaction. */
static int
attempt(struct pg *pg, struct sending *s, const struct target *target, size_t count, struct err *e)
{
	size_t parts = key_parts(s), left = 0;
	const char **keys = buf_calloc(count * parts, sizeof *keys);
	int result;

	s->piece.count = 0;
	buf_reset(&s->piece.texts);
	s->engine = false;
	for (size_t i = 0; i < count; i++) {
		if (s->done[i])
			continue;
		memcpy(keys + left * parts, s->docs[i].key, parts * sizeof *keys);
		s->left[left++] = i;
	}
	s->begun = clk_now(clk_system());
	result = rows_by_key(pg, target, keys, left, take_row, s, e);
	if (result == 0)
		result = send_piece(s, e);
	for (size_t i = 0; i < left && result == 0; i++)
		if (!s->done[s->left[i]] && s->docs[s->left[i]].deleted)
			result = add(s, s->left[i], NULL, s->docs[s->left[i]].version, e);
	if (result == 0)
		result = send_piece(s, e);
	free(keys);
	return result;
}

static int
send_values(struct pg *pg, struct sending *s, const struct target *target, size_t count, struct err *e)
{
	if (pg_in_transaction(pg))
		return attempt(pg, s, target, count, e);
	for (int tries = 1;; tries++) {
		int result = pg_begin(pg, e) == 0 ? attempt(pg, s, target, count, e) : -1;

		pg_rollback(pg);
		if (result == 0 || e->code != ERR_AGAIN || !s->engine || tries == ATTEMPTS)
			return result;
		log_notice("%s; going on", e->message);
	}
}

/* The keys of documents, one behind the other; freed by the caller. */
static const char **
list_keys(const struct search_doc *docs, size_t count, size_t parts)
{
	const char **keys = buf_calloc(count * parts, sizeof *keys);

	for (size_t i = 0; i < count; i++)
		memcpy(keys + i * parts, docs[i].key, parts * sizeof *keys);
	return keys;
}

static int
note_standing(void *ctx, size_t key, const char *const *values, int64_t version, struct err *e)
{
	struct refusals *r = ctx;

	(void)values, (void)e;
	r->standing[key] = version == r->docs[key].version;
	return 0;
}

static int
keep_refused(struct pg *pg, struct sending *s, const struct target *target, struct err *e)
{
	struct refusals *r = &s->refusals;
	const char **keys = list_keys(r->docs, r->count, key_parts(s));
	int result;

	r->standing = buf_calloc(r->count, sizeof *r->standing);
	result = rows_by_key(pg, target, keys, r->count, note_standing, r, e);
	for (size_t i = 0; result == 0 && i < r->count; i++)
		if (r->standing[i])
			result = index_reject_keep(
			    pg, target->dataset, r->docs[i].key, key_parts(s), r->docs[i].version, r->reasons[i], e);
	free(keys);
	return result;
}

/* What became of the documents is written down, in a transaction. */
static int
settle(struct pg *pg, struct sending *s, const struct target *target, size_t count, struct err *e)
{
	bool open = pg_in_transaction(pg);
	const char **keys = list_keys(s->docs, count, key_parts(s));
	int result = open ? 0 : pg_begin(pg, e);

	if (result == 0)
		result = index_reject_begin(pg, target->dataset, s->refusals.count > 0, e);
	if (result == 0)
		result = index_reject_forget(pg, target->dataset, keys, count, key_parts(s), e);
	if (result == 0 && s->refusals.count > 0)
		result = keep_refused(pg, s, target, e);
	if (result == 0 && !open)
		result = pg_commit(pg, e);
	if (result != 0 && !open)
		pg_rollback(pg);
	free(keys);
	return result;
}

/* What the index had of a refused document is out of date. */
static int
take_away_refused(struct sending *s, struct err *e)
{
	const struct refusals *r = &s->refusals;

	if (r->count == 0)
		return 0;
	log_notice("%zu rows of %s cannot be searched; the first, of key %s: %s", r->count, s->index.table,
	    r->docs[0].key[0], r->reasons[0]);
	return search_bulk(s->search, &s->index, r->docs, r->count, note_refused, &(struct refusals){0}, e);
}

int
documents_send(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape,
    const struct search_doc *docs, size_t count, uint64_t *refused, struct err *e)
{
	struct sending s = {
	    .search = search,
	    .index = documents_index(d, shape),
	    .docs = docs,
	};
	struct target target = {d->id, d->generation, d->table_schema, d->table_name, shape};
	int result;

	s.done = buf_calloc(count, sizeof *s.done);
	s.left = buf_calloc(count, sizeof *s.left);
	if ((search_capabilities(search) & SEARCH_WANTS_VALUES) != 0)
		result = send_values(pg, &s, &target, count, e);
	else
		result = search_bulk(search, &s.index, docs, count, note_refused, &s.refusals, e);
	if (result == 0)
		result = take_away_refused(&s, e);
	if (result == 0)
		result = settle(pg, &s, &target, count, e);
	*refused = s.refusals.count;
	refusals_fini(&s.refusals);
	free(s.piece.docs);
	free(s.piece.numbers);
	free(s.piece.places);
	buf_fini(&s.piece.texts);
	free(s.left);
	free(s.done);
	return result;
}
