#include "flow/documents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "db/pg.h"
#include "flow/refusals.h"
#include "ledger/dataset.h"
#include "ledger/index_reject.h"
#include "schema/shape.h"
#include "search/search_put.h"
#include "table/rows.h"
#include "table/target.h"

/* How old what was read may get, in milliseconds. */
#define FRESH 60000

/* How often the engine's trouble is met again, each time after the driver and its wrapper have given up. */
#define ATTEMPTS 4

/* How many keys are forgotten by one statement. */
#define FORGET ((size_t)10000)

struct sending {
	struct search *search;
	struct search_index index;
	const struct search_doc *docs; /* NULL: a part of the table, whatever keys it has */
	bool *done;                    /* of docs: sent, or nothing to send */
	size_t *left;                  /* numbers of the docs asked for in this attempt */
	size_t *put;                   /* numbers of those that the engine has still to take */
	size_t put_count;
	struct documents_seen *seen; /* of a part */
	struct buf texts;            /* keys of a part's rows, as in refusals: of all, or of the last one */
	bool all_keys;
	const char **key; /* of the last one */
	struct refusals refusals;
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
settle(struct sending *s, struct err *e)
{
	int result = search_settle(s->search, &s->index, refusals_add, &s->refusals, e);

	s->engine = result != 0;
	for (size_t i = 0; i < s->put_count && result == 0; i++)
		s->done[s->put[i]] = true;
	s->put_count = 0;
	return result;
}

static int
put(struct sending *s, const struct search_doc *doc, struct err *e)
{
	if (clk_now(clk_system()) - s->begun > FRESH) {
		/* What is under way counts, so that even a slow engine gets on. */
		if (settle(s, e) != 0)
			return -1;
		s->engine = true;
		return err_set(e, ERR_AGAIN, "the search engine is too slow for the rows read");
	}
	s->engine = search_put(s->search, &s->index, doc, e) != 0;
	return s->engine ? -1 : 0;
}

/* A document of the caller's; values of its row, or NULL if it is deleted. */
static int
put_number(struct sending *s, size_t number, const char *const *values, int64_t version, struct err *e)
{
	const struct search_doc doc = {
	    .key = s->docs[number].key, .version = version, .deleted = values == NULL, .values = values};

	if (put(s, &doc, e) != 0)
		return -1;
	s->put[s->put_count++] = number;
	return 0;
}

static int
take_row(void *ctx, int64_t place, const char *const *values, int64_t version, struct err *e)
{
	struct sending *s = ctx;

	return put_number(s, s->left[place], values, version, e);
}

/* Read the rows of what is not done, and send them; then the deletions. Inside a transaction. */
static int
attempt(struct pg *pg, struct sending *s, const struct target *target, size_t count, struct err *e)
{
	size_t parts = shape_key_parts(s->index.shape), left = 0;
	const char **keys = buf_calloc(count * parts, sizeof *keys);
	int result;

	s->put_count = 0;
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
		result = settle(s, e);
	for (size_t i = 0; i < left && result == 0; i++)
		if (!s->done[s->left[i]] && s->docs[s->left[i]].deleted)
			result = put_number(s, s->left[i], NULL, s->docs[s->left[i]].version, e);
	if (result == 0)
		result = settle(s, e);
	if (result != 0)
		search_discard(s->search);
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

/* What became of the documents is written down, in a transaction; `keys` of all that were sent. */
static int
write_down(
    struct pg *pg, struct sending *s, const struct target *target, const char *const *keys, size_t count, struct err *e)
{
	size_t parts = shape_key_parts(s->index.shape);
	bool open = pg_in_transaction(pg);
	int result = refusals_delete(&s->refusals, s->search, e);

	if (result == 0 && !open)
		result = pg_begin(pg, e);
	if (result == 0)
		result = index_reject_begin(pg, target->dataset, s->refusals.count > 0, e);
	for (size_t i = 0; result == 0 && i < count; i += FORGET)
		result = index_reject_forget(
		    pg, target->dataset, keys + i * parts, count - i < FORGET ? count - i : FORGET, parts, e);
	if (result == 0)
		result = refusals_keep(&s->refusals, pg, target, e);
	if (result == 0 && !open)
		result = pg_commit(pg, e);
	if (result != 0 && !open)
		pg_rollback(pg);
	return result;
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
	const struct target target = {d->id, d->generation, d->table_schema, d->table_name, shape};
	const char **keys;
	int result;

	s.refusals.index = &s.index;
	s.done = buf_calloc(count, sizeof *s.done);
	s.left = buf_calloc(count, sizeof *s.left);
	s.put = buf_calloc(count, sizeof *s.put);
	if ((search_capabilities(search) & SEARCH_WANTS_VALUES) != 0)
		result = send_values(pg, &s, &target, count, e);
	else
		result = search_bulk(search, &s.index, docs, count, refusals_add, &s.refusals, e);
	if (result == 0) {
		keys = list_keys(docs, count, shape_key_parts(s.index.shape));
		result = write_down(pg, &s, &target, keys, count, e);
		free(keys);
	}
	*refused = s.refusals.count;
	refusals_fini(&s.refusals);
	free(s.put);
	free(s.left);
	free(s.done);
	return result;
}

/* The key of a row: of each column's value, or the `_id`. */
static void
write_key(struct sending *s, int64_t id, const char *const *values)
{
	const struct shape *shape = s->index.shape;
	size_t at;

	if (!s->all_keys)
		buf_reset(&s->texts);
	at = s->texts.length;
	if (shape->key_count == 0) {
		buf_printf(&s->texts, "%" PRId64, id);
		buf_byte(&s->texts, '\0');
	}
	for (size_t i = 0; i < shape->key_count; i++) {
		const char *value = values[shape->key[i]];

		type_canonical(shape->columns[shape->key[i]].type, &s->texts, value, strlen(value));
		buf_byte(&s->texts, '\0');
	}
	buf_texts(s->texts.bytes + at, s->key, shape_key_parts(s->index.shape));
}

static int
take_part(void *ctx, int64_t id, const char *const *values, int64_t version, struct err *e)
{
	struct sending *s = ctx;
	struct documents_seen *seen = s->seen;

	/* Not ours, or with a key that somebody has made NULL: left to who asks for it by its key. */
	for (size_t i = 0; i < s->index.shape->key_count; i++)
		if (values[s->index.shape->key[i]] == NULL)
			return 0;
	write_key(s, id, values);
	if (put(s, &(struct search_doc){.key = s->key, .version = version, .values = values}, e) != 0)
		return -1;
	if (seen->count == seen->capacity) {
		seen->capacity = seen->capacity > 0 ? 2 * seen->capacity : 1024;
		seen->versions = buf_realloc(seen->versions, seen->capacity, sizeof *seen->versions);
	}
	seen->versions[seen->count++] = version;
	return 0;
}

/* Has the dataset index rejects of rows that were others when the part was loaded? 1, 0, -1. */
static int
has_rejects(struct pg *pg, int64_t dataset, struct err *e)
{
	int64_t count = -1;

	if (pg_begin(pg, e) == 0 && index_reject_begin(pg, dataset, false, e) == 0)
		count = index_reject_count(pg, dataset, e);
	pg_rollback(pg);
	return count < 0 ? -1 : count > 0;
}

static int
send_part(struct pg *pg, struct sending *s, const struct target *target, const struct rows_part *part, struct err *e)
{
	int result;

	s->begun = clk_now(clk_system());
	result = pg_begin(pg, e) == 0 ? rows_of_part(pg, target, part, take_part, s, e) : -1;
	if (result == 0)
		result = settle(s, e);
	if (result != 0)
		search_discard(s->search);
	pg_rollback(pg);
	return result;
}

static int
write_down_part(struct pg *pg, struct sending *s, const struct target *target, struct err *e)
{
	size_t parts = shape_key_parts(s->index.shape), count = s->all_keys ? s->seen->count : 0;
	const char **keys;
	int result;

	if (count == 0 && s->refusals.count == 0)
		return 0;
	keys = buf_calloc(count * parts, sizeof *keys);
	buf_texts(s->texts.bytes, keys, count * parts);
	result = write_down(pg, s, target, keys, count, e);
	free(keys);
	return result;
}

int
documents_send_part(struct pg *pg, struct search *search, const struct dataset *d, const struct shape *shape,
    const struct rows_part *part, struct documents_seen *seen, uint64_t *refused, struct err *e)
{
	struct sending s = {.search = search, .index = documents_index(d, shape), .seen = seen};
	const struct target target = {d->id, d->generation, d->table_schema, d->table_name, shape};
	int result = has_rejects(pg, d->id, e);

	*refused = 0;
	seen->count = 0;
	if (result < 0)
		return -1;
	s.refusals.index = &s.index;
	s.all_keys = result > 0;
	s.key = buf_calloc(shape_key_parts(s.index.shape), sizeof *s.key);
	result = send_part(pg, &s, &target, part, e);
	if (result == 0) {
		result = write_down_part(pg, &s, &target, e);
		*refused = s.refusals.count;
	} else if (e->code == ERR_AGAIN && s.engine) {
		log_notice("%s; going on", e->message);
		*e = (struct err){0};
		seen->count = 0;
		result = 0;
	}
	refusals_fini(&s.refusals);
	free(s.key);
	buf_fini(&s.texts);
	return result;
}
