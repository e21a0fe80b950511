#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "net/http_internal.h"

enum {
	SHIELD_MS = 10000,        /* an answer to what is sent after a signal */
	AHEAD = 1 << 20,          /* of a streamed body held in memory; the socket's buffer comes on top */
	SHOWN = 1 << 16,          /* of the body of an error kept for its message */
	CURL_CHUNK = 256 * 1024L, /* bytes libcurl moves at once: 16 kB, its default, costs twice the system calls */
};

struct http_exchange {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct http_response response;
	struct buf ahead; /* of a streamed body: not read yet, from `taken` on */
	size_t taken;
	int64_t stall;
	bool streamed;
	bool head;   /* status and headers are known */
	bool paused; /* `ahead` is full */
	bool done;
	CURLcode result; /* when done */
	char text[CURL_ERROR_SIZE];
};

static bool
good(const struct http_exchange *x)
{
	return x->response.status >= 200 && x->response.status < 300;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_exchange *x = ctx;
	size_t length = size * count;
	long status = 0;

	while (length > 0 && isspace((unsigned char)bytes[length - 1]))
		length--;
	if (length > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		/* A new head: what came before was 100 Continue, or an attempt that libcurl made again. */
		buf_reset(&x->response.headers);
	} else if (length > 0) {
		buf_append(&x->response.headers, bytes, length);
		buf_byte(&x->response.headers, '\0');
	} else {
		curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
		x->response.status = (int)status;
		x->head = status >= 200;
	}
	return size * count;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_exchange *x = ctx;
	size_t length = size * count;

	if (!x->streamed) {
		buf_append(&x->response.body, bytes, length);
	} else if (!good(x)) {
		size_t room = SHOWN - x->response.body.length;

		buf_append(&x->response.body, bytes, length < room ? length : room);
	} else if (x->ahead.length - x->taken >= AHEAD) {
		x->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	} else {
		if (x->taken > 0) {
			memmove(x->ahead.bytes, x->ahead.bytes + x->taken, x->ahead.length - x->taken);
			x->ahead.length -= x->taken;
			x->taken = 0;
		}
		buf_append(&x->ahead, bytes, length);
	}
	return length;
}

static void
add_header(struct http_exchange *x, const char *line)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	/* As buf_malloc: a lost header would be another request. */
	if (longer == NULL)
		abort();
	x->headers = longer;
}

static void
set_headers(struct http_exchange *x, const struct http_request *request)
{
	const struct http *http = x->http;

	for (const char *const *line = request->headers; line != NULL && *line != NULL; line++)
		add_header(x, *line);
	if (http->header != NULL)
		add_header(x, http->header);
	if (http->token != NULL)
		add_header(x, http->token);
	if (request->body != NULL) {
		char *type =
		    buf_format("Content-Type: %s", request->type != NULL ? request->type : "application/octet-stream");

		add_header(x, type);
		free(type);
	}
	/* Spares a round trip; where it is signed, libcurl 7.88 would sign the removed header. */
	if (http->sign == NULL)
		add_header(x, "Expect:");
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
}

static void
set_method(struct http_exchange *x, const struct http_request *request)
{
	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body != NULL || strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0) {
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
	}
	curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
set_identity(struct http_exchange *x)
{
	const struct http *http = x->http;

	if (http->sign != NULL) {
		curl_easy_setopt(x->easy, CURLOPT_AWS_SIGV4, http->sign);
		curl_easy_setopt(x->easy, CURLOPT_USERNAME, http->access_key);
		curl_easy_setopt(x->easy, CURLOPT_PASSWORD, http->secret_key);
	} else if (http->user != NULL) {
		curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(x->easy, CURLOPT_USERNAME, http->user);
		curl_easy_setopt(x->easy, CURLOPT_PASSWORD, http->password != NULL ? http->password : "");
	}
	if (http->ca_file != NULL)
		curl_easy_setopt(x->easy, CURLOPT_CAINFO, http->ca_file);
}

static void
set_transfer(struct http_exchange *x, const char *url)
{
	curl_easy_setopt(x->easy, CURLOPT_URL, url);
	curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)x->http->connect);
	curl_easy_setopt(x->easy, CURLOPT_BUFFERSIZE, CURL_CHUNK);
	curl_easy_setopt(x->easy, CURLOPT_UPLOAD_BUFFERSIZE, 1024 * 1024L);
	curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "csvp/" CSVP_VERSION);
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->text);
	curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
	curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
}

struct http_exchange *
http_begin(struct http *http, const struct http_request *request, struct err *e)
{
	struct http_exchange *x = buf_calloc(1, sizeof *x);

	x->http = http;
	x->streamed = request->streamed;
	x->stall = request->stall != 0 ? request->stall : http->stall;
	x->easy = curl_easy_init();
	if (x->easy == NULL) {
		err_set(e, ERR_AGAIN, "libcurl does not start");
		goto fail;
	}
	set_transfer(x, request->url);
	set_method(x, request);
	set_identity(x);
	set_headers(x, request);
	if (curl_multi_add_handle(http->multi, x->easy) != CURLM_OK) {
		err_set(e, ERR_BUG, "libcurl does not take the request");
		goto fail;
	}
	if (http_pump(x, e) < 0)
		goto fail;
	return x;

fail:
	http_end(x);
	return NULL;
}

void
http_end(struct http_exchange *x)
{
	if (x == NULL)
		return;
	if (x->easy != NULL) {
		curl_multi_remove_handle(x->http->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	curl_slist_free_all(x->headers);
	http_response_fini(&x->response);
	buf_fini(&x->ahead);
	free(x);
}

struct http_response *
http_response(struct http_exchange *x)
{
	return &x->response;
}

/* What ended an exchange before it was whole. */
static int
broken(const struct http_exchange *x, struct err *e)
{
	const char *why = x->text[0] != '\0' ? x->text : curl_easy_strerror(x->result);
	char first = (char)tolower((unsigned char)why[0]);

	switch (x->result) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(e, ERR_CONFIG, "not a URL of http: or https:: %c%s", first, why + 1);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return err_set(e, ERR_CONFIG, "the server's certificate cannot be trusted: %s", why);
	default:
		return err_set(e, ERR_AGAIN, "%c%s", first, why + 1);
	}
}

/* Let libcurl move what it can, and note which exchanges have ended. */
static int
move(struct http *http, struct err *e)
{
	CURLMsg *message;
	int running, more;

	if (curl_multi_perform(http->multi, &running) != CURLM_OK)
		return err_set(e, ERR_BUG, "libcurl does not move");
	while ((message = curl_multi_info_read(http->multi, &more)) != NULL) {
		struct http_exchange *x = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
		x->done = true;
		x->result = message->data.result;
	}
	return 0;
}

/* 1 when it has ended well, 0 when it goes on, -1 when it is broken. */
static int
outcome(const struct http_exchange *x, struct err *e)
{
	if (!x->done)
		return 0;
	return x->result == CURLE_OK ? 1 : broken(x, e);
}

int
http_pump(struct http_exchange *x, struct err *e)
{
	return move(x->http, e) != 0 ? -1 : outcome(x, e);
}

/* Bytes of this exchange moved so far, either way. */
static curl_off_t
moved(const struct http_exchange *x)
{
	curl_off_t up = 0, down = 0;

	curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return up + down + (curl_off_t)x->response.headers.length;
}

static bool
whole(const struct http_exchange *x)
{
	return x->done;
}

static bool
has_head(const struct http_exchange *x)
{
	return x->head || x->done;
}

static bool
has_bytes(const struct http_exchange *x)
{
	return x->ahead.length > x->taken || x->done;
}

/*
 * Until `enough`. A stall is counted here and not by libcurl: time in which
 * nobody waits for the exchange is no stall.
 */
static int
wait_for(struct http_exchange *x, bool (*enough)(const struct http_exchange *x), struct err *e)
{
	int64_t begun = clk_now(clk_system()), limit = x->stall;
	curl_off_t before = moved(x);

	if (x->http->shielded && limit > SHIELD_MS)
		limit = SHIELD_MS;
	for (;;) {
		struct curl_waitfd signal = {.fd = sig_fd(), .events = CURL_WAIT_POLLIN};
		bool listen = !x->http->shielded && signal.fd >= 0;
		int64_t left;

		if (!x->http->shielded && sig_check(e) != 0)
			return -1;
		if (move(x->http, e) != 0)
			return -1;
		if (enough(x))
			return outcome(x, e) < 0 ? -1 : 0;
		if (moved(x) != before && !x->http->shielded) {
			before = moved(x);
			begun = clk_now(clk_system());
		}
		left = begun + limit - clk_now(clk_system());
		if (left <= 0)
			return err_set(e, ERR_AGAIN, "no answer for %lld s", (long long)limit / 1000);
		if (curl_multi_poll(x->http->multi, &signal, listen ? 1 : 0, (int)left, NULL) != CURLM_OK)
			return err_set(e, ERR_BUG, "libcurl does not wait");
	}
}

int
http_head(struct http_exchange *x, struct err *e)
{
	return wait_for(x, has_head, e);
}

int
http_finish(struct http_exchange *x, struct err *e)
{
	return wait_for(x, whole, e);
}

ssize_t
http_read(struct http_exchange *x, void *bytes, size_t capacity, struct err *e)
{
	size_t left = x->ahead.length - x->taken;

	/* libcurl goes on where it was paused as soon as there is room again. */
	if (x->paused && left < AHEAD / 2) {
		x->paused = false;
		if (curl_easy_pause(x->easy, CURLPAUSE_CONT) != CURLE_OK)
			return err_set(e, ERR_AGAIN, "libcurl does not go on");
	}
	if (left > 0 ? move(x->http, e) != 0 : wait_for(x, has_bytes, e) != 0)
		return -1;
	left = x->ahead.length - x->taken;
	if (capacity > left)
		capacity = left;
	memcpy(bytes, x->ahead.bytes + x->taken, capacity);
	x->taken += capacity;
	return (ssize_t)capacity;
}
