#include "flow/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/handoff.h"
#include "flow/heartbeat.h"
#include "flow/site.h"
#include "flow/stage.h"
#include "ledger/delivery.h"
#include "ledger/job.h"
#include "ledger/ledger.h"

/* How long a worker waits for a message before it looks at what else there is to do: edits must be found within a second. */
#define WAIT_MS 500

/* How often forgotten work is looked for, by one worker of all. */
#define SWEEP_MS 5000

/* After an outage: first and longest pause. */
#define PAUSE_MS 250
#define LONGEST_PAUSE_MS 15000

struct crew {
	const struct stage_plan *plan;
	const struct site *site;
	struct heartbeat *heartbeat;
	enum queue_name from;
	bool once;
};

/* One thread. */
struct hand {
	struct crew *crew;
	void *worker;
	struct queue *queue;
	int64_t idled, swept; /* when */
	int64_t pause;        /* after the next outage */
	struct err err;
	int result;
};

/* What is to become of a message. */
enum outcome { ACKNOWLEDGE, HAND_BACK, OUTAGE };

static int64_t
lock_of(const struct crew *crew, const struct message *m)
{
	return crew->from == QUEUE_SPLIT ? ledger_lock_key(LEDGER_LOCK_SPLIT, m->job, 0)
					 : ledger_lock_key(LEDGER_LOCK_CHUNK, m->job, m->chunk);
}

/* A chunk that has failed is not waited for: what is left to do for its job, as for one without chunks. */
static int
close_job(struct hand *h, int64_t job)
{
	const struct stage_plan *plan = h->crew->plan;
	struct ref ref = {.job = job, .chunk = -1};
	int result = plan->work(h->worker, NULL, &ref, false, &h->err);

	if (result == 0 && plan->hand_on != NULL)
		result = plan->hand_on(h->worker, h->queue, &ref, &h->err);
	return result < 0 ? -1 : 0;
}

/*
 * Work that cannot be done is a dead letter, and no more work. The letter goes
 * first: if this worker dies before the ledger knows, the message comes again.
 */
static enum outcome
bury(struct hand *h, const struct message *m, const char *reason)
{
	struct pg *pg = h->crew->plan->session(h->worker);
	struct message dead = {.job = m->job, .chunk = m->chunk, .stage = buf_strdup(queue_stage(h->crew->from))};
	enum outcome outcome = OUTAGE;
	char *work = refs_text(&(struct ref){.job = m->job, .chunk = m->chunk});

	if (reason != NULL)
		dead.error = buf_strdup(reason);
	else if (delivery_reason(pg, m->job, m->chunk, &dead.error, &h->err) != 0)
		goto done;
	else if (dead.error == NULL)
		dead.error = buf_format("its worker died each of %d times", DELIVERY_MOST);
	if (queue_send(h->queue, QUEUE_DEAD, &dead, 1, &h->err) != 0 ||
	    delivery_fail(pg, m->job, m->chunk, dead.error, &h->err) != 0)
		goto done;
	log_error("%s of %s failed for good: %s; hint: csvp-admin dead retry %s, once the cause is gone", dead.stage,
	    work, dead.error, work);
	if (m->chunk < 0 || close_job(h, m->job) == 0)
		outcome = ACKNOWLEDGE;

done:
	free(work);
	message_fini(&dead);
	return outcome;
}

/* Cancelled or paused meanwhile: the hint has no meaning now (csvp-admin resume gives it again). */
static bool
stopped(struct pg *pg, int64_t id)
{
	struct err ignored;
	struct job job;
	bool result;

	if (pg_lost(pg) || job_load(pg, id, &job, &ignored) != 0)
		return false;
	result = job.cancelled || job.paused;
	job_fini(&job);
	return result;
}

static enum outcome
failed(struct hand *h, const struct message *m, int deliveries)
{
	struct pg *pg = h->crew->plan->session(h->worker);
	struct err e = h->err, ignored;
	bool clean = e.code == ERR_AGAIN || e.code == ERR_UNAVAILABLE || sig_pending();

	/* Still to be done after a signal, too. */
	pg_shield(pg, true);
	if (clean && deliveries > 0 && !pg_lost(pg) && delivery_return(pg, m->job, m->chunk, &ignored) != 0)
		log_detail("%s", ignored.message);
	pg_shield(pg, false);
	if (sig_pending())
		return HAND_BACK;
	if (stopped(pg, m->job))
		return ACKNOWLEDGE;
	if (clean)
		return OUTAGE;
	if (deliveries == 0) {
		/* What a job needs beside its chunks: found again by the sweep, so that it holds up nobody. */
		log_error("%s of %" PRId64 ": %s", queue_stage(h->crew->from), m->job, e.message);
		return ACKNOWLEDGE;
	}
	log_error("%" PRId64 "/%" PRId64 ": %s", m->job, m->chunk, e.message);
	if (deliveries >= DELIVERY_MOST)
		return bury(h, m, e.message);
	return delivery_note(pg, m->job, m->chunk, e.message, &h->err) == 0 ? HAND_BACK : OUTAGE;
}

/* The lock is held. */
static enum outcome
deliver(struct hand *h, const struct message *m)
{
	const struct stage_plan *plan = h->crew->plan;
	struct ref ref = {.job = m->job, .chunk = m->chunk};
	bool counted = h->crew->from == QUEUE_SPLIT || m->chunk >= 0;
	int deliveries = 0, result;

	if (counted)
		deliveries = delivery_count(plan->session(h->worker), m->job, m->chunk,
		    h->crew->from == QUEUE_INDEX ? "loaded" : "pending", &h->err);
	if (deliveries < 0)
		return OUTAGE;
	if (counted && deliveries == 0)
		return ACKNOWLEDGE;
	if (deliveries > DELIVERY_MOST)
		return bury(h, m, NULL);
	result = plan->work(h->worker, NULL, &ref, false, &h->err);
	if (result == 0 && plan->hand_on != NULL)
		result = plan->hand_on(h->worker, h->queue, &ref, &h->err);
	if (result < 0)
		return failed(h, m, deliveries);
	/* Not yet: whoever makes it possible gives the hint again. */
	if (result > 0 && counted && delivery_return(plan->session(h->worker), m->job, m->chunk, &h->err) != 0)
		return OUTAGE;
	return ACKNOWLEDGE;
}

static enum outcome
take(struct hand *h, const struct message *m)
{
	struct pg *pg = h->crew->plan->session(h->worker);
	int64_t key = lock_of(h->crew, m);
	enum outcome outcome;
	struct ref ref = {.job = m->job, .chunk = m->chunk};
	int got;

	if (h->crew->plan->admit != NULL && h->crew->plan->admit(h->worker, &ref, &h->err) != 0)
		return failed(h, m, 0);
	got = pg_try_lock(pg, key, &h->err);
	if (got < 0)
		return OUTAGE;
	if (got == 0)
		return ACKNOWLEDGE;
	outcome = deliver(h, m);
	pg_unlock(pg, key);
	return outcome;
}

static int
open_hand(struct hand *h)
{
	const struct crew *crew = h->crew;

	if (h->worker == NULL)
		h->worker = crew->plan->open(crew->plan->ctx, crew->site, NULL, &h->err);
	if (h->worker != NULL && h->queue == NULL)
		h->queue = site_queue(crew->site, &h->err);
	return h->worker != NULL && h->queue != NULL ? 0 : -1;
}

static void
close_hand(struct hand *h)
{
	if (h->worker != NULL)
		h->crew->plan->close(h->worker);
	queue_close(h->queue);
	h->worker = NULL;
	h->queue = NULL;
}

/* A service is not there: say so once in a while, wait longer each time, and begin with new sessions. */
static void
sit_out(struct hand *h)
{
	if (!sig_pending())
		log_error("%s; trying again in %" PRId64 " ms", h->err.message, h->pause);
	close_hand(h);
	for (int64_t waited = 0; waited < h->pause && !sig_pending(); waited += 50)
		clk_sleep(clk_system(), 50);
	h->pause = h->pause * 2 < LONGEST_PAUSE_MS ? h->pause * 2 : LONGEST_PAUSE_MS;
}

/* What there is to do beside messages, between two of them: edits must not wait for the end of a large job. */
static int
aside(struct hand *h)
{
	int64_t now = clk_now(clk_system());

	if (h->crew->plan->idle == NULL || now - h->idled < WAIT_MS)
		return 0;
	h->idled = now;
	return h->crew->plan->idle(h->worker, &h->err);
}

/* Nothing to do: look for what was forgotten. */
static int
sweep(struct hand *h)
{
	struct pg *pg = h->crew->plan->session(h->worker);
	int64_t now = clk_now(clk_system()), key = ledger_lock_key(LEDGER_LOCK_SWEEP, 0, 0), sent[QUEUE_COUNT];
	int got;

	if (now - h->swept < SWEEP_MS)
		return 0;
	h->swept = now;
	got = pg_try_lock(pg, key, &h->err);
	if (got <= 0)
		return got;
	got = handoff_sweep(pg, h->queue, true, sent, &h->err);
	pg_unlock(pg, key);
	return got;
}

/* One message, or the wait for one. -1: an outage. */
static int
turn(struct hand *h, bool *received)
{
	struct delivery delivery;
	enum outcome outcome;
	int got, result;

	if (open_hand(h) != 0 || (!h->crew->once && aside(h) != 0))
		return -1;
	got = queue_receive(h->queue, h->crew->from, 1, h->crew->once ? 2 * WAIT_MS : WAIT_MS, &delivery, &h->err);
	if (got <= 0)
		return got < 0 ? -1 : h->crew->once ? 0 : sweep(h);
	*received = true;
	heartbeat_add(h->crew->heartbeat, &delivery);
	outcome = take(h, &delivery.message);
	heartbeat_drop(h->crew->heartbeat, &delivery);
	if (outcome == ACKNOWLEDGE) {
		result = queue_acknowledge(h->queue, h->crew->from, &delivery, 1, &h->err);
	} else {
		struct err why = h->err;

		result = queue_hand_back(h->queue, h->crew->from, &delivery, 1, &h->err);
		if (result == 0 && outcome == OUTAGE) {
			h->err = why;
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
		int result = turn(h, &received);

		if (h->crew->once) {
			h->result = result == 0 && received ? 0 : -1;
			if (result == 0 && !received)
				err_set(&h->err, ERR_AGAIN, "no message came");
			break;
		}
		if (result != 0)
			sit_out(h);
	}
	close_hand(h);
	return NULL;
}

int
worker_run(const struct stage_plan *plan, const struct site *site, enum queue_name from, bool once, struct err *e)
{
	struct crew crew = {.plan = plan, .site = site, .from = from, .once = once};
	size_t count = once ? 1 : (size_t)plan->threads;
	pthread_t *threads = buf_calloc(count, sizeof *threads);
	struct hand *hands = buf_calloc(count, sizeof *hands);
	int result = 0;

	crew.heartbeat = heartbeat_start(site, from, e);
	if (crew.heartbeat == NULL) {
		result = -1;
		count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		hands[i].crew = &crew;
		if (pthread_create(&threads[i], NULL, work, &hands[i]) != 0) {
			log_error("cannot start thread %zu", i + 1);
			_exit(ERR_AGAIN);
		}
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (hands[i].result != 0) {
			*e = hands[i].err;
			result = -1;
		}
	}
	heartbeat_stop(crew.heartbeat);
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
