#include "flow/attempt.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/stage.h"
#include "ledger/delivery.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "queue/message.h"

/*
 * What was delivered more often than this has perhaps killed its worker: it is
 * worked on alone, so that it cannot take others with it, which would be
 * counted and in the end convicted like it.
 */
#define TRUSTED 2

/* A cancel or pause tells a session to stop until it lets go: what is to be done first is tried this often. */
#define TRIES 20

static int64_t
lock_of(const struct attempt *a, const struct message *m)
{
	return a->from == QUEUE_SPLIT ? ledger_lock_key(LEDGER_LOCK_SPLIT, m->job, 0)
				      : ledger_lock_key(LEDGER_LOCK_CHUNK, m->job, m->chunk);
}

/* What is done stays done and is told, whatever signal comes. */
static int
hand_on(struct attempt *a, const struct ref *ref)
{
	const struct stage_plan *plan = a->plan;
	struct pg *pg = plan->session(a->worker);
	int result;

	if (plan->hand_on == NULL)
		return 0;
	pg_shield(pg, true);
	result = plan->hand_on(a->worker, a->queue, ref, &a->err);
	pg_shield(pg, false);
	return result;
}

/* A chunk that has failed is not waited for: what is left to do for its job, as for one without chunks. */
static int
close_job(struct attempt *a, int64_t job)
{
	const struct stage_plan *plan = a->plan;
	struct ref ref = {.job = job, .chunk = -1};
	int result = plan->work(a->worker, NULL, &ref, false, &a->err);

	return result < 0 || (result == 0 && hand_on(a, &ref) != 0) ? -1 : 0;
}

/*
 * Work that cannot be done is a dead letter, and no more work. The letter goes
 * first: if this worker dies before the ledger knows, the message comes again.
 */
static enum attempt_outcome
bury(struct attempt *a, const struct message *m, const char *reason)
{
	struct pg *pg = a->plan->session(a->worker);
	struct message dead = {.job = m->job, .chunk = m->chunk, .stage = buf_strdup(queue_stage(a->from))};
	enum attempt_outcome outcome = ATTEMPT_OUTAGE;
	char *work = refs_text(&(struct ref){.job = m->job, .chunk = m->chunk});

	if (reason != NULL)
		dead.error = buf_strdup(reason);
	else if (delivery_reason(pg, m->job, m->chunk, &dead.error, &a->err) != 0)
		goto done;
	else if (dead.error == NULL)
		dead.error = buf_format("its worker died each of %d times", DELIVERY_MOST);
	if (queue_send(a->queue, QUEUE_DEAD, &dead, 1, &a->err) != 0 ||
	    delivery_fail(pg, m->job, m->chunk, dead.error, &a->err) != 0)
		goto done;
	log_error("%s of %s failed for good: %s; hint: csvp-admin dead retry %s, once the cause is gone", dead.stage,
	    work, dead.error, work);
	if (m->chunk < 0 || close_job(a, m->job) == 0)
		outcome = ATTEMPT_ACKNOWLEDGE;

done:
	free(work);
	message_fini(&dead);
	return outcome;
}

/* Was that statement cancelled, and not by a signal? */
static bool
interrupted(struct pg *pg)
{
	return !pg_lost(pg) && strcmp(pg_sqlstate(pg), "57014") == 0;
}

static void
take_back(struct pg *pg, const struct message *m)
{
	struct err e;
	int result, tries = 0;

	do {
		result = delivery_return(pg, m->job, m->chunk, &e);
	} while (result != 0 && interrupted(pg) && ++tries < TRIES);
	if (result != 0)
		log_detail("%s", e.message);
}

/*
 * Cancelled, paused, over its limit of rejects or dropped meanwhile: the hint
 * has no meaning now (csvp-admin resume gives it again, the sweep after
 * another limit). What is loaded is indexed all the same, unless it is paused.
 */
static bool
stopped(struct attempt *a, int64_t id)
{
	struct pg *pg = a->plan->session(a->worker);
	struct err e = {0};
	struct job job;
	bool result;
	int loaded, tries = 0;

	if (pg_lost(pg))
		return false;
	do {
		loaded = job_load(pg, id, &job, &e);
	} while (loaded != 0 && interrupted(pg) && ++tries < TRIES);
	if (loaded != 0)
		return e.code == ERR_NOINPUT;
	result = job.paused ||
		 (a->from != QUEUE_INDEX && (job.cancelled || (job.fail_fast && job_given_up(pg, id, &e) == 1)));
	job_fini(&job);
	return result;
}

static enum attempt_outcome
failed(struct attempt *a, const struct message *m, int deliveries)
{
	struct pg *pg = a->plan->session(a->worker);
	struct err e = a->err;
	bool clean = e.code == ERR_AGAIN || e.code == ERR_UNAVAILABLE || sig_pending(), no_meaning;
	/* Not the records' doing, as a full disk: counted, since it may be this work's alone, but not tried at once. */
	bool trouble = e.code == ERR_IO || e.code == ERR_PERMISSION || e.code == ERR_CONFIG;

	a->code = e.code;
	/* Still to be done after a signal, too. */
	pg_shield(pg, true);
	no_meaning = stopped(a, m->job);
	if ((clean || no_meaning) && deliveries > 0 && !pg_lost(pg))
		take_back(pg, m);
	pg_shield(pg, false);
	if (sig_pending())
		return ATTEMPT_HAND_BACK;
	if (no_meaning)
		return ATTEMPT_ACKNOWLEDGE;
	if (clean)
		return ATTEMPT_OUTAGE;
	if (deliveries == 0) {
		/* What is not counted would come for ever; if it is work, the sweep finds it. */
		log_error("%s of %" PRId64 ": %s", queue_stage(a->from), m->job, e.message);
		return ATTEMPT_ACKNOWLEDGE;
	}
	log_error("%" PRId64 "/%" PRId64 ": %s", m->job, m->chunk, e.message);
	if (deliveries >= DELIVERY_MOST)
		return bury(a, m, e.message);
	if (delivery_note(pg, m->job, m->chunk, e.message, &a->err) != 0)
		return ATTEMPT_OUTAGE;
	a->err = e;
	return trouble ? ATTEMPT_OUTAGE : ATTEMPT_HAND_BACK;
}

/* Done already: by another, or by one who died before what follows from it was done and told. */
static enum attempt_outcome
deliver_done(struct attempt *a, const struct message *m, const struct ref *ref)
{
	const struct stage_plan *plan = a->plan;
	int done = plan->hand_on != NULL ? delivery_done(plan->session(a->worker), m->job, m->chunk, &a->err) : 0;

	if (done == 0)
		return ATTEMPT_ACKNOWLEDGE;
	if (done < 0 || plan->work(a->worker, NULL, ref, false, &a->err) < 0 || hand_on(a, ref) != 0)
		return failed(a, m, 0);
	return ATTEMPT_ACKNOWLEDGE;
}

/* Count the delivery; what has been delivered often waits until it is alone, uncounted. Unlocked by the caller. */
static int
count_delivery(struct attempt *a, const struct message *m)
{
	struct pg *pg = a->plan->session(a->worker);
	const char *state = a->from == QUEUE_INDEX ? "loaded" : "pending";
	int deliveries;

	pthread_rwlock_rdlock(a->together);
	deliveries = delivery_count(pg, m->job, m->chunk, state, &a->err);
	if (deliveries <= TRUSTED || deliveries > DELIVERY_MOST)
		return deliveries;
	if (delivery_return(pg, m->job, m->chunk, &a->err) != 0)
		return -1;
	pthread_rwlock_unlock(a->together);
	pthread_rwlock_wrlock(a->together);
	return sig_check(&a->err) != 0 ? -1 : delivery_count(pg, m->job, m->chunk, state, &a->err);
}

/* Its delivery is counted, if it is one that counts (else 0). */
static enum attempt_outcome
work_on(struct attempt *a, const struct message *m, const struct ref *ref, int deliveries)
{
	const struct stage_plan *plan = a->plan;
	int result = plan->work(a->worker, NULL, ref, false, &a->err);

	if (result == 0)
		result = hand_on(a, ref);
	if (result < 0)
		return failed(a, m, deliveries);
	/* Not yet: whoever makes it possible gives the hint again. */
	if (result > 0 && deliveries > 0 && delivery_return(plan->session(a->worker), m->job, m->chunk, &a->err) != 0)
		return ATTEMPT_OUTAGE;
	return ATTEMPT_ACKNOWLEDGE;
}

/* The lock is held. */
static enum attempt_outcome
deliver(struct attempt *a, const struct message *m)
{
	struct ref ref = {.job = m->job, .chunk = m->chunk};
	enum attempt_outcome outcome;
	int deliveries;

	if (a->from != QUEUE_SPLIT && m->chunk < 0)
		return work_on(a, m, &ref, 0);
	deliveries = count_delivery(a, m);
	if (deliveries < 0)
		outcome = failed(a, m, 0);
	else if (deliveries == 0)
		outcome = deliver_done(a, m, &ref);
	else if (deliveries > DELIVERY_MOST)
		outcome = bury(a, m, NULL);
	else
		outcome = work_on(a, m, &ref, deliveries);
	pthread_rwlock_unlock(a->together);
	return outcome;
}

enum attempt_outcome
attempt_take(struct attempt *a, const struct message *m)
{
	struct pg *pg = a->plan->session(a->worker);
	int64_t key = lock_of(a, m);
	enum attempt_outcome outcome;
	struct ref ref = {.job = m->job, .chunk = m->chunk};
	int got;

	if (a->plan->admit != NULL && a->plan->admit(a->worker, &ref, &a->err) != 0)
		return failed(a, m, 0);
	got = pg_try_lock(pg, key, &a->err);
	if (got < 0)
		return ATTEMPT_OUTAGE;
	if (got == 0)
		return ATTEMPT_ACKNOWLEDGE;
	outcome = deliver(a, m);
	pg_unlock(pg, key);
	return outcome;
}
