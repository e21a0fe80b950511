#include "response.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

/* What is kept before it goes out: most answers have then a length, and can still become a problem. */
enum { KEPT = 64 * 1024, RETRY_SECONDS = 2 };

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

/*
 * What an error means to a client. `words`: its message is about what the client said. The others tell of the inside,
 * which is the log's.
 */
static const struct meaning {
	enum err_code code;
	int status;
	bool words;
	const char *instead;
} meanings[] = {
    {ERR_USAGE, 400, true, NULL},
    {ERR_DATA, 422, true, NULL},
    {ERR_NOINPUT, 404, true, NULL},
    {ERR_PERMISSION, 403, false, "csvp may not do this here; its administrator finds the reason in the log"},
    {ERR_UNAVAILABLE, 503, false, "a service that is needed is not there"},
    {ERR_AGAIN, 503, false, "not now; try again"},
    {ERR_SIGINT, 503, false, "the server is going down; try again"},
    {ERR_SIGTERM, 503, false, "the server is going down; try again"},
    {ERR_IO, 500, false, "reading or writing failed; the reason is in the log"},
    {ERR_CONFIG, 500, false, "csvp is not set up right; the reason is in the log"},
    {ERR_BUG, 500, false, "this must not happen; the reason is in the log"},
};

const char *
response_phrase(int status)
{
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

void
response_init(struct response *r, const struct gateway *gateway, const char *request_id)
{
	*r = (struct response){.gateway = gateway, .request_id = request_id};
	response_begin(r, 200, "application/json");
}

void
response_fini(struct response *r)
{
	buf_fini(&r->headers);
	buf_fini(&r->body);
}

void
response_begin(struct response *r, int status, const char *type)
{
	r->status = status;
	r->type = type;
}

void
response_header(struct response *r, const char *name, const char *format, ...)
{
	size_t begin;
	va_list ap;

	buf_printf(&r->headers, "%s: ", name);
	begin = r->headers.length;
	va_start(ap, format);
	buf_vprintf(&r->headers, format, ap);
	va_end(ap);
	/* Whatever the value is made of, it ends no line. */
	for (size_t i = begin; i < r->headers.length; i++)
		if ((unsigned char)r->headers.bytes[i] < 0x20 || r->headers.bytes[i] == 0x7f)
			r->headers.bytes[i] = ' ';
	buf_string(&r->headers, "\r\n");
}

static int
send_headers(struct response *r, bool whole, struct err *e)
{
	struct buf head = {0};
	int result;

	buf_printf(&head, "Status: %d %s\r\n", r->status, response_phrase(r->status));
	if (r->status != 204 && r->status != 304)
		buf_printf(&head, "Content-Type: %s\r\n", r->type);
	if (whole && r->status != 204 && r->status != 304)
		buf_printf(&head, "Content-Length: %zu\r\n", r->body.length);
	buf_printf(&head,
	    "X-Request-Id: %s\r\nCache-Control: %s\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
	    "Referrer-Policy: no-referrer\r\nContent-Security-Policy: %s; frame-ancestors 'none'\r\n",
	    r->request_id, r->cache != NULL ? r->cache : "no-store",
	    r->policy != NULL ? r->policy : "default-src 'none'");
	if (r->headers.length > 0)
		buf_append(&head, r->headers.bytes, r->headers.length);
	buf_string(&head, "\r\n");
	r->begun = true;
	result = r->gateway->write(r->gateway->ctx, head.bytes, head.length, e);
	buf_fini(&head);
	return result;
}

static int
flush(struct response *r, bool whole, struct err *e)
{
	size_t length = r->body.length;

	if (!r->begun && send_headers(r, whole, e) != 0)
		return -1;
	if (length > 0 && !r->head && r->gateway->write(r->gateway->ctx, r->body.bytes, length, e) != 0)
		return -1;
	r->sent += length;
	buf_reset(&r->body);
	return 0;
}

int
response_write(struct response *r, const void *bytes, size_t length, struct err *e)
{
	buf_append(&r->body, bytes, length);
	return r->body.length > KEPT ? flush(r, false, e) : 0;
}

int
response_string(struct response *r, const char *text, struct err *e)
{
	return response_write(r, text, strlen(text), e);
}

int
response_end(struct response *r, struct err *e)
{
	return flush(r, true, e);
}

int
response_text(struct response *r, int status, const char *type, const char *text)
{
	response_begin(r, status, type);
	buf_reset(&r->body);
	buf_string(&r->body, text);
	return 0;
}

int
response_json(struct response *r, int status, cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);

	cJSON_Delete(object);
	if (text == NULL)
		return response_problem(r, 503, "out of memory; try again");
	response_text(r, status, "application/json", text);
	cJSON_free(text);
	return 0;
}

int
response_redirect(struct response *r, int status, const char *location)
{
	response_header(r, "Location", "%s", location);
	return response_text(r, status, "text/plain; charset=utf-8", "");
}

static int
problem(struct response *r, int status, const char *detail, cJSON *errors)
{
	cJSON *object = cJSON_CreateObject();

	/* No header of the answer that it would have been. */
	if (status != 401 && status != 405)
		buf_reset(&r->headers);
	if (status == 503)
		response_header(r, "Retry-After", "%d", RETRY_SECONDS);
	r->policy = r->cache = NULL;
	cJSON_AddStringToObject(object, "type", "about:blank");
	cJSON_AddStringToObject(object, "title", response_phrase(status));
	cJSON_AddNumberToObject(object, "status", status);
	cJSON_AddStringToObject(object, "detail", detail);
	cJSON_AddStringToObject(object, "request_id", r->request_id);
	if (errors != NULL)
		cJSON_AddItemToObject(object, "errors", errors);
	response_json(r, status, object);
	r->type = "application/problem+json";
	return 0;
}

int
response_problem(struct response *r, int status, const char *format, ...)
{
	struct buf detail = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&detail, format, ap);
	va_end(ap);
	problem(r, status, detail.bytes, NULL);
	buf_fini(&detail);
	return 0;
}

int
response_invalid(struct response *r, cJSON *errors, const char *format, ...)
{
	struct buf detail = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&detail, format, ap);
	va_end(ap);
	problem(r, 422, detail.bytes, errors);
	buf_fini(&detail);
	return 0;
}

char *
response_words(const char *message)
{
	const char *hint = strstr(message, "; hint: ");

	return buf_strndup(message, hint != NULL ? (size_t)(hint - message) : strlen(message));
}

int
response_refuse(struct response *r, int status, const struct err *why)
{
	char *words;

	/* What the database says may name its inside. */
	if (strstr(why->message, "postgresql:") != NULL)
		return response_problem(r, status, "the database refuses it; the reason is in the log");
	words = response_words(why->message);
	response_problem(r, status, "%s", words);
	free(words);
	return 0;
}

int
response_error(struct response *r, const struct err *why)
{
	const struct meaning *m = meanings;

	while (m->code != why->code && m->code != ERR_BUG)
		m++;
	if (m->words)
		return response_refuse(r, m->status, why);
	return response_problem(r, m->status, "%s", m->instead);
}
