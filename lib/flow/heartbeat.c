#include "flow/heartbeat.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "flow/site.h"

/* The most deliveries under way at a time in one program. */
#define MOST 64

struct heartbeat {
	const struct site *site;
	enum queue_name from;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopped;
	struct delivery *under_way[MOST];
};

/* Extend all that are under way; the lock is held, so that none is dropped meanwhile. */
static void
beat(struct heartbeat *h, struct queue **queue)
{
	struct err e;

	for (size_t i = 0; i < MOST; i++) {
		if (h->under_way[i] == NULL)
			continue;
		if (*queue == NULL)
			*queue = site_queue(h->site, &e);
		if (*queue != NULL && queue_extend(*queue, h->from, h->under_way[i], 1, &e) == 0)
			continue;
		/* Somebody else may get the message then, and finds the lock held. */
		log_detail("a message could not be kept: %s", e.message);
		queue_close(*queue);
		*queue = NULL;
	}
}

static void *
run(void *ctx)
{
	struct heartbeat *h = ctx;
	struct queue *queue = NULL;
	int64_t pause = site_visibility(h->site) / 3;
	struct timespec next;

	pthread_mutex_lock(&h->lock);
	while (!h->stopped) {
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_sec += pause / 1000;
		next.tv_nsec += pause % 1000 * 1000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		if (pthread_cond_timedwait(&h->stop, &h->lock, &next) != 0 && !h->stopped)
			beat(h, &queue);
	}
	pthread_mutex_unlock(&h->lock);
	queue_close(queue);
	return NULL;
}

struct heartbeat *
heartbeat_start(const struct site *site, enum queue_name from, struct err *e)
{
	struct heartbeat *h = buf_calloc(1, sizeof *h);

	*h = (struct heartbeat){
	    .site = site, .from = from, .lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER};
	if (pthread_create(&h->thread, NULL, run, h) != 0) {
		free(h);
		err_set(e, ERR_AGAIN, "cannot start a thread");
		return NULL;
	}
	return h;
}

void
heartbeat_stop(struct heartbeat *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stopped = true;
	pthread_cond_signal(&h->stop);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	free(h);
}

static void
replace(struct heartbeat *h, const struct delivery *old, struct delivery *new)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < MOST; i++)
		if (h->under_way[i] == old) {
			h->under_way[i] = new;
			break;
		}
	pthread_mutex_unlock(&h->lock);
}

void
heartbeat_add(struct heartbeat *h, struct delivery *delivery)
{
	replace(h, NULL, delivery);
}

void
heartbeat_drop(struct heartbeat *h, struct delivery *delivery)
{
	replace(h, delivery, NULL);
}
