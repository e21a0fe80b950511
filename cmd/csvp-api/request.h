#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct ahead;
struct buf;
struct gateway;

#define REQUEST_LONGEST_TARGET 8192 /* bytes of path and query */
#define REQUEST_MOST_SEGMENTS 8
#define REQUEST_MOST_PARAMETERS 2000 /* two a column of the widest table, and room */

/* A piece of the path between slashes. */
struct request_segment {
	char *raw;  /* as it came: a key of several columns is taken apart before it is decoded */
	char *text; /* decoded, UTF-8 */
};

struct request_parameter {
	char *name, *value; /* decoded, UTF-8 */
};

/* A request as the web server hands it on. Its texts are valid until request_fini. */
struct request {
	const struct gateway *gateway;
	const char *method;
	char *path; /* as it came, without the query */
	struct request_segment segments[REQUEST_MOST_SEGMENTS];
	size_t segment_count;
	const char *pattern; /* of the route, once it is found: names the segments */
	struct request_parameter *parameters;
	size_t parameter_count;
	int64_t length;      /* of the body; -1: it ends when it ends */
	uint64_t received;   /* of it, so far; the reading thread's, if there is one */
	uint64_t taken;      /* of it by request_read, so far */
	bool ended;          /* request_read has found its end */
	struct ahead *ahead; /* the reading thread; NULL: request_read reads itself */
};

/*
 * Take it apart. 0, or the HTTP status that it deserves with words in e: 400 a target that is no UTF-8, holds a NUL or
 * a broken %XX, 404 more segments than any route has, 414.
 */
int request_init(struct request *r, const struct gateway *gateway, struct err *e) MUST_CHECK;
/* After the answer, which goes out now if there is more of the body than was read. */
void request_fini(struct request *r);

/* The segment that the route's pattern calls {NAME}. */
const struct request_segment *request_segment(const struct request *r, const char *name);

/* The (first) value of a query parameter; NULL: not given. */
const char *request_parameter(const struct request *r, const char *name);

/* A header by its name; NULL: not given. */
const char *request_header(const struct request *r, const char *name);

/* Is the media type of the body this one, whatever its parameters? */
bool request_is(const struct request *r, const char *type);

/* The body as a stream, like io/source.h: bytes, 0 at its end; 74 if the client has gone before that. */
ssize_t request_read(struct request *r, void *bytes, size_t capacity, struct err *e) MUST_CHECK;

/* A long body from here on: it is received by a thread of its own while it is worked on (io/ahead.h). 75: no thread. */
int request_read_ahead(struct request *r, struct err *e) MUST_CHECK;

/* All of it, at most so many bytes: 0, 1 it is longer, -1. */
int request_body(struct request *r, size_t most, struct buf *body, struct err *e) MUST_CHECK;

#endif
