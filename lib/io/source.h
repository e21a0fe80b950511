#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * One end of a chain of readers: file -> inflate -> transcode. `read` is as
 * read(2): up to capacity bytes, 0 at the end (and again if asked again), -1
 * with *e set. `name` is what messages call the input.
 */
struct source {
	ssize_t (*read)(void *ctx, void *bytes, size_t capacity, struct err *e);
	void *ctx;
	const char *name;
};

#endif
