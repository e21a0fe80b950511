#include "ledger/throttle.h"

#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg.h"
#include "ledger/rate.h"

/* Half of the second within which a change must take effect. */
enum { NOTICE_MS = 500 };

/* What a wait may end with, besides 1, 0 and -1. */
enum { GIVEN_UP = 2 };

static const char *const names[THROTTLE_COUNT] = {"load", "index"};

/* Until when (clk_system) this process believes that there is no limit. */
static _Atomic int64_t unlimited_until[THROTTLE_COUNT];

const char *
throttle_name(enum throttle_resource resource)
{
	return names[resource];
}

bool
throttle_find(const char *name, enum throttle_resource *resource)
{
	for (size_t i = 0; i < THROTTLE_COUNT; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*resource = (enum throttle_resource)i;
		return true;
	}
	return false;
}

static int
write_rate(struct pg *pg, enum throttle_resource resource, const struct rate *rate, const char *conflict, struct err *e)
{
	char limit[24];

	snprintf(limit, sizeof limit, "%" PRIu64, rate->limit);
	atomic_store(&unlimited_until[resource], 0);
	return PG_QUERY(
	    pg, NULL, e, conflict, names[resource], rate->limit > 0 ? limit : NULL, rate->bytes ? "true" : "false");
}

#define INSERT "INSERT INTO csvp.throttle (resource, per_second, bytes) VALUES ($1, $2, $3) ON CONFLICT (resource) DO "

int
throttle_init(struct pg *pg, enum throttle_resource resource, const char *rate, struct err *e)
{
	struct rate parsed;

	if (rate == NULL)
		return 0;
	if (rate_parse(rate, &parsed, e) != 0) {
		e->code = ERR_CONFIG;
		return -1;
	}
	return write_rate(pg, resource, &parsed, INSERT "NOTHING", e);
}

int
throttle_set(struct pg *pg, enum throttle_resource resource, const struct rate *rate, struct err *e)
{
	/* What was reserved at the old rate is forgotten: who waits for it sees changed_at and reserves anew. */
	return write_rate(pg, resource, rate,
	    INSERT "UPDATE SET per_second = excluded.per_second, bytes = excluded.bytes,"
		   " free_at = excluded.free_at, changed_at = excluded.changed_at",
	    e);
}

int
throttle_get(struct pg *pg, enum throttle_resource resource, struct rate *rate, struct err *e)
{
	struct pg_rows *rows;

	if (PG_QUERY(
		pg, &rows, e, "SELECT per_second, bytes FROM csvp.throttle WHERE resource = $1", names[resource]) != 0)
		return -1;
	*rate = (struct rate){.limit = 0};
	if (pg_rows_count(rows) > 0)
		*rate = (struct rate){(uint64_t)pg_rows_int(rows, 0, 0), pg_rows_bool(rows, 0, 1)};
	pg_rows_free(rows);
	return 0;
}

/* What one worker still needs, and its reservation. */
struct want {
	double records;
	double bytes;
	double portion; /* of the above, in the reservation */
	int64_t wait;   /* milliseconds until it may be used */
	char changed_at[64];
};

/*
 * Tokens come into being as time passes, so a slice may be used at the moment
 * where it ends. The lock on the row lasts for this statement only, and nobody
 * waits for the disk: what a crash forgets is 100 ms.
 */
#define NEED "CASE WHEN t.bytes THEN $3::float8 ELSE $2::float8 END"
#define SLICE "least(" NEED ", greatest(1, t.per_second * 0.1))"
static const char reserve_sql[] =
    "UPDATE csvp.throttle t"
    " SET free_at = greatest(t.free_at, clock_timestamp() - interval '500 ms') + " SLICE
    " / t.per_second * interval '1 s'"
    " WHERE t.resource = $1 AND t.per_second IS NOT NULL"
    " RETURNING ceil(extract(epoch FROM t.free_at - clock_timestamp()) * 1000)::bigint,"
    " coalesce(" SLICE " / nullif(" NEED ", 0), 1), t.changed_at, set_config('synchronous_commit', 'off', true)";

/* 1 reserved, 0 there is no limit, -1. */
static int
reserve(struct pg *pg, enum throttle_resource resource, struct want *want, struct err *e)
{
	struct pg_rows *rows;
	char records[32], bytes[32];
	int reserved;

	snprintf(records, sizeof records, "%.17g", want->records);
	snprintf(bytes, sizeof bytes, "%.17g", want->bytes);
	if (PG_QUERY(pg, &rows, e, reserve_sql, names[resource], records, bytes) != 0)
		return -1;
	reserved = pg_rows_count(rows) > 0;
	if (reserved) {
		want->wait = pg_rows_int(rows, 0, 0);
		want->portion = strtod(pg_rows_text(rows, 0, 1), NULL);
		snprintf(want->changed_at, sizeof want->changed_at, "%s", pg_rows_text(rows, 0, 2));
	}
	pg_rows_free(rows);
	return reserved;
}

/* Has the rate been set since the reservation? 1, 0, -1. */
static int
changed(struct pg *pg, enum throttle_resource resource, const struct want *want, struct err *e)
{
	struct pg_rows *rows;
	int same;

	if (PG_QUERY(pg, &rows, e, "SELECT 1 FROM csvp.throttle WHERE resource = $1 AND changed_at = $2::timestamptz",
		names[resource], want->changed_at) != 0)
		return -1;
	same = pg_rows_count(rows) > 0;
	pg_rows_free(rows);
	return !same;
}

/* The caller's `tick`, called at most every NOTICE_MS. */
struct ticker {
	int (*tick)(void *ctx, struct err *e);
	void *ctx;
	int64_t last;
};

static int
pause_for(int64_t milliseconds, struct ticker *ticker, struct err *e)
{
	struct pollfd wake = {.fd = sig_fd(), .events = POLLIN};
	int64_t now;

	/* Not a sleep: the signal may come to another thread. */
	poll(&wake, 1, (int)milliseconds);
	if (sig_check(e) != 0)
		return -1;
	now = clk_now(clk_system());
	if (ticker->tick == NULL || now - ticker->last < NOTICE_MS)
		return 0;
	ticker->last = now;
	return ticker->tick(ticker->ctx, e);
}

/* Wait for what is reserved: 1 it may be used, 0 the rate was changed meanwhile, GIVEN_UP, -1. */
static int
wait_for(struct pg *pg, enum throttle_resource resource, const struct want *want, struct ticker *ticker, struct err *e)
{
	int64_t end = clk_now(clk_system()) + want->wait;
	int64_t left = want->wait;
	int status;

	while (left > 0) {
		status = pause_for(left < NOTICE_MS ? left : NOTICE_MS, ticker, e);
		if (status != 0)
			return status < 0 ? -1 : GIVEN_UP;
		left = end - clk_now(clk_system());
		if (left > 0 && (status = changed(pg, resource, want, e)) != 0)
			return status < 0 ? -1 : 0;
	}
	return 1;
}

int
throttle_take(struct pg *pg, enum throttle_resource resource, uint64_t records, uint64_t bytes,
    int (*tick)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	int64_t now = clk_now(clk_system());
	struct ticker ticker = {tick, ctx, now};
	struct want want = {.records = (double)records, .bytes = (double)bytes};

	if (now < atomic_load(&unlimited_until[resource]))
		return 0;
	if (pg_in_transaction(pg))
		return err_set(e, ERR_BUG, "the throttle was asked inside a transaction");
	while (want.records > 0 || want.bytes > 0) {
		int status = reserve(pg, resource, &want, e);

		if (status == 0)
			atomic_store(&unlimited_until[resource], clk_now(clk_system()) + NOTICE_MS);
		if (status <= 0)
			return status;
		status = wait_for(pg, resource, &want, &ticker, e);
		if (status < 0)
			return -1;
		if (status == GIVEN_UP)
			return 0;
		if (status > 0) {
			want.records -= want.records * want.portion;
			want.bytes -= want.bytes * want.portion;
		}
	}
	return 0;
}
