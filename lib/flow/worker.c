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

/* How long a worker waits for a message before it looks for forgotten work, or with `once` gives up. */
#define WAIT_MS 1000

/* How often what there is to do beside messages is looked for: edits are to be searchable within a second. */
#define ASIDE_MS 250

/* How often forgotten work is looked for, by one worker of all. */
#define SWEEP_MS 5000

/* After an outage: first and longest pause. */
#define PAUSE_MS 250
#define LONGEST_PAUSE_MS 15000

/*
 * What was delivered more often than this has perhaps killed its worker: it is
 * worked on alone, so that it cannot take others with it, which would be
 * counted and in the end convicted like it.
 */
#define TRUSTED 2

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
	void *worker;
	struct queue *queue;
	int64_t swept;      /* when */
	int64_t pause;      /* after the next outage */
	enum err_code code; /* what the last message's work ended with */
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

/* What is done stays done and is told, whatever signal comes. */
static int
hand_on(struct hand *h, const struct ref *ref)
{
	const struct stage_plan *plan = h->crew->plan;
	struct pg *pg = plan->session(h->worker);
	int result;

	if (plan->hand_on == NULL)
		return 0;
	pg_shield(pg, true);
	result = plan->hand_on(h->worker, h->queue, ref, &h->err);
	pg_shield(pg, false);
	return result;
}

/* A chunk that has failed is not waited for: what is left to do for its job, as for one without chunks. */
static int
close_job(struct hand *h, int64_t job)
{
	const struct stage_plan *plan = h->crew->plan;
	struct ref ref = {.job = job, .chunk = -1};
	int result = plan->work(h->worker, NULL, &ref, false, &h->err);

	return result < 0 || (result == 0 && hand_on(h, &ref) != 0) ? -1 : 0;
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

/* Cancelled, paused or dropped meanwhile: the hint has no meaning now (csvp-admin resume gives it again). */
static bool
stopped(struct pg *pg, int64_t id)
{
	struct err e = {0};
	struct job job;
	bool result;

	if (pg_lost(pg))
		return false;
	if (job_load(pg, id, &job, &e) != 0)
		return e.code == ERR_NOINPUT;
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
	/* Not the records' doing, as a full disk: counted, since it may be this work's alone, but not tried at once. */
	bool trouble = e.code == ERR_IO || e.code == ERR_PERMISSION || e.code == ERR_CONFIG;

	h->code = e.code;
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
		/* What is not counted would come for ever; if it is work, the sweep finds it. */
		log_error("%s of %" PRId64 ": %s", queue_stage(h->crew->from), m->job, e.message);
		return ACKNOWLEDGE;
	}
	log_error("%" PRId64 "/%" PRId64 ": %s", m->job, m->chunk, e.message);
	if (deliveries >= DELIVERY_MOST)
		return bury(h, m, e.message);
	if (delivery_note(pg, m->job, m->chunk, e.message, &h->err) != 0)
		return OUTAGE;
	h->err = e;
	return trouble ? OUTAGE : HAND_BACK;
}

/* Done already: by another, or by one who died before what follows from it was done and told. */
static enum outcome
deliver_done(struct hand *h, const struct message *m, const struct ref *ref)
{
	const struct stage_plan *plan = h->crew->plan;
	int done = plan->hand_on != NULL ? delivery_done(plan->session(h->worker), m->job, m->chunk, &h->err) : 0;

	if (done == 0)
		return ACKNOWLEDGE;
	if (done < 0 || plan->work(h->worker, NULL, ref, false, &h->err) < 0 || hand_on(h, ref) != 0)
		return failed(h, m, 0);
	return ACKNOWLEDGE;
}

/* Count the delivery; what has been delivered often waits until it is alone, uncounted. Unlocked by the caller. */
static int
count_delivery(struct hand *h, const struct message *m)
{
	struct crew *crew = h->crew;
	struct pg *pg = crew->plan->session(h->worker);
	const char *state = crew->from == QUEUE_INDEX ? "loaded" : "pending";
	int deliveries;

	pthread_rwlock_rdlock(&crew->together);
	deliveries = delivery_count(pg, m->job, m->chunk, state, &h->err);
	if (deliveries <= TRUSTED || deliveries > DELIVERY_MOST)
		return deliveries;
	if (delivery_return(pg, m->job, m->chunk, &h->err) != 0)
		return -1;
	pthread_rwlock_unlock(&crew->together);
	pthread_rwlock_wrlock(&crew->together);
	return sig_check(&h->err) != 0 ? -1 : delivery_count(pg, m->job, m->chunk, state, &h->err);
}

/* Its delivery is counted, if it is one that counts (else 0). */
static enum outcome
work_on(struct hand *h, const struct message *m, const struct ref *ref, int deliveries)
{
	const struct stage_plan *plan = h->crew->plan;
	int result = plan->work(h->worker, NULL, ref, false, &h->err);

	if (result == 0)
		result = hand_on(h, ref);
	if (result < 0)
		return failed(h, m, deliveries);
	/* Not yet: whoever makes it possible gives the hint again. */
	if (result > 0 && deliveries > 0 && delivery_return(plan->session(h->worker), m->job, m->chunk, &h->err) != 0)
		return OUTAGE;
	return ACKNOWLEDGE;
}

/* The lock is held. */
static enum outcome
deliver(struct hand *h, const struct message *m)
{
	struct ref ref = {.job = m->job, .chunk = m->chunk};
	enum outcome outcome;
	int deliveries;

	if (h->crew->from != QUEUE_SPLIT && m->chunk < 0)
		return work_on(h, m, &ref, 0);
	deliveries = count_delivery(h, m);
	if (deliveries < 0)
		outcome = failed(h, m, 0);
	else if (deliveries == 0)
		outcome = deliver_done(h, m, &ref);
	else if (deliveries > DELIVERY_MOST)
		outcome = bury(h, m, NULL);
	else
		outcome = work_on(h, m, &ref, deliveries);
	pthread_rwlock_unlock(&h->crew->together);
	return outcome;
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
	return h->worker != NULL ? 0 : -1;
}

static int
open_queue(struct hand *h)
{
	if (h->queue == NULL)
		h->queue = site_queue(h->crew->site, &h->err);
	return h->queue != NULL ? 0 : -1;
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
	clk_sleep(clk_system(), h->pause);
	h->pause = h->pause * 2 < LONGEST_PAUSE_MS ? h->pause * 2 : LONGEST_PAUSE_MS;
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

	if (open_hand(h) != 0 || open_queue(h) != 0)
		return -1;
	got = queue_receive(h->queue, h->crew->from, 1, WAIT_MS, &delivery, &h->err);
	if (got <= 0)
		return got < 0 ? -1 : h->crew->once ? 0 : sweep(h);
	*received = true;
	h->code = ERR_NONE;
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
		h->result = turn(h, &received);
		if (h->crew->once)
			break;
		if (h->result != 0)
			sit_out(h);
	}
	if (h->crew->once && h->result == 0 && !received)
		h->result = err_set(&h->err, ERR_AGAIN, "no message came");
	else if (h->crew->once && h->result == 0 && h->code != ERR_NONE) {
		/* It was said when it failed. */
		h->err = (struct err){.code = h->code};
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
		if (open_hand(h) != 0 || h->crew->plan->idle(h->worker, &h->err) != 0) {
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
		if (pthread_create(&threads[i], NULL, i < workers ? work : work_aside, &hands[i]) != 0) {
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
