#ifndef CSV_WINDOW_H
#define CSV_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "csv/reader.h"

/*
 * The part of a byte stream that is in memory: [start, filled) of bytes is
 * unread. `start` belongs to the user, who moves it over what is done with. A
 * plain struct; private to csv.
 */
struct window {
	char *bytes;
	size_t start, filled;
	bool end; /* the source has no more */
	reader_source *source;
	void *ctx;
	size_t usual; /* bytes held unless a record asks for more */
	size_t most;  /* bytes a record may ask for */
	size_t capacity;
};

/*
 * Read more behind what is unread. That may move what is unread, to another
 * start and into other memory, more or less of it. Sets `end` when there was
 * nothing. 0, or -1 with the source's error.
 */
int window_refill(struct window *w, struct err *e) __attribute__((warn_unused_result));

void window_fini(struct window *w);

#endif
