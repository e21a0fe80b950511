#include "net/http.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/aws.h"
#include "net/http_internal.h"

enum { CONNECT_MS = 10000, STALL_MS = 60000 };

static void
init_library(void)
{
	/* Nothing can be said of a failure here: http_open meets it again. */
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *
copy(const char *text)
{
	return text != NULL ? buf_strdup(text) : NULL;
}

static int
copy_credentials(struct http *http, const struct http_options *options, struct err *e)
{
	const struct aws *aws = options->aws;

	if (options->service == NULL || aws == NULL || aws->access_key == NULL)
		return 0;
	if (aws->secret_key == NULL)
		return err_set(e, ERR_CONFIG, "an access key without its secret; hint: set AWS_SECRET_ACCESS_KEY, too");
	http->sign = buf_format("aws:amz:%s:%s", aws->region != NULL ? aws->region : "us-east-1", options->service);
	http->access_key = buf_strdup(aws->access_key);
	http->secret_key = buf_strdup(aws->secret_key);
	if (aws->session_token != NULL)
		http->token = buf_format("x-amz-security-token: %s", aws->session_token);
	return 0;
}

struct http *
http_open(const struct http_options *options, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *http = buf_calloc(1, sizeof *http);

	pthread_once(&once, init_library);
	http->multi = curl_multi_init();
	http->ca_file = copy(options->ca_file);
	http->user = copy(options->user);
	http->password = copy(options->password);
	http->header = copy(options->header);
	http->connect = options->connect != 0 ? options->connect : CONNECT_MS;
	http->stall = options->stall != 0 ? options->stall : STALL_MS;
	if (http->multi == NULL)
		err_set(e, ERR_AGAIN, "libcurl does not start");
	else if (copy_credentials(http, options, e) == 0)
		return http;
	http_close(http);
	return NULL;
}

static void
free_secret(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	if (http->multi != NULL)
		curl_multi_cleanup(http->multi);
	free(http->ca_file);
	free(http->user);
	free_secret(http->password);
	free_secret(http->header);
	free(http->sign);
	free(http->access_key);
	free_secret(http->secret_key);
	free_secret(http->token);
	free(http);
}

bool
http_shield(struct http *http, bool on)
{
	bool before = http->shielded;

	http->shielded = on;
	return before;
}

int
http_call(struct http *http, const struct http_request *request, struct http_response *response, struct err *e)
{
	struct http_exchange *exchange = http_begin(http, request, e);
	int status;

	http_response_fini(response);
	if (exchange == NULL)
		return -1;
	status = http_finish(exchange, e);
	*response = *http_response(exchange);
	*http_response(exchange) = (struct http_response){0};
	http_end(exchange);
	return status;
}

void
http_response_fini(struct http_response *response)
{
	buf_fini(&response->headers);
	buf_fini(&response->body);
	response->status = 0;
}

const char *
http_header(const struct http_response *response, const char *name)
{
	const char *line = response->headers.bytes;
	const char *end = line != NULL ? line + response->headers.length : NULL;
	size_t length = strlen(name);

	/* "Name: value" each with a NUL behind it. */
	for (; line < end; line += strlen(line) + 1)
		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " \t");
	return NULL;
}

static enum err_code
code_of(int status)
{
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return ERR_AGAIN;
	if (status == 401 || status == 403)
		return ERR_PERMISSION;
	if (status == 404 || status == 410)
		return ERR_NOINPUT;
	return status < 400 ? ERR_CONFIG : ERR_BUG;
}

static const char *
meaning(int status)
{
	static const struct {
		int status;
		const char *text;
	} meanings[] = {{301, "moved"}, {307, "moved"}, {400, "bad request"}, {401, "not authorised"},
	    {403, "forbidden"}, {404, "not found"}, {405, "method not allowed"}, {408, "request timed out"},
	    {409, "conflict"}, {410, "gone"}, {411, "length required"}, {412, "precondition failed"},
	    {413, "too large"}, {416, "no such range"}, {429, "too many requests"}, {500, "internal error"},
	    {501, "not implemented"}, {502, "bad gateway"}, {503, "unavailable"}, {504, "gateway timed out"},
	    {507, "no space"}};

	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].status == status)
			return meanings[i].text;
	return "unexpected answer";
}

int
http_check(const struct http_response *response, const char *detail, struct err *e)
{
	char begin[300] = "";
	size_t length = 0;

	if (response->status >= 200 && response->status < 300)
		return 0;
	if (detail == NULL && response->body.length > 0)
		detail = response->body.bytes;
	/* One line, blanks for what would be shown as \x0a. */
	for (const char *p = detail; p != NULL && *p != '\0' && length + 1 < sizeof begin; p++)
		if (!isspace((unsigned char)*p))
			begin[length++] = *p;
		else if (length > 0 && begin[length - 1] != ' ')
			begin[length++] = ' ';
	begin[length] = '\0';
	return err_set(e, code_of(response->status), "HTTP %d, %s%s%s", response->status, meaning(response->status),
	    begin[0] != '\0' ? ": " : "", begin);
}
