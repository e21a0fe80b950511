#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct aws;
struct err;
struct http;
struct http_exchange;

/* What all requests of a client have in common. Texts may be NULL and are copied. Nothing is read from CSVP_*. */
struct http_options {
	const char *ca_file;         /* PEM file of the certificates to trust; NULL: the system's */
	const char *user, *password; /* basic authentication */
	const char *header;          /* one more header with each request: "Authorization: ApiKey ..." */
	const char *service;         /* "s3", "sqs": sign as AWS Signature V4 with `aws`, if that has an access key */
	const struct aws *aws;
	int64_t connect; /* milliseconds to a connection; 0: 10 s */
	int64_t stall;   /* milliseconds waited without one byte moving; 0: 60 s */
};

/* One request. The body must stay as it is until the exchange has ended; all else is copied. */
struct http_request {
	const char *method;         /* GET HEAD PUT POST DELETE */
	const char *url;            /* http: or https:, sent as given: encoded, and its query sorted if it is signed */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	const void *body;
	size_t length;
	const char *type; /* Content-Type of the body; NULL: application/octet-stream */
	int64_t stall;    /* another one than the client's (long polling); 0: that */
	bool streamed;    /* the response's body is taken with http_read, not kept */
};

struct http_response {
	int status;
	struct buf headers; /* for http_header */
	struct buf body;    /* also of a streamed exchange whose status is not 2xx */
};

/*
 * An HTTP/1.1 client (RFC 9112) for one thread. It keeps connections open and
 * uses them again, for as many exchanges at once as are begun. Redirects are
 * not followed. Errors: 78 wrong options.
 */
struct http *http_open(const struct http_options *options, struct err *e);
void http_close(struct http *http);

/*
 * A shielded client does not listen to signals, so that work can be handed
 * back after one; instead each wait then ends after 10 s at most. Was it before?
 */
bool http_shield(struct http *http, bool on);

/*
 * A whole exchange. *response begins as all zeros or as an earlier one, and is
 * freed by http_response_fini. 0 for any status: see http_check. Errors: 75 not reachable, broken off, stalled; 78 not a URL, or
 * a certificate that is not trusted; 130/143 a signal. Messages name neither
 * the URL nor what was sent: who calls knows what to say of them.
 */
int http_call(struct http *http, const struct http_request *request, struct http_response *response, struct err *e)
    __attribute__((warn_unused_result));
void http_response_fini(struct http_response *response);

/* A header of the response by its name in any case; NULL if it is not there. Valid as long as the response. */
const char *http_header(const struct http_response *response, const char *name);

/*
 * 0 for a status of 2xx; else -1 with the status, its meaning and `detail` (or
 * the begin of the body) as message: 75 for 408, 425, 429 and 5xx, 77 for 401 and
 * 403, 66 for 404 and 410, 78 for 3xx, 70 for the rest.
 */
int http_check(const struct http_response *response, const char *detail, struct err *e)
    __attribute__((warn_unused_result));

/*
 * The same in steps. http_begin starts to send; http_pump moves what moves
 * without waiting, for all exchanges of the client, and is 1 when this one is
 * whole, else 0; http_head waits for status and headers, http_finish for all
 * of it. http_end frees it, broken off if it is not whole. Errors: as http_call.
 */
struct http_exchange *http_begin(struct http *http, const struct http_request *request, struct err *e);
int http_pump(struct http_exchange *exchange, struct err *e) __attribute__((warn_unused_result));
int http_head(struct http_exchange *exchange, struct err *e) __attribute__((warn_unused_result));
int http_finish(struct http_exchange *exchange, struct err *e) __attribute__((warn_unused_result));
struct http_response *http_response(struct http_exchange *exchange);
void http_end(struct http_exchange *exchange);

/*
 * The body of a streamed exchange, as read(2): 0 at its end. About 1 MiB is
 * read ahead; beyond that the connection itself holds the sender up.
 */
ssize_t http_read(struct http_exchange *exchange, void *bytes, size_t capacity, struct err *e);

#endif
