#include "csv/window.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define ALIGN 64u
#define USUAL_TIMES 4 /* shrink only from more than this: a file of long records is not to pay for each of them */

static void
resize(struct window *w, size_t capacity)
{
	w->bytes = buf_realloc(w->bytes, capacity, 1);
	w->capacity = capacity;
}

/*
 * To the front, so that the next read lands on a multiple of 64: the kernel
 * copies out of the page cache slower to an odd address.
 */
static void
move_to_front(struct window *w)
{
	size_t unread = w->filled - w->start;
	size_t to = (ALIGN - ((uintptr_t)w->bytes + unread) % ALIGN) % ALIGN;

	memmove(w->bytes + to, w->bytes + w->start, unread);
	w->start = to;
	w->filled = to + unread;
}

/* realloc, not a copy: of a large block the kernel moves the pages, so that old and new never count twice. */
static void
make_room(struct window *w)
{
	size_t want = w->filled - w->start + w->usual / 2 + ALIGN, capacity = w->capacity;

	if (capacity < want) {
		capacity += capacity / 2;
		if (capacity > w->most + w->usual)
			capacity = w->most + w->usual;
		if (capacity < w->usual + ALIGN)
			capacity = w->usual + ALIGN;
		resize(w, capacity < want ? want : capacity);
		move_to_front(w);
		return;
	}
	if (w->start >= ALIGN)
		move_to_front(w);
	if (capacity > USUAL_TIMES * w->usual && want <= w->usual)
		resize(w, w->usual + ALIGN);
}

int
window_refill(struct window *w, struct err *e)
{
	ssize_t n;

	make_room(w);
	n = w->source(w->ctx, w->bytes + w->filled, w->capacity - w->filled, e);
	if (n < 0)
		return -1;
	w->filled += (size_t)n;
	w->end = n == 0;
	return 0;
}

void
window_fini(struct window *w)
{
	free(w->bytes);
	w->bytes = NULL;
}
