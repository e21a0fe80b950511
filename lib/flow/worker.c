#include "flow/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/sig.h"
#include "db/pg.h"
#include "flow/attempt.h"
#include "flow/finalise.h"
#include "flow/handoff.h"
#include "flow/heartbeat.h"
#include "flow/site.h"
#include "flow/stage.h"
#include "ledger/ledger.h"

/* How long a worker waits for a message before it looks for forgotten work, or with `once` gives up. */
#define WAIT_MS 1000

/* How often what there is to do beside messages is looked for: edits are to be searchable within a second. */
#define ASIDE_MS 250

/* How often forgotten work is looked for, by one worker of all. */
#define SWEEP_MS 5000

/* After an outage: first and longest pause. */
#define PAUSE_MS 250
#define LONGEST_PAUSE_MS 15000

struct crew {
	const struct stage_plan *plan;
	const struct site *site;
	struct heartbeat *heartbeat;
	pthread_rwlock_t together; /* for writing: alone */
	enum queue_name from;
	bool once;
};

/* One thread. */
struct hand {
	struct crew *crew;
	struct attempt at;
	int64_t swept; /* when */
	int64_t pause; /* after the next outage */
	int result;
};

static int
open_hand(struct hand *h)
{
	const struct crew *crew = h->crew;

	if (h->at.worker == NULL)
		h->at.worker = crew->plan->open(crew->plan->ctx, crew->site, NULL, &h->at.err);
	return h->at.worker != NULL ? 0 : -1;
}

static int
open_queue(struct hand *h)
{
	if (h->at.queue == NULL)
		h->at.queue = site_queue(h->crew->site, &h->at.err);
	return h->at.queue != NULL ? 0 : -1;
}

static void
close_hand(struct hand *h)
{
	if (h->at.worker != NULL)
		h->crew->plan->close(h->at.worker);
	queue_close(h->at.queue);
	h->at.worker = NULL;
	h->at.queue = NULL;
}

/* A service is not there: say so once in a while, wait longer each time, and begin with new sessions. */
static void
sit_out(struct hand *h)
{
	close_hand(h);
	if (!sig_pending()) {
		log_error("%s; trying again in %" PRId64 " ms", h->at.err.message, h->pause);
		site_revive(h->crew->site);
	}
	clk_sleep(clk_system(), h->pause);
	h->pause = h->pause * 2 < LONGEST_PAUSE_MS ? h->pause * 2 : LONGEST_PAUSE_MS;
}

/* Nothing to do: look for what was forgotten. */
static int
sweep(struct hand *h)
{
	struct pg *pg = h->crew->plan->session(h->at.worker);
	int64_t now = clk_now(clk_system()), key = ledger_lock_key(LEDGER_LOCK_SWEEP, 0, 0), sent[QUEUE_COUNT];
	int got;

	if (now - h->swept < SWEEP_MS)
		return 0;
	h->swept = now;
	got = pg_try_lock(pg, key, &h->at.err);
	if (got <= 0)
		return got;
	got = finalise_cancelled(pg, &h->at.err) != 0 ? -1 : handoff_sweep(pg, h->at.queue, true, sent, &h->at.err);
	pg_unlock(pg, key);
	return got;
}

/* One message, or the wait for one. -1: an outage. */
static int
turn(struct hand *h, bool *received)
{
	struct delivery delivery;
	enum attempt_outcome outcome;
	int got, result;

	if (open_hand(h) != 0 || open_queue(h) != 0)
		return -1;
	got = queue_receive(h->at.queue, h->crew->from, 1, WAIT_MS, &delivery, &h->at.err);
	if (got <= 0)
		return got < 0 ? -1 : h->crew->once ? 0 : sweep(h);
	*received = true;
	h->at.code = ERR_NONE;
	heartbeat_add(h->crew->heartbeat, &delivery);
	outcome = attempt_take(&h->at, &delivery.message);
	heartbeat_drop(h->crew->heartbeat, &delivery);
	if (outcome == ATTEMPT_ACKNOWLEDGE) {
		result = queue_acknowledge(h->at.queue, h->crew->from, &delivery, 1, &h->at.err);
	} else {
		struct err why = h->at.err;

		result = queue_hand_back(h->at.queue, h->crew->from, &delivery, 1, &h->at.err);
		if (result == 0 && outcome == ATTEMPT_OUTAGE) {
			h->at.err = why;
			result = -1;
		}
	}
	queue_delivery_fini(&delivery);
	if (result == 0)
		h->pause = PAUSE_MS;
	return result;
}

static void *
work(void *ctx)
{
	struct hand *h = ctx;
	bool received = false;

	h->pause = PAUSE_MS;
	while (!sig_pending()) {
		h->result = turn(h, &received);
		if (h->crew->once)
			break;
		if (h->result != 0)
			sit_out(h);
	}
	if (h->crew->once && h->result == 0 && !received)
		h->result = err_set(&h->at.err, ERR_AGAIN, "no message came");
	else if (h->crew->once && h->result == 0 && h->at.code != ERR_NONE) {
		/* It was said when it failed. */
		h->at.err = (struct err){.code = h->at.code};
		h->result = -1;
	}
	close_hand(h);
	return NULL;
}

/* What there is to do beside messages, in a thread of its own: edits must not wait for the end of a large chunk. */
static void *
work_aside(void *ctx)
{
	struct hand *h = ctx;

	h->pause = PAUSE_MS;
	while (!sig_pending()) {
		if (open_hand(h) != 0 || h->crew->plan->idle(h->at.worker, &h->at.err) != 0) {
			sit_out(h);
			continue;
		}
		h->pause = PAUSE_MS;
		clk_sleep(clk_system(), ASIDE_MS);
	}
	close_hand(h);
	return NULL;
}

/* So that who is to work alone gets his turn while there is work for the others. */
static void
init_together(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t kind;

	pthread_rwlockattr_init(&kind);
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &kind);
	pthread_rwlockattr_destroy(&kind);
}

int
worker_run(const struct stage_plan *plan, const struct site *site, enum queue_name from, bool once, struct err *e)
{
	struct crew crew = {.plan = plan, .site = site, .from = from, .once = once};
	size_t workers = once ? 1 : (size_t)plan->threads;
	size_t count = workers + (!once && plan->idle != NULL);
	pthread_t *threads = buf_calloc(count, sizeof *threads);
	struct hand *hands = buf_calloc(count, sizeof *hands);
	int result = 0;

	init_together(&crew.together);
	crew.heartbeat = heartbeat_start(site, from, e);
	if (crew.heartbeat == NULL) {
		result = -1;
		count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		hands[i].crew = &crew;
		hands[i].at = (struct attempt){.plan = plan, .from = from, .together = &crew.together};
		if (pthread_create(&threads[i], NULL, i < workers ? work : work_aside, &hands[i]) != 0) {
			log_error("cannot start thread %zu", i + 1);
			_exit(ERR_AGAIN);
		}
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (hands[i].result != 0) {
			*e = hands[i].at.err;
			result = -1;
		}
	}
	heartbeat_stop(crew.heartbeat);
	pthread_rwlock_destroy(&crew.together);
	free(hands);
	free(threads);
	/* Everything was handed back: the signal is the only thing to tell. */
	if (sig_check(e) != 0) {
		e->message[0] = '\0';
		return -1;
	}
	return result;
}

int
worker_program(struct stage_plan *plan, const struct site *site, enum queue_name from, const struct worker_options *how,
    char *const *operands, size_t count, struct err *e)
{
	plan->enqueue = how->enqueue;
	if (how->once && !how->worker)
		return err_set(e, ERR_USAGE, "--once goes with --worker");
	if (!how->worker)
		return stage_run(plan, site, operands, count, e);
	if (count > 0)
		return err_set(e, ERR_USAGE, "--worker takes no operands: its references come by the queue");
	return worker_run(plan, site, from, how->once, e);
}
