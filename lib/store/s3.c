/*
 * s3://bucket/prefix: the REST API of Amazon S3 (2006-03-01) as AWS, MinIO,
 * versitygw and others speak it, signed as Signature V4. An object's key stands
 * behind the prefix as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "io/digest.h"
#include "net/aws.h"
#include "net/url.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"
#include "store/store.h"
#include "store/store_driver.h"

/* --- requests --- */

struct http_exchange *
s3_begin(struct s3 *s3, const struct s3_request *request, struct err *e)
{
	bool object = request->key != NULL;
	char *url = buf_format("%s/%s%s%s%s", s3->base, object ? s3->prefix : "", object ? request->key : "",
	    request->query != NULL ? "?" : "", request->query != NULL ? request->query : "");
	const char *headers[2 + sizeof request->headers / sizeof *request->headers] = {NULL};
	unsigned char sha256[DIGEST_BYTES];
	char hex[DIGEST_HEX] = "UNSIGNED-PAYLOAD", *hash;
	struct http_exchange *exchange;

	/* The server compares: what arrives is what was sent. */
	if (!request->checked) {
		digest_sha256(request->body != NULL ? request->body : "", request->length, sha256);
		digest_hex(sha256, hex);
	}
	hash = buf_format("x-amz-content-sha256: %s", hex);
	headers[0] = hash;
	memcpy(headers + 1, request->headers, sizeof request->headers);
	exchange = http_begin(s3->http,
	    &(struct http_request){
		.method = request->method,
		.url = url,
		.headers = headers,
		.body = request->body,
		.length = request->length,
		.streamed = request->streamed,
	    },
	    e);
	free(hash);
	free(url);
	return exchange;
}

/* What S3 calls an error, where the status alone does not say what to do about it. */
static enum err_code
code_of(const char *name, enum err_code code)
{
	static const struct {
		const char *name;
		enum err_code code;
	} codes[] = {{"NoSuchBucket", ERR_CONFIG}, {"PermanentRedirect", ERR_CONFIG}, {"InvalidBucketName", ERR_CONFIG},
	    {"AuthorizationHeaderMalformed", ERR_CONFIG}, {"IllegalLocationConstraintException", ERR_CONFIG},
	    {"PreconditionFailed", ERR_DATA}, {"ConditionalRequestConflict", ERR_AGAIN},
	    {"OperationAborted", ERR_AGAIN}, {"RequestTimeout", ERR_AGAIN}, {"SlowDown", ERR_AGAIN},
	    {"InternalError", ERR_AGAIN}, {"XAmzContentSHA256Mismatch", ERR_AGAIN}, {"BadDigest", ERR_AGAIN},
	    {"IncompleteBody", ERR_AGAIN}};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	return code == ERR_BUG ? ERR_IO : code;
}

int
s3_error(const struct http_response *response, struct err *e)
{
	struct buf name = {0}, message = {0}, detail = {0};
	int status = 0;

	if (s3_xml_find(response->body.bytes, "Code", &name)) {
		s3_xml_find(response->body.bytes, "Message", &message);
		buf_printf(&detail, "%s, %s", name.bytes, message.bytes);
	}
	if (http_check(response, detail.bytes, e) != 0) {
		e->code = response->status == 412 ? ERR_DATA : code_of(name.bytes, e->code);
		status = -1;
	} else if (name.length > 0) {
		status = err_set(e, code_of(name.bytes, ERR_AGAIN), "%s", detail.bytes);
	}
	if (strcmp(name.bytes, "RequestTimeTooSkewed") == 0)
		err_set(e, ERR_PERMISSION, "%s; hint: this machine's clock is wrong", e->message);
	/* To HEAD nobody says why. */
	if (response->status == 403 && name.length == 0)
		err_set(e, ERR_PERMISSION,
		    "%s; hint: AWS_ACCESS_KEY_ID may not do this here, or may not list the bucket, and the object is "
		    "missing",
		    e->message);
	buf_fini(&name);
	buf_fini(&message);
	buf_fini(&detail);
	return status;
}

int
s3_status(struct http_exchange *exchange)
{
	return exchange != NULL ? http_response(exchange)->status : 0;
}

int
s3_finish(struct http_exchange *exchange, struct err *e)
{
	if (http_finish(exchange, e) != 0)
		return -1;
	/* Objects are not looked into: only an answer that failed is a document. */
	return s3_status(exchange) / 100 == 2 ? 0 : s3_error(http_response(exchange), e);
}

int
s3_request(struct s3 *s3, const struct s3_request *request, struct http_exchange **exchange, struct err *e)
{
	*exchange = s3_begin(s3, request, e);
	return *exchange != NULL ? s3_finish(*exchange, e) : -1;
}

/* An answer that is no failure here leaves none behind: who looks at the error alone would find it. */
static int
forgive(struct err *e)
{
	*e = (struct err){0};
	return 0;
}

/* --- the bucket --- */

static void
s3_close(void *handle)
{
	struct s3 *s3 = handle;

	http_close(s3->http);
	free(s3->base);
	free(s3->prefix);
	free(s3->region);
	free(s3);
}

static void
s3_shield(void *handle, bool on)
{
	struct s3 *s3 = handle;

	http_shield(s3->http, on);
}

/*
 * Where the bucket is: as a host of its own (virtual-host style, what AWS
 * wants) or as a folder of the endpoint (path style, what others are set up
 * for). ?style=virtual and ?style=path decide it, else the endpoint does.
 */
static int
find_bucket(struct s3 *s3, const struct url *url, const struct aws *aws, struct err *e)
{
	char *style = url_parameter(url, "style");
	char *endpoint =
	    aws->endpoint != NULL ? buf_strdup(aws->endpoint) : buf_format("https://s3.%s.amazonaws.com", s3->region);
	bool dotted = strchr(url->host, '.') != NULL; /* no certificate fits two levels */
	bool virtual = aws->endpoint == NULL && !dotted;
	char *host = strstr(endpoint, "://");
	int status = 0;

	if (style != NULL && strcmp(style, "virtual") != 0 && strcmp(style, "path") != 0)
		status = err_set(e, ERR_CONFIG, "style '%s'; hint: ?style=virtual or ?style=path", style);
	else if (host == NULL)
		status = err_set(e, ERR_CONFIG, "endpoint '%s'; hint: a URL such as https://host:9000", endpoint);
	if (style != NULL)
		virtual = strcmp(style, "virtual") == 0;
	while (status == 0 && endpoint[strlen(endpoint) - 1] == '/')
		endpoint[strlen(endpoint) - 1] = '\0';
	if (status == 0 && virtual)
		s3->base = buf_format("%.*s%s.%s", (int)(host + 3 - endpoint), endpoint, url->host, host + 3);
	else if (status == 0)
		s3->base = buf_format("%s/%s", endpoint, url->host);
	free(style);
	free(endpoint);
	return status;
}

/* The answer to HEAD has no reason: is it the key itself that is refused, whatever it is used for? 0 no, -1. */
static int
check_key(struct s3 *s3, struct err *e)
{
	static const char *const names[] = {
	    "SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed", "ExpiredToken", "InvalidToken"};
	struct s3_request list = {.method = "GET", .query = "list-type=2&max-keys=0"};
	struct http_exchange *answer;
	int status = s3_request(s3, &list, &answer, e);
	bool refused = false;

	http_end(answer);
	for (size_t i = 0; status != 0 && i < sizeof names / sizeof *names; i++)
		refused = refused || strstr(e->message, names[i]) != NULL;
	return refused ? -1 : forgive(e);
}

/* Make the bucket if it is missing. Who may only use its objects is not told whether it is there: then it is. */
static int
ensure_bucket(struct s3 *s3, struct err *e)
{
	struct s3_request head = {.method = "HEAD"};
	struct s3_request make = {.method = "PUT"};
	char *place = NULL;
	struct http_exchange *answer;
	int status = s3_request(s3, &head, &answer, e);

	if (status != 0 && s3_status(answer) == 403)
		status = check_key(s3, e);
	if (status == 0 || s3_status(answer) != 404) {
		http_end(answer);
		return status;
	}
	http_end(answer);
	forgive(e);
	if (strcmp(s3->region, "us-east-1") != 0) {
		place = buf_format("<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint>"
				   "</CreateBucketConfiguration>",
		    s3->region);
		make.body = place;
		make.length = strlen(place);
	}
	status = s3_request(s3, &make, &answer, e);
	/* Somebody else was faster. */
	if (status != 0 && s3_status(answer) == 409 && strstr(e->message, "BucketAlready") != NULL)
		status = forgive(e);
	http_end(answer);
	free(place);
	return status == 0 ? 0 : err_prefix(e, "cannot make the bucket");
}

static int
s3_check(const struct store_options *options, const struct url *url, struct err *e)
{
	(void)options;
	if (url->host == NULL || url->host[0] == '\0' || url->user != NULL || url->port != 0)
		return err_set(
		    e, ERR_CONFIG, "no bucket; hint: s3://BUCKET/PREFIX, and the server in AWS_ENDPOINT_URL_S3");
	return 0;
}

static void *
s3_open(const struct store_options *options, const struct url *url, struct err *e)
{
	static const struct aws nobody;
	const struct aws *aws = options->aws != NULL ? options->aws : &nobody;
	struct s3 *s3;
	size_t length;

	s3 = buf_calloc(1, sizeof *s3);
	s3->region = buf_strdup(aws->region != NULL ? aws->region : "us-east-1");
	s3->prefix = url_encode(url->path + strspn(url->path, "/"));
	length = strlen(s3->prefix);
	while (length > 0 && s3->prefix[length - 1] == '/')
		s3->prefix[--length] = '\0';
	if (length > 0) {
		s3->prefix = buf_realloc(s3->prefix, length + 2, 1);
		strcpy(s3->prefix + length, "/");
	}
	s3->http = http_open(&(struct http_options){.ca_file = aws->ca_file, .service = "s3", .aws = aws}, e);
	if (s3->http != NULL && find_bucket(s3, url, aws, e) == 0 && ensure_bucket(s3, e) == 0)
		return s3;
	s3_close(s3);
	return NULL;
}

/* --- objects --- */

static void *
s3_get(void *handle, const char *key, uint64_t offset, uint64_t length, struct err *e)
{
	char range[64];
	struct s3_request get = {.method = "GET", .key = key, .headers = {range}, .streamed = true};
	struct http_exchange *reader;

	snprintf(range, sizeof range, "Range: bytes=%llu-%llu", (unsigned long long)offset,
	    (unsigned long long)(offset + length - 1));
	reader = s3_begin(handle, &get, e);
	if (reader == NULL || http_head(reader, e) != 0)
		goto fail;
	/* 416: it begins behind the end. Reading then gives nothing, which says so. */
	if (s3_status(reader) != 206 && s3_status(reader) != 416 && s3_finish(reader, e) != 0)
		goto fail;
	if (s3_status(reader) == 200) {
		err_set(e, ERR_IO, "the server does not give ranges");
		goto fail;
	}
	return reader;

fail:
	http_end(reader);
	return NULL;
}

static ssize_t
s3_read(void *reader, void *bytes, size_t capacity, struct err *e)
{
	return s3_status(reader) == 416 ? 0 : http_read(reader, bytes, capacity, e);
}

static void
s3_release(void *reader)
{
	http_end(reader);
}

static int
s3_size(void *handle, const char *key, uint64_t *size, struct err *e)
{
	struct s3_request head = {.method = "HEAD", .key = key};
	struct http_exchange *answer;
	int status = s3_request(handle, &head, &answer, e);
	const char *length = status == 0 ? http_header(http_response(answer), "Content-Length") : NULL;

	if (status == 0 && (length == NULL || !num_uint64(length, size)))
		status = err_set(e, ERR_IO, "the server does not tell its length");
	http_end(answer);
	return status;
}

int
s3_abort(struct s3 *s3, const char *key, const char *upload, struct err *e)
{
	char *query = buf_format("uploadId=%s", upload);
	struct s3_request request = {.method = "DELETE", .key = key, .query = query};
	struct http_exchange *answer;
	int status = s3_request(s3, &request, &answer, e);

	if (status != 0 && s3_status(answer) == 404)
		status = forgive(e);
	http_end(answer);
	free(query);
	return status;
}

int
s3_abort_all(struct s3 *s3, const char *key, struct err *e)
{
	char *whole = buf_format("%s%s", s3->prefix, key);
	char *prefix = url_encode_value(whole);
	/* MinIO lists them only by the whole key. */
	char *query = buf_format("prefix=%s&uploads=", prefix);
	struct s3_request request = {.method = "GET", .query = query};
	struct buf name = {0}, upload = {0};
	struct http_exchange *answer;
	int status = s3_request(s3, &request, &answer, e);
	const char *at = status == 0 ? http_response(answer)->body.bytes : NULL;

	while (status == 0 && at != NULL && s3_xml_next(&at, "Key", &name) && s3_xml_next(&at, "UploadId", &upload))
		if (strcmp(name.bytes, whole) == 0) {
			char *id = url_encode_value(upload.bytes);

			status = s3_abort(s3, key, id, e);
			free(id);
		}
	http_end(answer);
	buf_fini(&name);
	buf_fini(&upload);
	free(query);
	free(prefix);
	free(whole);
	return status;
}

static int
s3_remove(void *handle, const char *key, struct err *e)
{
	struct s3_request request = {.method = "DELETE", .key = key};
	struct http_exchange *answer;
	int status = s3_request(handle, &request, &answer, e);

	if (status != 0 && s3_status(answer) == 404)
		status = forgive(e);
	http_end(answer);
	return status == 0 ? s3_abort_all(handle, key, e) : -1;
}

/* Keys of one page, the last of them in `after`; 1 if there are more. */
static int
list_page(const struct s3 *s3, const char *document, struct buf *after,
    int (*each)(void *ctx, const char *key, struct err *e), void *ctx, struct err *e)
{
	struct buf text = {0};
	const char *at = document;
	size_t prefix = strlen(s3->prefix);
	int more = s3_xml_find(document, "IsTruncated", &text) && strcmp(text.bytes, "true") == 0;
	int status = 0;

	while (status == 0 && s3_xml_next(&at, "Key", &text)) {
		/* encoding-type=url: also a blank as a plus. */
		for (char *p = text.bytes; *p != '\0'; p++)
			if (*p == '+')
				*p = ' ';
		if (url_decode(text.bytes) < 0 || strncmp(text.bytes, s3->prefix, prefix) != 0)
			continue;
		buf_reset(after);
		buf_string(after, text.bytes);
		status = each(ctx, text.bytes + prefix, e) != 0 ? -1 : 0;
	}
	buf_fini(&text);
	return status != 0 ? -1 : more;
}

static int
s3_list(void *handle, const char *prefix, const char *after, int (*each)(void *ctx, const char *key, struct err *e),
    void *ctx, struct err *e)
{
	struct s3 *s3 = handle;
	char *whole = buf_format("%s%s", s3->prefix, prefix);
	char *wanted = url_encode_value(whole);
	struct buf last = {0};
	int more = 1;

	buf_printf(&last, "%s%s", after[0] != '\0' ? s3->prefix : "", after);
	while (more > 0) {
		char *begin = url_encode_value(last.bytes);
		char *query = buf_format("encoding-type=url&list-type=2&prefix=%s&start-after=%s", wanted, begin);
		struct s3_request request = {.method = "GET", .query = query};
		struct http_exchange *answer;

		more = s3_request(s3, &request, &answer, e);
		if (more == 0 && http_response(answer)->body.bytes != NULL)
			more = list_page(s3, http_response(answer)->body.bytes, &last, each, ctx, e);
		http_end(answer);
		free(query);
		free(begin);
	}
	buf_fini(&last);
	free(wanted);
	free(whole);
	return more;
}

const struct store_driver *
s3_driver(void)
{
	static const struct store_driver driver = {
	    .scheme = "s3",
	    .block = 1 << 20,
	    .check = s3_check,
	    .open = s3_open,
	    .close = s3_close,
	    .shield = s3_shield,
	    .create = s3_put_create,
	    .room = s3_put_room,
	    .write = s3_put_write,
	    .commit = s3_put_commit,
	    .end = s3_put_end,
	    .get = s3_get,
	    .read = s3_read,
	    .release = s3_release,
	    .size = s3_size,
	    .remove = s3_remove,
	    .list = s3_list,
	};

	return &driver;
}
