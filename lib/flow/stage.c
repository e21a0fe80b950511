#include "flow/stage.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/chunk.h"
#include "ledger/job.h"
#include "queue/queue.h"

/* How long a reference that has to wait is left alone, in milliseconds. */
#define HOLD_MS 50

struct ref_list {
	struct ref *refs;
	size_t count, capacity;
};

struct stage {
	const struct stage_plan *plan;
	const struct site *site;
	struct progress *progress;
	struct pg *pg; /* of the reading thread, to expand jobs */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct ref_list queue; /* to be worked on; `next` is the first */
	size_t next;
	struct ref_list held; /* to be tried again */
	int busy;
	bool last;          /* no more input and nothing else under way */
	bool ended;         /* threads are to leave */
	atomic_bool closed; /* the reader of stdout has gone */
	enum err_code worst;
	struct err said; /* the last message, and whose it was */
	int64_t said_job;
	long long *jobs; /* all that were seen */
	size_t job_count;
	long long *failed; /* those of which a chunk failed for good in a stage before */
	size_t failed_count;
};

int
stage_threads(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : (int)cores;
}

static void
append(struct ref_list *list, const struct ref *ref)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity > 0 ? 2 * list->capacity : 64;
		list->refs = buf_realloc(list->refs, list->capacity, sizeof *list->refs);
	}
	list->refs[list->count++] = *ref;
}

static void
note_code(struct stage *s, enum err_code code)
{
	pthread_mutex_lock(&s->lock);
	s->worst = err_worse(s->worst, code);
	pthread_mutex_unlock(&s->lock);
}

bool
stage_print(struct stage *s, const struct ref *ref)
{
	struct err e;
	bool closed = false;

	if (s == NULL)
		return true;
	if (s->closed)
		return false;
	if (refs_print(ref, &closed, &e) == 0)
		return true;
	pthread_mutex_lock(&s->lock);
	/* The reader has gone: what is not handed on is to be done again. Quietly, as SIGPIPE would. */
	s->worst = err_worse(s->worst, closed ? ERR_AGAIN : e.code);
	s->closed = true;
	pthread_mutex_unlock(&s->lock);
	if (!closed && !sig_pending())
		log_error("%s", e.message);
	return false;
}

/* A paused job has one reason for its thousand chunks: once is enough. */
static bool
said_before(struct stage *s, const struct ref *ref, const struct err *why)
{
	bool before;

	pthread_mutex_lock(&s->lock);
	before = s->said_job == ref->job && strcmp(s->said.message, why->message) == 0;
	s->said_job = ref->job;
	s->said = *why;
	pthread_mutex_unlock(&s->lock);
	return before;
}

static void
fail_ref(struct stage *s, const struct ref *ref, const struct err *why)
{
	struct ref line = *ref;

	note_code(s, why->code);
	line.failure = why->code;
	if (!sig_pending() && !said_before(s, ref, why)) {
		if (ref->chunk >= 0)
			log_error("%" PRId64 "/%" PRId64 ": %s", ref->job, ref->chunk, why->message);
		else if (ref->job > 0)
			log_error("%" PRId64 ": %s", ref->job, why->message);
		else
			log_error("%s", why->message);
	}
	stage_print(s, &line);
}

/* What a thread works with, each opened when it is first needed. */
struct hands {
	void *worker;
	struct queue *queue;
};

static int
hand_on(struct stage *s, struct hands *h, const struct ref *ref, struct err *e)
{
	if (!s->plan->enqueue)
		return 0;
	if (h->queue == NULL)
		h->queue = site_queue(s->site, e);
	return h->queue == NULL ? -1 : s->plan->hand_on(h->worker, h->queue, ref, e);
}

/* Work on one reference. */
static void
work_on(struct stage *s, struct hands *h, const struct ref *ref)
{
	struct err e = {0};
	int result = -1;

	if (h->worker == NULL)
		h->worker = s->plan->open(s->plan->ctx, s->site, s->progress, &e);
	if (h->worker != NULL)
		result = s->plan->admit != NULL ? s->plan->admit(h->worker, ref, &e) : 0;
	if (result == 0)
		result = s->plan->work(h->worker, s, ref, s->last, &e);
	if (result == 0)
		result = hand_on(s, h, ref, &e);
	if (result < 0) {
		fail_ref(s, ref, &e);
		/* The session may be lost; the next reference begins with a new one. */
		if (h->worker != NULL && e.code == ERR_AGAIN) {
			s->plan->close(h->worker);
			h->worker = NULL;
		}
	} else if (result > 0) {
		pthread_mutex_lock(&s->lock);
		append(&s->held, ref);
		pthread_mutex_unlock(&s->lock);
	} else if (!s->plan->whole_jobs) {
		stage_print(s, ref);
	}
}

static void *
thread_main(void *ctx)
{
	struct stage *s = ctx;
	struct hands hands = {NULL, NULL};

	pthread_mutex_lock(&s->lock);
	for (;;) {
		struct ref ref;

		while (s->next == s->queue.count && !s->ended)
			pthread_cond_wait(&s->changed, &s->lock);
		if (s->next == s->queue.count)
			break;
		ref = s->queue.refs[s->next++];
		if (s->next == s->queue.count)
			s->next = s->queue.count = 0;
		s->busy++;
		pthread_mutex_unlock(&s->lock);
		if (!s->closed && !sig_pending())
			work_on(s, &hands, &ref);
		pthread_mutex_lock(&s->lock);
		s->busy--;
		pthread_cond_broadcast(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	if (hands.worker != NULL)
		s->plan->close(hands.worker);
	queue_close(hands.queue);
	return NULL;
}

static void
push(struct stage *s, const struct ref *ref)
{
	pthread_mutex_lock(&s->lock);
	/* Two per thread under way keep all of them busy, and a killed stage has read little it did not do. */
	while (s->queue.count - s->next >= 2 * (size_t)s->plan->threads && !s->closed)
		pthread_cond_wait(&s->changed, &s->lock);
	append(&s->queue, ref);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void
wait_idle(struct stage *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->busy > 0 || s->next < s->queue.count)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static bool
any_held(struct stage *s)
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->held.count > 0;
	pthread_mutex_unlock(&s->lock);
	return any;
}

/* Give the held references back to the threads. */
static void
retry_held(struct stage *s)
{
	struct ref_list held;

	pthread_mutex_lock(&s->lock);
	held = s->held;
	s->held = (struct ref_list){0};
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < held.count; i++)
		push(s, &held.refs[i]);
	free(held.refs);
}

/* True when it is seen for the first time. */
static bool
see_job(struct stage *s, int64_t job)
{
	/* The same job's chunks mostly come one behind the other. */
	for (size_t i = s->job_count; i > 0; i--)
		if (s->jobs[i - 1] == job)
			return false;
	s->jobs = buf_realloc(s->jobs, s->job_count + 1, sizeof *s->jobs);
	s->jobs[s->job_count++] = job;
	return true;
}

static void
note_failed(struct stage *s, int64_t job)
{
	if (s->failed_count > 0 && s->failed[s->failed_count - 1] == job)
		return;
	s->failed = buf_realloc(s->failed, s->failed_count + 1, sizeof *s->failed);
	s->failed[s->failed_count++] = job;
}

/* What has failed for good, and been told, is not missed once more as something to try again. */
static void
drop_failed(struct stage *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->job_count; i++) {
		size_t k = 0;

		while (k < s->failed_count && s->failed[k] != s->jobs[i])
			k++;
		if (k == s->failed_count)
			s->jobs[kept++] = s->jobs[i];
	}
	s->job_count = kept;
}

/* A job's chunks, freed by the caller; what is to be done of them is counted for progress. */
static int
read_chunks(struct stage *s, int64_t id, struct chunk **chunks, size_t *count, struct err *e)
{
	struct job job;
	uint64_t bytes = 0;

	if (s->pg == NULL)
		s->pg = site_connect(s->site, e);
	if (s->pg == NULL)
		return -1;
	if (job_load(s->pg, id, &job, e) != 0 || chunk_list(s->pg, id, chunks, count, e) != 0) {
		if (pg_lost(s->pg)) {
			pg_close(s->pg);
			s->pg = NULL;
		}
		return -1;
	}
	job_fini(&job);
	for (size_t i = 0; i < *count; i++)
		bytes += s->plan->to_do(&(*chunks)[i]) ? (*chunks)[i].length : 0;
	if (s->progress != NULL)
		progress_total(s->progress, bytes);
	return 0;
}

/* A job stands for all its chunks; a job without chunks for itself. */
static int
expand(struct stage *s, const struct ref *ref, struct err *e)
{
	struct chunk *chunks;
	size_t count;

	if (read_chunks(s, ref->job, &chunks, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		push(s, &(struct ref){.job = ref->job, .chunk = chunks[i].number});
	if (count == 0)
		push(s, ref);
	free(chunks);
	return 0;
}

/* The first chunk of a job has come by the pipe: so will the rest, as progress is to know. Not knowing does no harm. */
static void
expect_rest(struct stage *s, int64_t job)
{
	struct chunk *chunks;
	struct err ignored;
	size_t count;

	if (read_chunks(s, job, &chunks, &count, &ignored) == 0)
		free(chunks);
	else
		log_detail("%s", ignored.message);
}

static void
take_line(struct stage *s, const char *line, bool piped)
{
	struct ref ref = {.chunk = -1};
	bool first = false;
	struct err e;

	if (refs_parse(line, &ref, &e) != 0) {
		fail_ref(s, &(struct ref){.chunk = -1}, &e);
		return;
	}
	/* What failed as a whole was told and handed on by the stage that knows why. */
	if (ref.job > 0 && (ref.chunk >= 0 || ref.failure == ERR_NONE))
		first = see_job(s, ref.job);
	if (piped && first && ref.chunk >= 0 && s->progress != NULL)
		expect_rest(s, ref.job);
	if (ref.failure != ERR_NONE) {
		note_code(s, ref.failure);
		if (ref.chunk >= 0 && ref.failure < ERR_AGAIN)
			note_failed(s, ref.job);
		stage_print(s, &ref);
	} else if (ref.chunk < 0 && !s->plan->whole_jobs) {
		if (expand(s, &ref, &e) != 0)
			fail_ref(s, &ref, &e);
	} else {
		push(s, &ref);
	}
}

/* All lines of stdin; returns how many, or -1. */
static int64_t
take_stdin(struct stage *s, struct err *e)
{
	struct refs_reader *reader;
	int64_t lines = 0, tried = 0;
	char *line;
	int got;

	if (isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "no reference given, and stdin is a terminal; hint: --help");
	reader = refs_open(STDIN_FILENO);
	while ((got = refs_next(reader, &line, e)) == 1 && !s->closed) {
		lines++;
		take_line(s, line, true);
		if (any_held(s) && clk_now(clk_system()) - tried >= HOLD_MS) {
			retry_held(s);
			tried = clk_now(clk_system());
		}
	}
	refs_close(reader);
	if (got < 0)
		return -1;
	if (lines == 0)
		return err_set(
		    e, ERR_AGAIN, "stdin ended without any reference: the program before this one has failed");
	return lines;
}

static void
take_all(struct stage *s, char *const *operands, size_t count)
{
	struct err e = {0};

	if (count == 0 && take_stdin(s, &e) < 0) {
		note_code(s, e.code);
		if (!sig_pending())
			log_error("%s", e.message);
		stage_print(s, &(struct ref){.chunk = -1, .failure = e.code});
	}
	for (size_t i = 0; i < count && !s->closed && !sig_pending(); i++)
		take_line(s, operands[i], false);
	wait_idle(s);
	while (any_held(s) && !s->closed && !sig_pending()) {
		s->last = true;
		retry_held(s);
		wait_idle(s);
		if (any_held(s))
			clk_sleep(clk_system(), HOLD_MS);
	}
	for (size_t i = 0; i < s->held.count; i++)
		if (sig_check(&e) != 0)
			fail_ref(s, &s->held.refs[i], &e);
}

int
stage_refuse(const struct err *e)
{
	const struct ref line = {.chunk = -1, .failure = e->code};
	struct err ignored;
	bool closed;

	if (e->code != ERR_NONE && refs_print(&line, &closed, &ignored) != 0)
		log_detail("%s", ignored.message);
	return options_exit(e);
}

int
stage_run(const struct stage_plan *plan, const struct site *site, char *const *operands, size_t count, struct err *e)
{
	struct stage s = {
	    .plan = plan, .site = site, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	pthread_t *threads = buf_calloc((size_t)plan->threads, sizeof *threads);
	struct err last = {0};

	s.progress = progress_new(plan->verb);
	for (int i = 0; i < plan->threads; i++)
		if (pthread_create(&threads[i], NULL, thread_main, &s) != 0) {
			log_error("cannot start thread %d of %d", i + 1, plan->threads);
			_exit(ERR_AGAIN);
		}
	take_all(&s, operands, count);
	pthread_mutex_lock(&s.lock);
	s.ended = true;
	pthread_cond_broadcast(&s.changed);
	pthread_mutex_unlock(&s.lock);
	for (int i = 0; i < plan->threads; i++)
		pthread_join(threads[i], NULL);
	progress_free(s.progress);
	drop_failed(&s);

	if (plan->conclude != NULL && s.job_count > 0 && !sig_pending() && !s.closed &&
	    plan->conclude(site, s.jobs, s.job_count, count == 0, &last) != 0) {
		if (last.message[0] != '\0' && !sig_pending())
			log_error("%s", last.message);
		s.worst = err_worse(s.worst, last.code);
	}
	if (sig_check(&last) != 0)
		s.worst = err_worse(s.worst, last.code);
	*e = (struct err){.code = s.worst};
	pg_close(s.pg);
	free(threads);
	free(s.queue.refs);
	free(s.held.refs);
	free(s.failed);
	free(s.jobs);
	return s.worst == ERR_NONE ? 0 : -1;
}
