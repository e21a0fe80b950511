/*
 * s3+v2://bucket/prefix: stores that only speak Signature V2, through libs3.
 * An object's key stands behind the prefix as it is.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/aws.h"
#include "net/url.h"
#include "store/libs3_internal.h"
#include "store/store.h"
#include "store/store_driver.h"

enum {
	BLOCK = 1 << 20,
	AHEAD = 1 << 18 /* of a get, taken from the connection at once */
};

static const S3ResponseHandler handler = {libs3_call_answer, libs3_call_done};

/* --- the bucket --- */

static void
free_secret(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void
libs3_close(void *handle)
{
	struct libs3 *store = handle;

	if (store->idle != NULL)
		S3_destroy_request_context(store->idle);
	free(store->host);
	free(store->name);
	free(store->access_key);
	free_secret(store->secret_key);
	free(store->region);
	free(store->prefix);
	free(store->spill);
	free(store);
}

static void
libs3_shield(void *handle, bool on)
{
	struct libs3 *store = handle;

	store->shielded = on;
}

/* Where the server is. libs3 checks no certificate: who wants TLS all the same has to say so. */
static int
find_server(struct libs3 *store, const struct url *url, const char *endpoint, struct err *e)
{
	char *style = url_parameter(url, "style"), *tls = url_parameter(url, "tls");
	struct url server = {0};
	int status = 0;

	if (style != NULL && strcmp(style, "virtual") != 0 && strcmp(style, "path") != 0)
		status = err_set(e, ERR_CONFIG, "style '%s'; hint: ?style=virtual or ?style=path", style);
	else if (url_parse(endpoint, &server, e) != 0)
		status = err_prefix(e, "endpoint");
	if (status == 0) {
		bool secure = strcmp(server.scheme, "https") == 0;

		if ((!secure && strcmp(server.scheme, "http") != 0) || server.host == NULL ||
		    strspn(server.path, "/") != strlen(server.path))
			status =
			    err_set(e, ERR_CONFIG, "endpoint '%s'; hint: a URL such as http://host:9000", endpoint);
		else if (secure && (tls == NULL || strcmp(tls, "unverified") != 0))
			status = err_set(e, ERR_CONFIG,
			    "libs3 checks no certificate; hint: ?tls=unverified if that will do, else http:// to a TLS "
			    "proxy");
		else if (strchr(server.host, ':') != NULL)
			store->host = buf_format("[%s]:%u", server.host,
			    server.port != 0 ? server.port
			    : secure         ? 443
					     : 80);
		else if (server.port != 0)
			store->host = buf_format("%s:%u", server.host, server.port);
		else
			store->host = buf_strdup(server.host);
		store->bucket.protocol = secure ? S3ProtocolHTTPS : S3ProtocolHTTP;
		store->bucket.uriStyle =
		    style != NULL && strcmp(style, "virtual") == 0 ? S3UriStyleVirtualHost : S3UriStylePath;
		url_fini(&server);
	}
	free(style);
	free(tls);
	return status;
}

/* Make the bucket if it is missing. Who may only use its objects is not told whether it is there: then it is. */
static int
ensure_bucket(struct libs3 *store, struct err *e)
{
	const S3BucketContext *bucket = &store->bucket;
	char place[64] = "";
	struct libs3_call call;
	int status;

	status = libs3_call_begin(&call, store, e);
	if (status == 0) {
		S3_test_bucket(bucket->protocol, bucket->uriStyle, store->access_key, store->secret_key, store->host,
		    store->name, sizeof place, place, call.context, &handler, &call);
		libs3_call_begun();
		status = libs3_call_finish(&call, e);
	}
	libs3_call_end(&call);
	if (status == 0 || e->code == ERR_PERMISSION)
		return 0;
	if (call.status != S3StatusErrorNoSuchBucket && call.status != S3StatusHttpErrorNotFound)
		return -1;
	status = libs3_call_begin(&call, store, e);
	if (status == 0) {
		S3_create_bucket(bucket->protocol, store->access_key, store->secret_key, store->host, store->name,
		    S3CannedAclPrivate, store->region, call.context, &handler, &call);
		libs3_call_begun();
		status = libs3_call_finish(&call, e);
	}
	libs3_call_end(&call);
	/* Somebody else was faster. */
	if (status != 0 &&
	    (call.status == S3StatusErrorBucketAlreadyOwnedByYou || call.status == S3StatusErrorBucketAlreadyExists))
		status = 0;
	return status == 0 ? 0 : err_prefix(e, "cannot make the bucket");
}

static void
init_library(void)
{
	/* Nothing can be said of a failure here: the first request meets it again. */
	(void)S3_initialize("csvp", S3_INIT_ALL, NULL);
}

static int
libs3_check(const struct store_options *options, const struct url *url, struct err *e)
{
	const struct aws *aws = options->aws;
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";

	if (url->host == NULL || url->host[0] == '\0' || url->user != NULL || url->port != 0)
		return err_set(
		    e, ERR_CONFIG, "no bucket; hint: s3+v2://BUCKET/PREFIX, and the server in AWS_ENDPOINT_URL_S3");
	if (url->path[strspn(url->path, plain)] != '\0')
		return err_set(e, ERR_CONFIG, "prefix '%s'; hint: letters, digits and -._~/ only", url->path);
	if (aws == NULL || aws->endpoint == NULL)
		return err_set(e, ERR_CONFIG, "no server; hint: set AWS_ENDPOINT_URL_S3; Amazon's own speaks s3://");
	if (aws->access_key == NULL || aws->secret_key == NULL)
		return err_set(e, ERR_CONFIG, "no credentials; hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	if (aws->session_token != NULL)
		return err_set(
		    e, ERR_CONFIG, "libs3 knows no session tokens; hint: unset AWS_SESSION_TOKEN, or use s3://");
	return 0;
}

static void *
libs3_open(const struct store_options *options, const struct url *url, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct aws *aws = options->aws;
	const char *prefix = url->path + strspn(url->path, "/");
	size_t length = strlen(prefix);
	struct libs3 *store;

	pthread_once(&once, init_library);
	store = buf_calloc(1, sizeof *store);
	while (length > 0 && prefix[length - 1] == '/')
		length--;
	store->prefix = buf_format("%.*s%s", (int)length, prefix, length > 0 ? "/" : "");
	store->name = buf_strdup(url->host);
	store->access_key = buf_strdup(aws->access_key);
	store->secret_key = buf_strdup(aws->secret_key);
	if (aws->region != NULL && strcmp(aws->region, "us-east-1") != 0)
		store->region = buf_strdup(aws->region);
	if (options->spill != NULL)
		store->spill = buf_strdup(options->spill);
	if (find_server(store, url, aws->endpoint, e) == 0) {
		store->bucket.hostName = store->host;
		store->bucket.bucketName = store->name;
		store->bucket.accessKeyId = store->access_key;
		store->bucket.secretAccessKey = store->secret_key;
		if (ensure_bucket(store, e) == 0)
			return store;
	}
	libs3_close(store);
	return NULL;
}

/* --- reading --- */

static int
libs3_size(void *handle, const char *key, uint64_t *size, struct err *e)
{
	struct libs3 *store = handle;
	char *whole = buf_format("%s%s", store->prefix, key);
	struct libs3_call call;
	int status = libs3_call_head(store, whole, &call, e);

	*size = status == 0 ? call.length : 0;
	free(whole);
	return status;
}

static S3Status
on_bytes(int length, const char *bytes, void *ctx)
{
	struct libs3_call *call = ctx;

	buf_append(&call->bytes, bytes, (size_t)length);
	call->arrived += (uint64_t)length;
	return S3StatusOK;
}

struct reader {
	struct libs3_call call;
	size_t taken; /* of the bytes that have arrived */
};

static void
libs3_release(void *handle)
{
	struct reader *reader = handle;

	libs3_call_end(&reader->call);
	free(reader);
}

static void *
libs3_get(void *handle, const char *key, uint64_t offset, uint64_t length, struct err *e)
{
	static const S3GetObjectHandler get = {{libs3_call_answer, libs3_call_done}, on_bytes};
	struct libs3 *store = handle;
	struct reader *reader = buf_calloc(1, sizeof *reader);
	struct libs3_call *call = &reader->call;
	char *whole = buf_format("%s%s", store->prefix, key);
	int status = libs3_call_begin(call, store, e);

	if (status == 0) {
		S3_get_object(&store->bucket, whole, NULL, offset, length, call->context, &get, call);
		libs3_call_begun();
		status = libs3_call_run(call, 0, e);
	}
	free(whole);
	/* InvalidRange: it begins behind the end. Reading then gives nothing, which says so. */
	if (status == 0 && call->done && call->status != S3StatusErrorInvalidRange)
		status = libs3_call_check(call, e);
	if (status == 0 && call->length > length)
		status = err_set(e, ERR_IO, "the server does not give ranges");
	if (status == 0)
		return reader;
	libs3_release(reader);
	return NULL;
}

static ssize_t
libs3_read(void *handle, void *bytes, size_t capacity, struct err *e)
{
	struct reader *reader = handle;
	struct libs3_call *call = &reader->call;
	size_t left;

	if (reader->taken == call->bytes.length) {
		buf_reset(&call->bytes);
		reader->taken = 0;
		if (libs3_call_run(call, AHEAD, e) != 0)
			return -1;
	}
	left = call->bytes.length - reader->taken;
	if (left == 0) {
		if (call->status == S3StatusErrorInvalidRange)
			return 0;
		if (libs3_call_check(call, e) != 0)
			return -1;
		/* For libs3 an answer that breaks off is a success. */
		if (call->arrived < call->length)
			return err_set(e, ERR_AGAIN, "the connection broke at byte %" PRIu64 " of %" PRIu64,
			    call->arrived, call->length);
		return 0;
	}
	if (capacity > left)
		capacity = left;
	memcpy(bytes, call->bytes.bytes + reader->taken, capacity);
	reader->taken += capacity;
	return (ssize_t)capacity;
}

/* --- keys --- */

static int
libs3_remove(void *handle, const char *key, struct err *e)
{
	struct libs3 *store = handle;
	char *whole = buf_format("%s%s", store->prefix, key);
	struct libs3_call call;
	int status = libs3_call_begin(&call, store, e);

	if (status == 0) {
		S3_delete_object(&store->bucket, whole, call.context, &handler, &call);
		libs3_call_begun();
		status = libs3_call_finish(&call, e);
	}
	libs3_call_end(&call);
	free(whole);
	return status != 0 && e->code == ERR_NOINPUT ? 0 : status;
}

/* Keys of a page, each with a NUL behind it. */
static S3Status
on_keys(int truncated, const char *next, int count, const S3ListBucketContent *contents, int prefixes,
    const char **common, void *ctx)
{
	struct libs3_call *call = ctx;

	(void)truncated;
	(void)next;
	(void)prefixes;
	(void)common;
	for (int i = 0; i < count; i++)
		buf_append(&call->bytes, contents[i].key, strlen(contents[i].key) + 1);
	return S3StatusOK;
}

/* The next page behind *last, which becomes its last key; 1 if it was not empty. */
static int
list_page(struct libs3 *store, const char *whole, struct buf *last,
    int (*each)(void *ctx, const char *key, struct err *e), void *ctx, struct err *e)
{
	static const S3ListBucketHandler list = {{libs3_call_answer, libs3_call_done}, on_keys};
	size_t prefix = strlen(store->prefix);
	struct libs3_call call;
	int status = libs3_call_begin(&call, store, e);

	if (status == 0) {
		S3_list_bucket(&store->bucket, whole, last->bytes, NULL, 0, call.context, &list, &call);
		libs3_call_begun();
		status = libs3_call_finish(&call, e);
	}
	for (size_t at = 0; status >= 0 && at < call.bytes.length;) {
		const char *key = call.bytes.bytes + at;

		at += strlen(key) + 1;
		buf_reset(last);
		buf_string(last, key);
		status = 1;
		if (strncmp(key, store->prefix, prefix) == 0 && each(ctx, key + prefix, e) != 0)
			status = -1;
	}
	libs3_call_end(&call);
	return status;
}

static int
libs3_list(void *handle, const char *prefix, const char *after, int (*each)(void *ctx, const char *key, struct err *e),
    void *ctx, struct err *e)
{
	struct libs3 *store = handle;
	char *whole = buf_format("%s%s", store->prefix, prefix);
	struct buf last = {0};
	int more;

	buf_printf(&last, "%s%s", after[0] != '\0' ? store->prefix : "", after);
	do
		more = list_page(store, whole, &last, each, ctx, e);
	while (more > 0);
	buf_fini(&last);
	free(whole);
	return more;
}

const struct store_driver *
libs3_driver(void)
{
	static const struct store_driver driver = {
	    .scheme = "s3+v2",
	    .block = BLOCK,
	    .shared = true,
	    .check = libs3_check,
	    .open = libs3_open,
	    .close = libs3_close,
	    .shield = libs3_shield,
	    .create = libs3_put_create,
	    .write = libs3_put_write,
	    .commit = libs3_put_commit,
	    .end = libs3_put_end,
	    .get = libs3_get,
	    .read = libs3_read,
	    .release = libs3_release,
	    .size = libs3_size,
	    .remove = libs3_remove,
	    .list = libs3_list,
	};

	return &driver;
}
