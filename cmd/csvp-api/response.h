#ifndef API_RESPONSE_H
#define API_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cJSON;
struct gateway;

/*
 * An answer. It is kept in memory up to 64 kB, and then has a length; what is
 * longer goes out as it comes. As long as nothing has gone out, it can be
 * taken back and become a problem document (RFC 9457).
 */
struct response {
	const struct gateway *gateway;
	const char *request_id;
	bool head; /* its body is not wanted */
	int status;
	const char *type;   /* static */
	const char *policy; /* Content-Security-Policy, static; NULL: nothing may be loaded or run */
	const char *cache;  /* Cache-Control, static; NULL: no-store */
	struct buf headers, body;
	uint64_t sent; /* of the body */
	bool begun;    /* the headers have gone out */
};

/* `request_id` is valid to response_fini. */
void response_init(struct response *r, const struct gateway *gateway, const char *request_id);
void response_fini(struct response *r);

/* Before anything of the body goes out: its status (200 if nobody says so), its media type, more headers. */
void response_begin(struct response *r, int status, const char *type);
void response_header(struct response *r, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Append to the body. 74: the client has gone. */
int response_write(struct response *r, const void *bytes, size_t length, struct err *e) MUST_CHECK;
int response_string(struct response *r, const char *text, struct err *e) MUST_CHECK;

/* The whole of an answer: a JSON object, which is freed; text; nothing but a place to go to. Each returns 0. */
int response_json(struct response *r, int status, struct cJSON *object);
int response_text(struct response *r, int status, const char *type, const char *text);
int response_redirect(struct response *r, int status, const char *location);

/*
 * Make it a problem document instead of what it was; returns 0, so that a handler can end with it. Nothing but the
 * words given goes to the client. `errors` (NULL: none) is an array of {"name", "reason"} and is freed.
 */
int response_problem(struct response *r, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
int response_invalid(struct response *r, struct cJSON *errors, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* 422 */

/* The same from an error: its status by its code, its words only if they are about what the client said. */
int response_error(struct response *r, const struct err *why);

/* A message without its hint, which is for the shell; freed by the caller. */
char *response_words(const char *message);

/* The same with this status, and its words. */
int response_refuse(struct response *r, int status, const struct err *why);

/* The end: what is still here goes out. */
int response_end(struct response *r, struct err *e) MUST_CHECK;

/* "Not Found" */
const char *response_phrase(int status);

#endif
