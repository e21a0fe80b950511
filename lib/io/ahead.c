#include "io/ahead.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "io/source.h"

/* The thread fills whole pieces: two threads that wake each other for every few bytes lose more than they share. */
enum { PIECES = 4, PIECE = 128 * 1024 };

struct piece {
	size_t length;
	char bytes[PIECE];
};

struct ahead {
	struct source from;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled_one, took_one;
	unsigned long filled, taken; /* pieces so far: `filled - taken` wait to be taken */
	bool ended;                  /* after these nothing comes */
	bool closing;
	size_t used;      /* of the piece that is being taken */
	struct err error; /* why it ended; 0: the source's end */
	struct piece pieces[PIECES];
};

/* Wait for room: false if nobody wants it any more. */
static bool
wait_for_room(struct ahead *a)
{
	bool wanted;

	pthread_mutex_lock(&a->lock);
	while (a->filled - a->taken == PIECES && !a->closing)
		pthread_cond_wait(&a->took_one, &a->lock);
	wanted = !a->closing;
	pthread_mutex_unlock(&a->lock);
	return wanted;
}

static void
hand_over(struct ahead *a, bool ended)
{
	pthread_mutex_lock(&a->lock);
	a->filled++;
	a->ended = ended;
	pthread_cond_signal(&a->filled_one);
	pthread_mutex_unlock(&a->lock);
}

static void *
run(void *ctx)
{
	struct ahead *a = ctx;
	ssize_t got = 1;

	while (got > 0 && wait_for_room(a)) {
		struct piece *p = &a->pieces[a->filled % PIECES];

		for (p->length = 0; p->length < PIECE; p->length += (size_t)got)
			if ((got = a->from.read(a->from.ctx, p->bytes + p->length, PIECE - p->length, &a->error)) <= 0)
				break;
		if (got == 0)
			a->error.code = ERR_NONE;
		hand_over(a, got <= 0);
	}
	return NULL;
}

static void
release(struct ahead *a)
{
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->filled_one);
	pthread_cond_destroy(&a->took_one);
	free(a);
}

struct ahead *
ahead_open(const struct source *from, struct err *e)
{
	struct ahead *a = buf_malloc(sizeof *a);
	int number;

	memset(a, 0, offsetof(struct ahead, pieces));
	a->from = *from;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->filled_one, NULL);
	pthread_cond_init(&a->took_one, NULL);
	number = pthread_create(&a->thread, NULL, run, a);
	if (number == 0)
		return a;
	release(a);
	err_set(e, ERR_AGAIN, "%s: no thread could be started: %s", from->name, strerror(number));
	return NULL;
}

/* A signal wakes nobody who waits for a condition. */
static void
wait_for_piece(struct ahead *a)
{
	struct timespec soon;

	clock_gettime(CLOCK_MONOTONIC, &soon);
	soon.tv_sec++;
	pthread_cond_clockwait(&a->filled_one, &a->lock, CLOCK_MONOTONIC, &soon);
}

/* The piece to take from; NULL at the end, or after a signal. */
static const struct piece *
next_piece(struct ahead *a)
{
	bool none;

	pthread_mutex_lock(&a->lock);
	while (a->filled == a->taken && !a->ended && !sig_pending())
		wait_for_piece(a);
	none = a->filled == a->taken;
	pthread_mutex_unlock(&a->lock);
	return none ? NULL : &a->pieces[a->taken % PIECES];
}

static void
give_back(struct ahead *a)
{
	a->used = 0;
	pthread_mutex_lock(&a->lock);
	a->taken++;
	pthread_cond_signal(&a->took_one);
	pthread_mutex_unlock(&a->lock);
}

ssize_t
ahead_read(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct ahead *a = ctx;
	const struct piece *p;
	size_t length;

	if (capacity == 0)
		return 0;
	while ((p = next_piece(a)) != NULL && a->used == p->length)
		give_back(a);
	if (p == NULL) {
		if (sig_check(e) != 0)
			return -1;
		if (a->error.code == ERR_NONE)
			return 0;
		*e = a->error;
		return -1;
	}
	length = p->length - a->used < capacity ? p->length - a->used : capacity;
	memcpy(bytes, p->bytes + a->used, length);
	a->used += length;
	return (ssize_t)length;
}

void
ahead_close(struct ahead *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	a->closing = true;
	pthread_cond_signal(&a->took_one);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	release(a);
}
