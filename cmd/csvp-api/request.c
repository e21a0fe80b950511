#include "request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/num.h"
#include "csv/utf8.h"
#include "gateway.h"
#include "io/ahead.h"
#include "io/source.h"
#include "net/url.h"

/* Decode in place: false if it is no text that PostgreSQL could hold. */
static bool
decode(char *text)
{
	ptrdiff_t length = url_decode(text);

	return length >= 0 && utf8_flaw(text, (size_t)length) == (size_t)length;
}

static int
split_path(struct request *r, struct err *e)
{
	char *at = r->path;

	if (*at != '/') {
		err_set(e, ERR_USAGE, "the path does not begin with a slash");
		return 400;
	}
	/* A slash at the end, or two in a row, mean nothing: no segment is empty. */
	while (*(at += strspn(at, "/")) != '\0') {
		struct request_segment *segment = &r->segments[r->segment_count];
		size_t length = strcspn(at, "/");

		if (r->segment_count == REQUEST_MOST_SEGMENTS) {
			err_set(e, ERR_NOINPUT, "there is nothing at this path");
			return 404;
		}
		segment->raw = buf_strndup(at, length);
		segment->text = buf_strdup(segment->raw);
		r->segment_count++;
		if (!decode(segment->text)) {
			err_set(e, ERR_USAGE, "the path is not percent-encoded UTF-8 without NUL");
			return 400;
		}
		at += length;
	}
	return 0;
}

/* NAME=VALUE&NAME=VALUE, where a plus is a blank, as forms write it. */
static int
split_query(struct request *r, const char *query, struct err *e)
{
	while (*query != '\0') {
		size_t length = strcspn(query, "&");
		char *name = buf_strndup(query, length), *equals;
		struct request_parameter *parameter;

		query += length + (query[length] == '&');
		if (*name == '\0') {
			free(name);
			continue;
		}
		if (r->parameter_count == REQUEST_MOST_PARAMETERS) {
			free(name);
			err_set(e, ERR_USAGE, "more than %d query parameters", REQUEST_MOST_PARAMETERS);
			return 400;
		}
		for (char *plus = name; (plus = strchr(plus, '+')) != NULL;)
			*plus = ' ';
		equals = strchr(name, '=');
		r->parameters = buf_realloc(r->parameters, r->parameter_count + 1, sizeof *r->parameters);
		parameter = &r->parameters[r->parameter_count++];
		parameter->name = name;
		parameter->value = buf_strdup(equals != NULL ? equals + 1 : "");
		if (equals != NULL)
			*equals = '\0';
		if (!decode(parameter->name) || !decode(parameter->value)) {
			err_set(e, ERR_USAGE, "the query is not percent-encoded UTF-8 without NUL");
			return 400;
		}
	}
	return 0;
}

static int
read_length(struct request *r, struct err *e)
{
	const char *length = request_header(r, "Content-Length");

	if (length == NULL || *length == '\0')
		r->length = request_header(r, "Transfer-Encoding") != NULL ? -1 : 0;
	else if (!num_int64(length, &r->length) || r->length < 0) {
		err_set(e, ERR_USAGE, "Content-Length is no number of bytes");
		return 400;
	}
	return 0;
}

int
request_init(struct request *r, const struct gateway *gateway, struct err *e)
{
	const char *target = gateway->variable(gateway->ctx, "REQUEST_URI");
	const char *query;
	int status;

	*r = (struct request){.gateway = gateway, .method = gateway->variable(gateway->ctx, "REQUEST_METHOD")};
	if (r->method == NULL)
		r->method = "";
	/* PATH_INFO is decoded, and cannot tell a slash in a key from one between segments. */
	if (target == NULL)
		target = "";
	query = strchrnul(target, '?');
	r->path = buf_strndup(target, (size_t)(query - target));
	if (strlen(target) > REQUEST_LONGEST_TARGET) {
		err_set(e, ERR_USAGE, "path and query are longer than %d bytes", REQUEST_LONGEST_TARGET);
		return 414;
	}
	status = split_path(r, e);
	if (status == 0)
		status = split_query(r, *query == '?' ? query + 1 : query, e);
	return status != 0 ? status : read_length(r, e);
}

void
request_fini(struct request *r)
{
	if (r->ahead != NULL && !r->ended)
		r->gateway->finish(r->gateway->ctx);
	ahead_close(r->ahead);
	for (size_t i = 0; i < r->segment_count; i++) {
		free(r->segments[i].raw);
		free(r->segments[i].text);
	}
	for (size_t i = 0; i < r->parameter_count; i++) {
		free(r->parameters[i].name);
		free(r->parameters[i].value);
	}
	free(r->parameters);
	free(r->path);
}

const struct request_segment *
request_segment(const struct request *r, const char *name)
{
	const char *at = r->pattern;
	size_t length = strlen(name);

	for (size_t i = 0; i < r->segment_count && (at = strchr(at, '/')) != NULL; i++, at++)
		if (at[1] == '{' && strncmp(at + 2, name, length) == 0 && at[2 + length] == '}')
			return &r->segments[i];
	return NULL;
}

const char *
request_parameter(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->parameter_count; i++)
		if (strcmp(r->parameters[i].name, name) == 0)
			return r->parameters[i].value;
	return NULL;
}

const char *
request_header(const struct request *r, const char *name)
{
	struct buf variable = {0};
	const char *value;

	/* RFC 3875 4.1.18; two have names of their own (4.1.2, 4.1.3). */
	if (strcasecmp(name, "Content-Type") != 0 && strcasecmp(name, "Content-Length") != 0)
		buf_string(&variable, "HTTP_");
	for (; *name != '\0'; name++)
		buf_byte(&variable, *name == '-' ? '_' : (char)toupper((unsigned char)*name));
	value = r->gateway->variable(r->gateway->ctx, variable.bytes);
	buf_fini(&variable);
	return value;
}

bool
request_is(const struct request *r, const char *type)
{
	const char *given = request_header(r, "Content-Type");
	size_t length = given != NULL ? strcspn(given, "; \t") : 0;

	return length == strlen(type) && strncasecmp(given, type, length) == 0;
}

/* From the web server, by whichever thread reads. */
static ssize_t
receive(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct request *r = ctx;
	ssize_t got;

	if (r->length >= 0 && capacity > (uint64_t)r->length - r->received)
		capacity = (size_t)((uint64_t)r->length - r->received);
	if (capacity == 0)
		return 0;
	got = r->gateway->read(r->gateway->ctx, bytes, capacity, e);
	if (got == 0 && r->length >= 0)
		return err_set(e, ERR_IO, "the client has gone in the middle of the body");
	if (got > 0)
		r->received += (uint64_t)got;
	return got;
}

int
request_read_ahead(struct request *r, struct err *e)
{
	if (r->gateway->finish == NULL)
		return 0;
	r->ahead = ahead_open(&(struct source){receive, r, "the body"}, e);
	return r->ahead != NULL ? 0 : -1;
}

ssize_t
request_read(struct request *r, void *bytes, size_t capacity, struct err *e)
{
	ssize_t got = r->ahead != NULL ? ahead_read(r->ahead, bytes, capacity, e) : receive(r, bytes, capacity, e);

	r->ended = got == 0 && capacity > 0;
	if (got > 0)
		r->taken += (uint64_t)got;
	return got;
}

int
request_body(struct request *r, size_t most, struct buf *body, struct err *e)
{
	ssize_t got;

	if (r->length > 0 && (uint64_t)r->length > most)
		return 1;
	while ((got = request_read(r, buf_reserve(body, 4096), 4096, e)) > 0) {
		body->length += (size_t)got;
		body->bytes[body->length] = '\0';
		if (body->length > most)
			return 1;
	}
	return got < 0 ? -1 : 0;
}
