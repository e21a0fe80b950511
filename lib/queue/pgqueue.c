#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"
#include "db/pg_notify.h"
#include "net/url.h"
#include "queue/queue_driver.h"

/*
 * The queue inside the database: table csvp.message, one row a message, unique
 * by queue and reference. visible_at is the hour from which it may be given
 * out; in flight it lies in the future. A receipt is "REFERENCE#UUID", so that
 * the row is found by its key; the uuid is the delivery's.
 *
 * A hint that is sent while its like is in flight must not be lost: whoever
 * works on that one may already have looked and found nothing to do. So it is
 * kept in that row (`again`), and comes out when the delivery before it ends.
 */

enum {
	SEND_BATCH = 500,
	PAGE = 500, /* messages of a visit in memory at once */
	/* Nobody notifies when a visibility runs out: it is looked for so often. One index probe. */
	LOOK_MS = 1000
};

struct pgqueue {
	char *conninfo;
	char visibility[24]; /* milliseconds */
	struct pg *pg;       /* NULL before the first call and after a lost connection */
};

/*
 * That a message was received, extended or acknowledged need not survive a
 * crash of the server: it comes again, and its work is found done. So only a
 * send waits for the disk.
 */
static int
connect_once(struct pgqueue *self, struct err *e)
{
	/* A handle may have been at rest while the server was started anew. */
	if (self->pg != NULL && pg_rested(self->pg))
		return 0;
	pg_close(self->pg);
	self->pg = pg_open(self->conninfo, e);
	if (self->pg == NULL)
		return -1;
	if (pg_exec(self->pg, "SET synchronous_commit = off", e) == 0)
		return 0;
	pg_close(self->pg);
	self->pg = NULL;
	return -1;
}

/* After a failed call: no transaction stays open, a lost connection goes. Returns -1. */
static int
failed(struct pgqueue *self)
{
	if (self->pg == NULL)
		return -1;
	pg_rollback(self->pg);
	if (pg_lost(self->pg)) {
		pg_close(self->pg);
		self->pg = NULL;
	}
	return -1;
}

static int
pgqueue_check(const struct queue_options *options, const struct url *url, struct err *e)
{
	(void)options;
	if (strcmp(url->scheme, "pg") != 0 || url->host != NULL || url->path[0] != '\0' || url->query != NULL)
		return err_set(e, ERR_CONFIG, "nothing stands behind 'pg:'; hint: the database is CSVP_DATABASE_URL");
	return 0;
}

static void *
pgqueue_open(const struct queue_options *options, const struct url *url, struct err *e)
{
	struct pgqueue *self = buf_calloc(1, sizeof *self);

	(void)url;
	self->conninfo = buf_strdup(options->conninfo);
	snprintf(self->visibility, sizeof self->visibility, "%" PRId64, options->visibility);
	if (connect_once(self, e) == 0)
		return self;
	free(self->conninfo);
	free(self);
	return NULL;
}

static void
pgqueue_close(void *ctx)
{
	struct pgqueue *self = ctx;

	pg_close(self->pg);
	free(self->conninfo);
	free(self);
}

/* One text of each item as a JSON array, the only array whose quoting both sides have at hand. */
static char *
text_array(const struct queue_item *items, size_t count, size_t member)
{
	const char **texts = buf_calloc(count, sizeof *texts);
	cJSON *array;
	char *json, *copy;

	for (size_t i = 0; i < count; i++)
		memcpy(&texts[i], (const char *)&items[i] + member, sizeof texts[i]);
	array = cJSON_CreateStringArray(texts, (int)count);
	json = array != NULL ? cJSON_PrintUnformatted(array) : NULL;
	copy = buf_strdup(json != NULL ? json : "[]");
	cJSON_free(json);
	cJSON_Delete(array);
	free(texts);
	return copy;
}

/* A statement that a signal does not stop; the time limit of pg_shield is what bounds it. */
static int
ask(struct pgqueue *self, struct pg_rows **rows, struct err *e, const char *sql, size_t count,
    const char *const *params)
{
	int status;

	if (connect_once(self, e) != 0)
		return -1;
	pg_shield(self->pg, true);
	status = pg_query(self->pg, rows, e, sql, count, params);
	pg_shield(self->pg, false);
	return status == 0 ? 0 : failed(self);
}

/* Grouped, because an upsert must not touch a row twice; in order, so that two senders do not lock each other out. */
static const char send_sql[] =
    "WITH durable AS (SELECT set_config('synchronous_commit', 'on', true)), put AS ("
    " INSERT INTO csvp.message AS m (queue, reference, body)"
    " SELECT $1, reference, max(body)"
    " FROM ROWS FROM (json_array_elements_text($2), json_array_elements_text($3)) AS s (reference, body)"
    " GROUP BY reference ORDER BY reference COLLATE \"C\""
    " ON CONFLICT (queue, reference) DO UPDATE"
    " SET body = excluded.body, sent_at = excluded.sent_at, again = m.receipt IS NOT NULL"
    " RETURNING 1)"
    " SELECT pg_notify('csvp_message', $1) FROM put, durable LIMIT 1";

static int
pgqueue_send(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	struct pgqueue *self = ctx;
	char *references = text_array(items, count, offsetof(struct queue_item, reference));
	char *bodies = text_array(items, count, offsetof(struct queue_item, body));
	const char *const params[] = {queue, references, bodies};
	int status = ask(self, NULL, e, send_sql, 3, params);

	for (size_t i = 0; i < count; i++)
		items[i].done = status == 0;
	free(references);
	free(bodies);
	return status;
}

/* SKIP LOCKED: who comes at the same moment takes the next ones. */
static const char take_sql[] =
    "WITH next AS ("
    " SELECT queue, reference FROM csvp.message"
    " WHERE queue = $1 AND visible_at <= statement_timestamp()"
    " ORDER BY visible_at LIMIT $2 FOR UPDATE SKIP LOCKED)"
    " UPDATE csvp.message m"
    " SET visible_at = clock_timestamp() + $3 * interval '1 ms', receipt = gen_random_uuid(),"
    " received = m.received + 1, again = false"
    " FROM next n WHERE m.queue = n.queue AND m.reference = n.reference"
    " RETURNING m.reference || '#' || m.receipt, m.body, m.received";

static int
take(struct pgqueue *self, const char *queue, size_t most, struct queue_item *items, struct err *e)
{
	struct pg_rows *rows;
	char limit[24];
	int count;

	snprintf(limit, sizeof limit, "%zu", most);
	if (connect_once(self, e) != 0 || PG_QUERY(self->pg, &rows, e, take_sql, queue, limit, self->visibility) != 0)
		return failed(self);
	count = (int)pg_rows_count(rows);
	for (int i = 0; i < count; i++)
		items[i] = (struct queue_item){.receipt = buf_strdup(pg_rows_text(rows, (size_t)i, 0)),
		    .body = buf_strdup(pg_rows_text(rows, (size_t)i, 1)),
		    .received = (unsigned)pg_rows_int(rows, (size_t)i, 2)};
	pg_rows_free(rows);
	return count;
}

/* LISTEN is on before the first look, so that nothing sent after that look is slept through. */
static int
take_waiting(struct pgqueue *self, const char *queue, size_t most, int64_t end, struct queue_item *items, struct err *e)
{
	int count;

	if (pg_exec(self->pg, "LISTEN csvp_message", e) != 0)
		return failed(self);
	while ((count = take(self, queue, most, items, e)) == 0) {
		int64_t left = end - clk_now(clk_system());

		if (left <= 0)
			return 0;
		if (pg_notify_wait(self->pg, queue, left < LOOK_MS ? left : LOOK_MS, e) < 0)
			return failed(self);
	}
	return count;
}

static int
pgqueue_receive(void *ctx, const char *queue, size_t most, int64_t wait, struct queue_item *items, struct err *e)
{
	struct pgqueue *self = ctx;
	int64_t end = clk_now(clk_system()) + wait;
	struct err unlisten;
	int count = take(self, queue, most, items, e);

	if (count != 0 || wait == 0)
		return count;
	count = take_waiting(self, queue, most, end, items, e);
	/* Else notifications would pile up for a worker that is busy. */
	if (self->pg != NULL && ask(self, NULL, &unlisten, "UNLISTEN csvp_message", 0, NULL) != 0)
		log_detail("queue: %s", unlisten.message);
	return count;
}

/* The rows that the receipts of $2 still stand for, locked in order. */
#define HELD                                                                                                           \
	"WITH held AS ("                                                                                               \
	" SELECT m.queue, m.reference, m.again, r.receipt FROM json_array_elements_text($2) AS r (receipt)"            \
	" JOIN csvp.message m ON m.queue = $1 AND m.reference = split_part(r.receipt, '#', 1)"                         \
	" AND m.receipt::text = split_part(r.receipt, '#', 2)"                                                         \
	" ORDER BY m.reference FOR UPDATE OF m)"

static const char extend_sql[] = HELD " UPDATE csvp.message m SET visible_at = clock_timestamp() + $3 * interval '1 ms'"
				      " FROM held h WHERE m.queue = h.queue AND m.reference = h.reference"
				      " RETURNING h.receipt";

static const char hand_back_sql[] =
    HELD ", back AS ("
	 " UPDATE csvp.message m SET visible_at = clock_timestamp(), receipt = NULL, again = false"
	 " FROM held h WHERE m.queue = h.queue AND m.reference = h.reference RETURNING 1)"
	 " SELECT pg_notify('csvp_message', $1) FROM back LIMIT 1";

static const char acknowledge_sql[] =
    HELD ", gone AS ("
	 " DELETE FROM csvp.message m USING held h"
	 " WHERE m.queue = h.queue AND m.reference = h.reference AND NOT h.again)"
	 ", back AS ("
	 " UPDATE csvp.message m SET visible_at = clock_timestamp(), receipt = NULL, again = false, received = 0"
	 " FROM held h WHERE m.queue = h.queue AND m.reference = h.reference AND h.again RETURNING 1)"
	 " SELECT pg_notify('csvp_message', $1) FROM back LIMIT 1";

/* Run a statement on the receipts of all items. */
static int
on_receipts(struct pgqueue *self, const char *sql, const char *queue, const char *more, struct queue_item *items,
    size_t count, struct pg_rows **rows, struct err *e)
{
	char *receipts = text_array(items, count, offsetof(struct queue_item, receipt));
	const char *const params[] = {queue, receipts, more};
	int status = ask(self, rows, e, sql, more != NULL ? 3 : 2, params);

	for (size_t i = 0; i < count; i++)
		items[i].done = status == 0;
	free(receipts);
	return status;
}

static int
pgqueue_extend(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	struct pgqueue *self = ctx;
	struct pg_rows *rows;

	if (on_receipts(self, extend_sql, queue, self->visibility, items, count, &rows, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		items[i].lost = true;
		for (size_t row = 0; row < pg_rows_count(rows); row++)
			if (strcmp(pg_rows_text(rows, row, 0), items[i].receipt) == 0)
				items[i].lost = false;
	}
	pg_rows_free(rows);
	return 0;
}

static int
pgqueue_hand_back(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	return on_receipts(ctx, hand_back_sql, queue, NULL, items, count, NULL, e);
}

static int
pgqueue_acknowledge(void *ctx, const char *queue, struct queue_item *items, size_t count, struct err *e)
{
	return on_receipts(ctx, acknowledge_sql, queue, NULL, items, count, NULL, e);
}

static int
pgqueue_depth(void *ctx, const char *queue, struct queue_depth *depth, struct err *e)
{
	struct pgqueue *self = ctx;
	struct pg_rows *rows;

	if (connect_once(self, e) != 0 || PG_QUERY(self->pg, &rows, e,
					      "SELECT count(*) FILTER (WHERE visible_at <= statement_timestamp()),"
					      " count(*) FILTER (WHERE visible_at > statement_timestamp()),"
					      " (extract(epoch FROM statement_timestamp() - min(visible_at)) * "
					      "1000)::bigint FROM csvp.message WHERE queue = $1",
					      queue) != 0)
		return failed(self);
	depth->visible = (uint64_t)pg_rows_int(rows, 0, 0);
	depth->in_flight = (uint64_t)pg_rows_int(rows, 0, 1);
	if (depth->visible > 0)
		depth->oldest = pg_rows_int(rows, 0, 2);
	pg_rows_free(rows);
	return 0;
}

/* A page of the visible messages that were there when the visit began ($4), after the last one seen. */
static const char page_sql[] =
    "SELECT sent_at, reference, body, statement_timestamp() FROM csvp.message"
    " WHERE queue = $1 AND visible_at <= statement_timestamp()"
    " AND (sent_at, reference) > ($2::timestamptz, $3 COLLATE \"C\") AND sent_at <= $4::timestamptz"
    " ORDER BY sent_at, reference LIMIT $5";

/* Only the message that was looked at: the same one sent anew has another sent_at. */
static const char remove_sql[] =
    "DELETE FROM csvp.message WHERE queue = $1 AND reference = $2 AND sent_at = $3::timestamptz";

struct place {
	char sent_at[64];
	char reference[48];
	char until[64];
};

/* One page: how many were on it, -1. The place is then behind it. */
static int
visit_page(struct pgqueue *self, const char *queue, struct place *place,
    int (*each)(void *ctx, const char *body, struct err *e), void *ctx, struct err *e)
{
	struct pg_rows *rows = NULL;
	char limit[24];
	int count = -1;

	snprintf(limit, sizeof limit, "%d", PAGE);
	if (connect_once(self, e) != 0 ||
	    PG_QUERY(self->pg, &rows, e, page_sql, queue, place->sent_at, place->reference, place->until, limit) != 0)
		return failed(self);
	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		int verdict = each(ctx, pg_rows_text(rows, i, 2), e);

		snprintf(place->sent_at, sizeof place->sent_at, "%s", pg_rows_text(rows, i, 0));
		snprintf(place->reference, sizeof place->reference, "%s", pg_rows_text(rows, i, 1));
		if (i == 0 && strcmp(place->until, "infinity") == 0)
			snprintf(place->until, sizeof place->until, "%s", pg_rows_text(rows, i, 3));
		if (verdict < 0)
			goto done;
		if (verdict > 0 && (connect_once(self, e) != 0 || PG_QUERY(self->pg, NULL, e, remove_sql, queue,
								      place->reference, place->sent_at) != 0)) {
			failed(self);
			goto done;
		}
	}
	count = (int)pg_rows_count(rows);

done:
	pg_rows_free(rows);
	return count;
}

static int
pgqueue_visit(void *ctx, const char *queue, int (*each)(void *ctx, const char *body, struct err *e), void *each_ctx,
    struct err *e)
{
	struct place place = {.sent_at = "-infinity", .until = "infinity"};
	int count;

	do
		count = visit_page(ctx, queue, &place, each, each_ctx, e);
	while (count == PAGE);
	return count < 0 ? -1 : 0;
}

static int
pgqueue_purge(void *ctx, const char *queue, struct err *e)
{
	struct pgqueue *self = ctx;

	if (connect_once(self, e) != 0 ||
	    PG_QUERY(self->pg, NULL, e, "DELETE FROM csvp.message WHERE queue = $1", queue) != 0)
		return failed(self);
	return 0;
}

const struct queue_driver *
pgqueue_driver(void)
{
	static const struct queue_driver driver = {
	    .scheme = "pg",
	    .capabilities = QUEUE_UNIQUE | QUEUE_EXACT,
	    .batch = SEND_BATCH,
	    .longest_wait = INT32_MAX,
	    .check = pgqueue_check,
	    .open = pgqueue_open,
	    .close = pgqueue_close,
	    .send = pgqueue_send,
	    .extend = pgqueue_extend,
	    .hand_back = pgqueue_hand_back,
	    .acknowledge = pgqueue_acknowledge,
	    .receive = pgqueue_receive,
	    .depth = pgqueue_depth,
	    .visit = pgqueue_visit,
	    .purge = pgqueue_purge,
	};

	return &driver;
}
