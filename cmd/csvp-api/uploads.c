#include "uploads.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/log.h"
#include "call.h"
#include "csv/utf8.h"
#include "flow/site.h"
#include "flow/upload.h"
#include "io/multipart.h"
#include "io/source.h"
#include "jobs.h"
#include "ledger/request.h"
#include "route.h"
#include "server.h"
#include "table/reading.h"

/* Of a form's fields in front of the file: how many, and how many bytes in all their values. */
enum { MOST_FIELDS = 2000, LARGEST_FIELDS = 1 << 20 };

/* An upload on its way in: what it says of itself, and the bytes. */
struct incoming {
	struct call *call;
	struct upload_settings settings;
	struct option options[UPLOAD_OPTIONS_COUNT + 1];
	const char *file;              /* what the job is to call it */
	struct source body;            /* the request's */
	struct multipart *form;        /* NULL: the body is the file */
	char *fields[MOST_FIELDS + 1]; /* values that options point to, and the file's name */
	size_t field_count, field_bytes;
	bool begun, ended; /* the file: a byte of it was read, all were */
	int refused;       /* the status that the error deserves; 0: by its code */
};

static enum route_kind
kind_of(const struct option *o)
{
	return o->kind == OPTION_FLAG ? ROUTE_BOOLEAN : o->kind == OPTION_COUNT ? ROUTE_INTEGER : ROUTE_TEXT;
}

void
api_uploads_parameters(struct route_parameter *parameters)
{
	static struct upload_settings defaults;
	struct option options[UPLOAD_OPTIONS_COUNT];
	struct route_parameter *p = parameters;

	upload_options_init(&defaults, options);
	for (size_t i = 0; i < UPLOAD_OPTIONS_COUNT; i++) {
		const struct option *o = &options[i];

		if (o->value == &defaults.dataset)
			continue;
		*p++ = (struct route_parameter){
		    .name = o->name,
		    .kind = kind_of(o),
		    .text = o->help,
		    .most = UINT32_MAX,
		    .repeatable = o->kind == OPTION_LIST,
		};
	}
	*p++ = (struct route_parameter){
	    .name = "file",
	    .kind = ROUTE_TEXT,
	    .text = "what the job calls the file (default: as the form says, else -)",
	};
	*p++ = (struct route_parameter){
	    .name = "Idempotency-Key",
	    .kind = ROUTE_TEXT,
	    .text = "a name for this upload: sent again with it, the same file is the same job",
	    .header = true,
	};
	*p = (struct route_parameter){.name = NULL};
}

/* The status is this one, whatever the error's code says. */
static int
refuse(struct incoming *in, int status)
{
	in->refused = status;
	return -1;
}

static ssize_t
read_body(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct incoming *in = ctx;
	uint64_t most = server_max_upload(in->call->server);
	ssize_t got = request_read(&in->call->request, bytes, capacity, e);

	/* Nobody is there to read it, but a log is. */
	if (got < 0 && e->code == ERR_IO)
		return refuse(in, 400);
	if (got > 0 && most > 0 && in->call->request.taken > most) {
		err_set(
		    e, ERR_DATA, "the body is longer than the %" PRIu64 " bytes that an upload may have here", most);
		return refuse(in, 413);
	}
	return got;
}

/* An error about the form's frame is the request's fault, not the data's. */
static int
form_failed(struct incoming *in, const struct err *e)
{
	return in->refused == 0 && e->code == ERR_DATA ? refuse(in, 400) : -1;
}

/* Behind the file nothing may come: its options would be too late. */
static int
finish_form(struct incoming *in, struct err *e)
{
	struct multipart_part part;
	int more = multipart_next(in->form, &part, e);

	if (more > 0)
		err_set(
		    e, ERR_DATA, "'%s' stands behind the file; one file comes, and all fields before it", part.name);
	return more == 0 ? 0 : form_failed(in, e);
}

/* The file itself. */
static ssize_t
read_file(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct incoming *in = ctx;
	ssize_t got;

	if (in->ended || capacity == 0)
		return 0;
	got = in->form != NULL ? multipart_read(in->form, bytes, capacity, e) : read_body(in, bytes, capacity, e);
	if (got < 0)
		return in->form != NULL ? form_failed(in, e) : -1;
	in->begun = in->begun || got > 0;
	in->ended = got == 0;
	if (in->ended && !in->begun) {
		err_set(e, ERR_DATA, "the file is empty");
		return refuse(in, 400);
	}
	return in->ended && in->form != NULL ? finish_form(in, e) : got;
}

static int
set_option(struct incoming *in, const char *name, const char *value, struct err *e)
{
	if (strcmp(name, "file") == 0) {
		in->file = value;
		return 0;
	}
	if (strcmp(name, "dataset") == 0)
		return err_set(e, ERR_USAGE, "the dataset is the path's");
	return options_set(in->options, name, value, e);
}

/* A field of the form in front of the file: an option, as in the query. */
static int
read_field(struct incoming *in, const char *name, struct err *e)
{
	struct buf value = {0};
	ssize_t got;

	if (in->field_count == MOST_FIELDS)
		return err_set(e, ERR_USAGE, "the form has more than %d fields", MOST_FIELDS);
	while ((got = multipart_read(in->form, buf_reserve(&value, 4096), 4096, e)) > 0) {
		value.length += (size_t)got;
		in->field_bytes += (size_t)got;
		if (in->field_bytes > LARGEST_FIELDS) {
			buf_fini(&value);
			return err_set(e, ERR_USAGE, "the form's fields are too long");
		}
	}
	if (got < 0 || utf8_flaw(value.bytes, value.length) != value.length ||
	    memchr(value.bytes, '\0', value.length) != NULL) {
		buf_fini(&value);
		return got < 0 ? form_failed(in, e) : err_set(e, ERR_USAGE, "a field of the form is not UTF-8");
	}
	in->fields[in->field_count++] = buf_detach(&value);
	/* What a person leaves empty in a form is not given. */
	if (in->fields[in->field_count - 1][0] == '\0')
		return 0;
	if (set_option(in, name, in->fields[in->field_count - 1], e) == 0)
		return 0;
	if (e->code == ERR_NOINPUT)
		err_set(e, ERR_USAGE, "the form's field '%s' is not known here; the file's has a file name", name);
	return -1;
}

/* Up to the file. */
static int
open_form(struct incoming *in, struct err *e)
{
	char *boundary = multipart_boundary(request_header(&in->call->request, "Content-Type"));
	struct multipart_part part;
	int more;

	if (boundary == NULL)
		return err_set(e, ERR_USAGE, "the form's Content-Type has no boundary");
	in->form = multipart_open(&in->body, boundary);
	free(boundary);
	while ((more = multipart_next(in->form, &part, e)) > 0) {
		if (utf8_flaw(part.name, strlen(part.name)) != strlen(part.name) ||
		    (part.file != NULL && utf8_flaw(part.file, strlen(part.file)) != strlen(part.file)))
			return err_set(e, ERR_USAGE, "a name in the form is not UTF-8");
		if (part.file != NULL) {
			if (in->file == NULL && *part.file != '\0')
				in->file = in->fields[in->field_count++] = buf_strdup(part.file);
			return 0;
		}
		if (read_field(in, part.name, e) != 0)
			return -1;
	}
	return more < 0 ? form_failed(in, e) : err_set(e, ERR_USAGE, "the form has no file");
}

static int
read_query(struct incoming *in, struct err *e)
{
	const struct request *r = &in->call->request;

	for (size_t i = 0; i < r->parameter_count; i++)
		if (set_option(in, r->parameters[i].name, r->parameters[i].value, e) != 0)
			return -1;
	return 0;
}

/* What the headers say of the body: 0, or the status that refuses it. */
static int
check_headers(struct call *c, struct err *e)
{
	const struct request *r = &c->request;
	const char *coding = request_header(r, "Content-Encoding"), *name = request_header(r, "Idempotency-Key");
	uint64_t most = server_max_upload(c->server);
	bool form = request_is(r, "multipart/form-data");

	if (r->length == 0) {
		err_set(e, ERR_USAGE, "the body is missing");
		return 400;
	}
	if (most > 0 && r->length > 0 && (uint64_t)r->length > most) {
		err_set(
		    e, ERR_USAGE, "the body is longer than the %" PRIu64 " bytes that an upload may have here", most);
		return 413;
	}
	/* Which compression it is, its first bytes say, also without this header. */
	if (coding != NULL && *coding != '\0' && strcasecmp(coding, "identity") != 0 &&
	    (form || (strcasecmp(coding, "gzip") != 0 && strcasecmp(coding, "x-gzip") != 0 &&
			 strcasecmp(coding, "zstd") != 0))) {
		err_set(e, ERR_USAGE, "Content-Encoding may be gzip or zstd, and nothing with a form");
		return 415;
	}
	if (name == NULL)
		return 0;
	for (const char *at = name; *at != '\0'; at++)
		if (*at < ' ' || *at > '~' || at - name == REQUEST_LONGEST) {
			err_set(e, ERR_USAGE, "Idempotency-Key is not ASCII, or longer than %d", REQUEST_LONGEST);
			return 400;
		}
	return 0;
}

/* The job is stored: a queue that does not answer delays it until a worker's sweep. */
static void
hand_on(const struct call *c, const struct upload_result *result)
{
	struct err e = {0};

	if (upload_enqueue(c->site, result, &e) != 0)
		log_error("request %s: job %" PRId64 " is stored, but not in the queue: %s", c->request_id, result->job,
		    e.message);
}

static int
take_in(struct incoming *in, struct upload_result *result, struct err *e)
{
	const struct upload_settings *s = &in->settings;
	struct source file = {read_file, in, "the file"};
	struct reading reading;
	struct upload upload = {
	    .path = in->file != NULL ? in->file : "-",
	    .source = &file,
	    .dataset = s->dataset,
	    .existing = s->existing,
	    .key = s->keys.values,
	    .key_count = s->keys.count,
	    .reading = &reading,
	    .max_rejects = s->max_rejects,
	    .fail_fast = s->fail_fast,
	    .force = s->force,
	    .request = request_header(&in->call->request, "Idempotency-Key"),
	};
	char *files[] = {buf_strdup(in->file != NULL ? in->file : "-")};
	int status = -1;

	if (upload.request != NULL && *upload.request == '\0')
		upload.request = NULL;
	reading_init(&reading);
	if (upload_options_check(s, files, 1, &reading, e) == 0)
		status = upload_file(in->call->site, &upload, NULL, result, e);
	free(files[0]);
	reading_fini(&reading);
	return status;
}

/* What the programs call --delimiter is the parameter delimiter here. */
static void
say_parameters(const struct incoming *in, struct err *e)
{
	for (const struct option *o = in->options; o->name != NULL; o++) {
		char *option = buf_format("--%s", o->name), *at = e->message;

		while ((at = strstr(at, option)) != NULL)
			memmove(at, at + 2, strlen(at + 2) + 1);
		free(option);
	}
}

static void
incoming_fini(struct incoming *in)
{
	for (size_t i = 0; i < in->field_count; i++)
		free(in->fields[i]);
	options_release(in->options);
	multipart_close(in->form);
	free(in);
}

static int
take_request(struct incoming *in, struct upload_result *result, struct err *e)
{
	struct call *c = in->call;

	*result = (struct upload_result){0};
	in->refused = check_headers(c, e);
	if (in->refused != 0 || read_query(in, e) != 0 || request_read_ahead(&c->request, e) != 0)
		return -1;
	if (request_is(&c->request, "multipart/form-data") && open_form(in, e) != 0)
		return -1;
	return take_in(in, result, e);
}

int
api_uploads_create(struct call *c, struct err *e)
{
	struct incoming *in = buf_calloc(1, sizeof *in);
	struct upload_result result;
	int status;

	in->call = c;
	in->body = (struct source){read_body, in, "the form"};
	upload_options_init(&in->settings, in->options);
	in->settings.dataset = call_segment(c, "dataset");
	if (server_begin_upload(c->server)) {
		status = take_request(in, &result, e);
		server_end_upload(c->server);
	} else {
		result = (struct upload_result){0};
		status = err_set(e, ERR_AGAIN, "as many uploads as may be are under way here");
	}
	if (status != 0)
		say_parameters(in, e);
	if (status == 0) {
		hand_on(c, &result);
		status = api_jobs_answer(c, 202, result.job, e);
		response_header(&c->response, "Location", "/api/jobs/%" PRId64, result.job);
	} else if (result.conflict) {
		status = response_refuse(&c->response, 409, e);
		response_header(&c->response, "Location", "/api/jobs/%" PRId64, result.job);
	} else if (in->refused != 0) {
		log_detail("request %s: %s", c->request_id, e->message);
		status = response_refuse(&c->response, in->refused, e);
	}
	incoming_fini(in);
	return status;
}
