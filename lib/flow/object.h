#ifndef FLOW_OBJECT_H
#define FLOW_OBJECT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct object;
struct store;

/* A range of a stored object as the byte source of a csv reader. All zeros is closed. */
struct object_source {
	struct store *store;
	const char *key;
	uint64_t offset, length;
	struct object *object;
};

/* Open the range at its start. */
int object_open(struct object_source *source, struct err *e) __attribute__((warn_unused_result));

/* As read(2); fits reader_source and survey_source. Ends early when a signal has arrived. */
ssize_t object_read(void *source, void *bytes, size_t capacity, struct err *e);

void object_close(struct object_source *source);

#endif
