#include "flow/documents.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "db/pg.h"
#include "ledger/dataset.h"
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

struct sending {
	struct search *search;
	struct search_index index;
	const struct search_doc *docs;
	bool *done; /* of docs: sent, or nothing to send */
	search_refused *refused;
	void *ctx;
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
	result = search_bulk(s->search, &s->index, p->docs, p->count, s->refused, s->ctx, e);
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
	size_t parts = s->index.shape->key_count > 0 ? s->index.shape->key_count : 1, left = 0;
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

int
documents_send(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape,
    const struct search_doc *docs, size_t count, search_refused *refused, void *ctx, struct err *e)
{
	struct sending s = {
	    .search = search,
	    .index = documents_index(d, shape),
	    .docs = docs,
	    .refused = refused,
	    .ctx = ctx,
	};
	struct target target = {d->id, d->generation, d->table_schema, d->table_name, shape};
	int result;

	if ((search_capabilities(search) & SEARCH_WANTS_VALUES) == 0)
		return search_bulk(search, &s.index, docs, count, refused, ctx, e);
	s.done = buf_calloc(count, sizeof *s.done);
	s.left = buf_calloc(count, sizeof *s.left);
	result = send_values(pg, &s, &target, count, e);
	free(s.piece.docs);
	free(s.piece.numbers);
	free(s.piece.places);
	buf_fini(&s.piece.texts);
	free(s.left);
	free(s.done);
	return result;
}
