#include "call.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "accept.h"
#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/num.h"
#include "cli/config.h"
#include "csv/utf8.h"
#include "db/pg.h"
#include "flow/site.h"
#include "gateway.h"
#include "net/url.h"
#include "route.h"
#include "server.h"
#include "stats.h"

enum { LARGEST_JSON = 1 << 20, LONGEST_ID = 64 };

const char *
call_segment(const struct call *c, const char *name)
{
	const struct request_segment *segment = request_segment(&c->request, name);

	return segment != NULL ? segment->text : "";
}

int
call_id(const struct call *c, int64_t *id, struct err *e)
{
	const char *text = call_segment(c, "id");

	if (num_int64(text, id) && *id > 0)
		return 0;
	return err_set(e, ERR_NOINPUT, "there is no job %s", text);
}

const char *
call_parameter(const struct call *c, const char *name)
{
	return request_parameter(&c->request, name);
}

int64_t
call_number(const struct call *c, const char *name, int64_t otherwise)
{
	const char *text = call_parameter(c, name);
	int64_t number;

	return text != NULL && num_int64(text, &number) ? number : otherwise;
}

bool
call_flag(const struct call *c, const char *name)
{
	const char *text = call_parameter(c, name);

	return text != NULL && strcmp(text, "true") == 0;
}

char *
call_next(const struct call *c, const char *cursor)
{
	const struct request *r = &c->request;
	struct buf link = {0};

	buf_printf(&link, "%s?", r->path);
	for (size_t i = 0; i < r->parameter_count; i++) {
		char *name, *value;

		if (strcmp(r->parameters[i].name, "cursor") == 0)
			continue;
		name = url_encode_value(r->parameters[i].name);
		value = url_encode_value(r->parameters[i].value);
		buf_printf(&link, "%s=%s&", name, value);
		free(value);
		free(name);
	}
	buf_printf(&link, "cursor=%s", cursor);
	return buf_detach(&link);
}

/* A string in it is to be text that PostgreSQL can hold: UTF-8, and no NUL, which cJSON would take for an end. */
static bool
holds_text(const struct buf *json)
{
	if (utf8_flaw(json->bytes, json->length) != json->length)
		return false;
	for (const char *at = json->bytes; *at != '\0'; at++) {
		if (*at != '\\')
			continue;
		if (strncmp(at + 1, "u0000", 5) == 0)
			return false;
		at += at[1] != '\0';
	}
	return true;
}

int
call_json(struct call *c, cJSON **object, struct err *e)
{
	struct buf body = {0};
	const char *end;
	int result = request_body(&c->request, LARGEST_JSON, &body, e);

	*object = NULL;
	if (result == 0 && body.length > 0 && holds_text(&body))
		*object = cJSON_ParseWithOpts(body.bytes, &end, true);
	buf_fini(&body);
	if (result < 0)
		return -1;
	if (result > 0)
		response_problem(&c->response, 413, "the body is longer than %d bytes", LARGEST_JSON);
	else if (*object == NULL)
		response_problem(&c->response, 400, "the body is not JSON of UTF-8 text without NUL");
	else if (!cJSON_IsObject(*object))
		response_problem(&c->response, 400, "the body is JSON, but no object");
	else
		return 0;
	cJSON_Delete(*object);
	*object = NULL;
	return 1;
}

int
call_site(struct call *c, struct err *e)
{
	if (c->site == NULL)
		c->site = server_site(c->server, e);
	return c->site != NULL ? 0 : -1;
}

static int
unauthorized(struct call *c, const char *error, const char *words)
{
	response_header(&c->response, "WWW-Authenticate", "Bearer realm=\"csvp\"%s", error);
	response_problem(&c->response, 401, "%s", words);
	return 1;
}

int
call_identify(struct call *c, struct err *e)
{
	const char *given = request_header(&c->request, "Authorization");
	const char *token;
	struct pg *pg;
	int good;

	c->scope = server_anonymous(c->server);
	if (given == NULL || *given == '\0')
		return 0;
	token = given + strcspn(given, " ");
	if (strncasecmp(given, "Bearer ", 7) != 0)
		return unauthorized(c, "", "a bearer token is what csvp takes: Authorization: Bearer csvp_...");
	token += strspn(token, " ");
	if (call_site(c, e) != 0 || (pg = site_connect(c->site, e)) == NULL)
		return -1;
	good = api_token_check(pg, token, &c->scope, e);
	site_release(c->site, pg);
	if (good < 0)
		return -1;
	return good ? 0
		    : unauthorized(c, ", error=\"invalid_token\"", "this token is none, is revoked, or has expired");
}

/*
 * A name that others may give to this address (DNS rebinding) makes their pages look like ours. A number, localhost and
 * the name that the server was given are nobody else's.
 */
static bool
is_own(const char *host)
{
	const char *given = config_get("CSVP_API_HOST");
	char *name = buf_strndup(host, strcspn(host, ":"));
	struct in_addr number;
	bool own = *host == '[' || inet_pton(AF_INET, name, &number) == 1 || strcasecmp(name, "localhost") == 0 ||
		   (given != NULL && strcasecmp(name, given) == 0);

	free(name);
	return own;
}

/*
 * Without a token anybody's web page could have a browser write for it: what comes from a page of another origin is
 * refused then (the Fetch standard, "Origin header").
 */
static bool
from_elsewhere(const struct call *c)
{
	const char *origin = request_header(&c->request, "Origin"), *host = request_header(&c->request, "Host");
	const char *site = request_header(&c->request, "Sec-Fetch-Site"), *allowed = server_origin(c->server);
	const char *begin;

	if (origin == NULL || *origin == '\0')
		return site != NULL && strcmp(site, "cross-site") == 0;
	if (allowed != NULL && strcmp(origin, allowed) == 0)
		return false;
	begin = strstr(origin, "://");
	return begin == NULL || host == NULL || strcasecmp(begin + 3, host) != 0 || !is_own(host);
}

/* May the caller have this route? 0 yes, 1 no, and the call is answered; -1. */
static int
authorize(struct call *c, struct err *e)
{
	const char *given = request_header(&c->request, "Authorization");
	int result;

	if (c->route->scope == API_NONE)
		return 0;
	if ((result = call_identify(c, e)) != 0)
		return result;
	if (c->scope >= c->route->scope) {
		if (c->route->scope > API_READ && given == NULL && from_elsewhere(c)) {
			response_problem(&c->response, 403, "a page of another origin may not write without a token");
			return 1;
		}
		return call_site(c, e);
	}
	if (given == NULL || *given == '\0')
		return unauthorized(c, "", "this needs a token: Authorization: Bearer csvp_...");
	response_problem(&c->response, 403, "this needs a token with the scope %s", api_token_scope(c->route->scope));
	return 1;
}

static bool
matches(const struct route *route, const struct request *r)
{
	const char *at = route->pattern;

	for (size_t i = 0; i < r->segment_count; i++) {
		size_t length;

		if (*at != '/' || at[1] == '\0')
			return false;
		length = strcspn(++at, "/");
		if (*at != '{' &&
		    (strlen(r->segments[i].text) != length || strncmp(at, r->segments[i].text, length) != 0))
			return false;
		at += length;
	}
	return *at == '\0' || strcmp(at, "/") == 0;
}

/* 0 found, 1 there is none and the call is answered: 404, 405, or OPTIONS. */
static int
find_route(struct call *c)
{
	const char *method = c->response.head ? "GET" : c->request.method;
	struct buf allow = {0};

	for (size_t i = 0; i < route_count(); i++) {
		const struct route *route = route_at(i);

		if (!matches(route, &c->request))
			continue;
		if (strcmp(route->method, method) == 0) {
			c->route = route;
			c->request.pattern = route->pattern;
		}
		buf_printf(&allow, "%s%s", allow.length > 0 ? ", " : "", route->method);
		if (strcmp(route->method, "GET") == 0)
			buf_string(&allow, ", HEAD");
	}
	if (c->route == NULL && allow.length == 0) {
		response_problem(&c->response, 404, "there is nothing at this path");
	} else if (c->route == NULL) {
		response_header(&c->response, "Allow", "%s, OPTIONS", allow.bytes);
		if (strcmp(method, "OPTIONS") == 0)
			response_begin(&c->response, 204, "");
		else
			response_problem(&c->response, 405, "here one can %s", allow.bytes);
	}
	buf_fini(&allow);
	return c->route != NULL ? 0 : 1;
}

static const struct route_parameter *
find_parameter(const struct route *route, const char *name)
{
	for (const struct route_parameter *p = route->parameters; p != NULL && p->name != NULL; p++)
		if (!p->header && strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static bool
is_choice(const char *choices, const char *value)
{
	size_t length = strlen(value);

	for (const char *at = choices; *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (word == length && strncmp(at, value, length) == 0)
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

/* The words of a route's list, for people: with commas. The caller frees it. */
static char *
enumerate(const char *words)
{
	struct buf list = {0};

	for (; *words != '\0'; words++) {
		if (*words == ' ')
			buf_byte(&list, ',');
		buf_byte(&list, *words);
	}
	return buf_detach(&list);
}

/* What is wrong with a value, in words, which the caller frees; NULL: nothing. */
static char *
flaw_of(const struct route_parameter *p, const char *value)
{
	int64_t number;
	char *choices, *flaw;

	if (p->kind == ROUTE_INTEGER && (!num_int64(value, &number) || number < p->least || number > p->most))
		return p->most == INT64_MAX
			   ? buf_format("is not a number from %" PRId64 " on", p->least)
			   : buf_format("is not a number from %" PRId64 " to %" PRId64, p->least, p->most);
	if (p->kind == ROUTE_BOOLEAN && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return buf_strdup("is neither true nor false");
	if (p->kind != ROUTE_CHOICE || is_choice(p->choices, value))
		return NULL;
	choices = enumerate(p->choices);
	flaw = buf_format("is none of %s", choices);
	free(choices);
	return flaw;
}

/* 0, or 1 and the call is answered. */
static int
check_parameters(struct call *c)
{
	const struct request *r = &c->request;

	for (size_t i = 0; i < r->parameter_count; i++) {
		const struct route_parameter *p = find_parameter(c->route, r->parameters[i].name);
		char *flaw = NULL;

		if (p == NULL && !c->route->open)
			flaw = buf_strdup("is not known here");
		for (size_t other = 0; p != NULL && !p->repeatable && flaw == NULL && other < i; other++)
			if (strcmp(r->parameters[other].name, p->name) == 0)
				flaw = buf_strdup("is given twice");
		if (p != NULL && flaw == NULL)
			flaw = flaw_of(p, r->parameters[i].value);
		if (flaw != NULL) {
			response_problem(&c->response, 400, "query parameter %s %s", r->parameters[i].name, flaw);
			free(flaw);
			return 1;
		}
	}
	for (const struct route_parameter *p = c->route->parameters; p != NULL && p->name != NULL; p++) {
		const char *value = p->header ? request_header(r, p->name) : request_parameter(r, p->name);

		if (p->required && value == NULL) {
			response_problem(
			    &c->response, 400, "%s %s is missing", p->header ? "header" : "query parameter", p->name);
			return 1;
		}
	}
	return 0;
}

/* What goes in, what comes out: 0, or 1 and the call is answered. */
static int
check_media(struct call *c)
{
	const char *gives = c->route->gives != NULL ? c->route->gives : "application/json";
	char *types;

	c->type = accept_choose(request_header(&c->request, "Accept"), gives);
	if (c->type == NULL) {
		types = enumerate(gives);
		response_problem(&c->response, 406, "here is %s", types);
		free(types);
		return 1;
	}
	if (c->route->takes == NULL || (c->request.length == 0 && c->route->empty))
		return 0;
	if (c->request.length == 0 && c->route->body != NULL) {
		response_problem(&c->response, 400, "the body is missing: %s", c->route->takes);
		return 1;
	}
	for (const char *at = c->route->takes; *at != '\0';) {
		size_t length = strcspn(at, " ");
		char *type = buf_strndup(at, length);
		bool is = request_is(&c->request, type);

		free(type);
		if (is)
			return 0;
		at += length + (at[length] == ' ');
	}
	types = enumerate(c->route->takes);
	response_problem(&c->response, 415, "the body must be one of %s", types);
	free(types);
	return 1;
}

/* Other origins' pages may see the answer only if a setting names theirs (the Fetch standard, "CORS protocol"). */
static void
allow_origin(struct call *c)
{
	const char *allowed = server_origin(c->server), *origin = request_header(&c->request, "Origin");

	if (allowed == NULL || origin == NULL || strcmp(allowed, origin) != 0)
		return;
	response_header(&c->response, "Access-Control-Allow-Origin", "%s", allowed);
	response_header(&c->response, "Vary", "Origin");
	response_header(&c->response, "Access-Control-Expose-Headers", "Location, ETag, Retry-After, X-Request-Id");
	if (strcmp(c->request.method, "OPTIONS") != 0)
		return;
	response_header(&c->response, "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
	response_header(
	    &c->response, "Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, Idempotency-Key");
	response_header(&c->response, "Access-Control-Max-Age", "600");
}

static int
run(struct call *c, struct err *e)
{
	int result;

	allow_origin(c);
	if (find_route(c) != 0)
		return 0;
	result = authorize(c, e);
	if (result != 0)
		return result < 0 ? -1 : 0;
	if (check_parameters(c) != 0 || check_media(c) != 0)
		return 0;
	c->response.type = c->type;
	return c->route->handle(c, e);
}

/* The caller's own id of the request, if it is one, so that its log and ours meet; else a new one. */
static void
name_request(struct call *c, const struct gateway *gateway)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	const char *given = gateway->variable(gateway->ctx, "HTTP_X_REQUEST_ID");
	size_t length = given != NULL ? strlen(given) : 0;

	if (length > 0 && length <= LONGEST_ID && strspn(given, letters) == length)
		memcpy(c->request_id, given, length + 1);
	else
		snprintf(c->request_id, sizeof c->request_id, "%016" PRIx64, clk_random(clk_system()));
}

/* What is no fault of the client's, or what it is not told, is for the log. */
static void
log_failure(const struct call *c, const struct err *why)
{
	void (*say)(const char *format, ...) =
	    c->response.status >= 500 || c->response.sent > 0 ? log_error : log_detail;

	say("request %s: %s %s: %s", c->request_id, c->request.method, c->request.path, why->message);
}

void
call_answer(struct server *server, const struct gateway *gateway)
{
	struct call c = {.server = server};
	int64_t begun = clk_now(clk_system());
	struct err e = {0};
	int status;

	name_request(&c, gateway);
	response_init(&c.response, gateway, c.request_id);
	status = request_init(&c.request, gateway, &e);
	c.response.head = strcmp(c.request.method, "HEAD") == 0;
	if (status != 0) {
		response_problem(&c.response, status, "%s", e.message);
	} else if (run(&c, &e) != 0) {
		if (!c.response.begun)
			response_error(&c.response, &e);
		else
			gateway->cut(gateway->ctx);
		log_failure(&c, &e);
	}
	/* A client that has gone needs no answer. */
	if (response_end(&c.response, &e) != 0)
		log_detail("request %s: %s", c.request_id, e.message);
	stats_count(c.route, c.response.status, clk_now(clk_system()) - begun);
	log_detail("request %s: %s %s: %d, %" PRIu64 " bytes", c.request_id, c.request.method, c.request.path,
	    c.response.status, c.response.sent);
	response_fini(&c.response);
	request_fini(&c.request);
}
