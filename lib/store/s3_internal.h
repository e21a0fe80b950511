#ifndef STORE_S3_INTERNAL_H
#define STORE_S3_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"

struct err;
struct store_resume;

/* An open bucket. Keys are put behind `prefix`, which is "" or ends in a slash. */
struct s3 {
	struct http *http;
	char *base; /* of its URLs, without a slash at the end */
	char *prefix;
	char *region;
	bool no_crc; /* the server has been seen not to know the checksum of a part */
};

/* One request: on an object, or with key NULL on the bucket. */
struct s3_request {
	const char *method;
	const char *key;
	const char *query;      /* sorted and encoded, "uploads="; or NULL */
	const char *headers[3]; /* up to the first NULL */
	const void *body;
	size_t length;
	bool checked; /* a checksum of the body is in a header */
	bool streamed;
};

/*
 * Begin it; wait for its answer: 0 for 2xx, else an error with the code of a
 * driver, and S3's code and message in its text. Ended with http_end.
 */
struct http_exchange *s3_begin(struct s3 *s3, const struct s3_request *request, struct err *e);
int s3_finish(struct http_exchange *exchange, struct err *e) __attribute__((warn_unused_result));

/* All of it: an answer is in *exchange whatever its status, and NULL if there was none. */
int s3_request(struct s3 *s3, const struct s3_request *request, struct http_exchange **exchange, struct err *e)
    __attribute__((warn_unused_result));

/* The status of an answer, 0 if there is none. */
int s3_status(struct http_exchange *exchange);

/* The error that stands in a document, also in one that came with status 200: -1; 0 if there is none. */
int s3_error(const struct http_response *response, struct err *e) __attribute__((warn_unused_result));

/* Abort the unfinished uploads of a key, and one of them by its encoded id. Those that are not there are no error. */
int s3_abort_all(struct s3 *s3, const char *key, struct err *e) __attribute__((warn_unused_result));
int s3_abort(struct s3 *s3, const char *key, const char *upload, struct err *e) __attribute__((warn_unused_result));

/* s3_put.c: the writing half of the driver. */
void *s3_put_create(void *handle, const char *key, const struct store_resume *resume, struct err *e);
void *s3_put_room(void *writer, struct err *e);
int s3_put_write(void *writer, const void *bytes, size_t length, struct err *e);
int s3_put_commit(void *writer, struct err *e);
bool s3_put_end(void *writer, bool keep);

#endif
