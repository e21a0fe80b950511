#ifndef API_CALL_H
#define API_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/api_token.h"
#include "request.h"
#include "response.h"

struct cJSON;
struct route;
struct server;
struct site;

/* One request on its way through: what a handler gets. */
struct call {
	struct server *server;
	const struct site *site; /* NULL for routes that need no scope: call_site */
	const struct route *route;
	struct request request;
	struct response response;
	enum api_scope scope; /* what the caller may do */
	const char *type;     /* the media type of route->gives that the caller likes best; static */
	char request_id[65];
};

/* Answer one request, with its route or with a problem. */
void call_answer(struct server *server, const struct gateway *gateway);

/* A segment of the path, decoded; {id} as a number, 404 (*e) if it is none. */
const char *call_segment(const struct call *c, const char *name);
int call_id(const struct call *c, int64_t *id, struct err *e) MUST_CHECK;

/* A query parameter of the route: NULL, or `otherwise`, if it is not given. Their kinds are checked already. */
const char *call_parameter(const struct call *c, const char *name);
int64_t call_number(const struct call *c, const char *name, int64_t otherwise);
bool call_flag(const struct call *c, const char *name);

/* The next page: the same request with this cursor, as a link. Freed by the caller. */
char *call_next(const struct call *c, const char *cursor);

/*
 * The body as a JSON object of at most 1 MB, freed by cJSON_Delete: 0; 1 it is none, and the call is answered (400,
 * 413); -1.
 */
int call_json(struct call *c, struct cJSON **object, struct err *e) MUST_CHECK;

/* For routes without a scope: open the site; find out what the caller may do (1: 401, and the call is answered). */
int call_site(struct call *c, struct err *e) MUST_CHECK;
int call_identify(struct call *c, struct err *e) MUST_CHECK;

#endif
