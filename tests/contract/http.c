/* The HTTP client against a server of its own, tests/contract/http_server.py. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "net/aws.h"
#include "net/http.h"
#include "cases.h"
#include "expect.h"

static unsigned plain, tls; /* ports */
static char *certificate;
static struct http *http;
static struct http_response response;
static struct err e;

static void
begin(void)
{
	sig_init();
	http = http_open(&(struct http_options){.stall = 10000}, &e);
	ck_assert_ptr_nonnull(http);
}

static void
end(void)
{
	http_response_fini(&response);
	http_close(http);
}

static void
open_with(const struct http_options *options)
{
	http_close(http);
	http = http_open(options, &e);
	ck_assert_msg(http != NULL, "%s", e.message);
}

/* The address of a path at the server; a few are valid at a time. */
static const char *
at(const char *path)
{
	static char urls[4][200];
	static int next;
	char *url = urls[next++ % 4];

	snprintf(url, sizeof urls[0], "http://127.0.0.1:%u/%s", plain, path);
	return url;
}

static int
get(const char *url)
{
	return http_call(http, &(struct http_request){.method = "GET", .url = url}, &response, &e);
}

static bool
shows(const char *line)
{
	return response.body.bytes != NULL && strstr(response.body.bytes, line) != NULL;
}

START_TEST(a_request_arrives_as_it_was_given)
{
	const char *const headers[] = {"X-One: 1", "X-Two: a, b", NULL};

	OK(http_call(http,
	    &(struct http_request){.method = "PUT",
		.url = at("echo/a%20b/../c?q=%2F&r="),
		.headers = headers,
		.body = "body\0!",
		.length = 6,
		.type = "text/x"},
	    &response, &e));
	ck_assert_int_eq(response.status, 200);
	ck_assert(shows("PUT /echo/a%20b/../c?q=%2F&r=\n"));
	ck_assert(shows("X-One: 1\n") && shows("X-Two: a, b\n"));
	ck_assert(shows("Content-Type: text/x\n") && shows("Content-Length: 6\n"));
	ck_assert(!shows("Authorization"));
	ck_assert_mem_eq(response.body.bytes + response.body.length - 6, "body\0!", 6);
}
END_TEST

START_TEST(headers_are_found_by_name_in_any_case)
{
	OK(get(at("echo")));
	ck_assert_str_eq(http_header(&response, "etag"), "\"a:b\"");
	ck_assert_str_eq(http_header(&response, "X-SEEN"), "yes");
	ck_assert_ptr_null(http_header(&response, "ETa"));
	ck_assert_ptr_null(http_header(&response, "X-Seen2"));
}
END_TEST

START_TEST(methods_without_a_body)
{
	static const char *const methods[] = {"GET", "DELETE", "POST", "PUT", "HEAD"};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		OK(http_call(http, &(struct http_request){.method = methods[i], .url = at("echo")}, &response, &e));
		ck_assert_int_eq(response.status, 200);
		ck_assert_int_eq(response.body.length == 0, strcmp(methods[i], "HEAD") == 0);
		ck_assert(response.body.length == 0 || strncmp(response.body.bytes, methods[i], 3) == 0);
	}
}
END_TEST

START_TEST(a_connection_is_used_again)
{
	int before;

	OK(get(at("connections")));
	before = atoi(response.body.bytes);
	for (int i = 0; i < 5; i++)
		OK(get(at("echo")));
	OK(get(at("connections")));
	ck_assert_int_eq(atoi(response.body.bytes), before);
}
END_TEST

START_TEST(a_connection_that_died_meanwhile_is_no_error)
{
	for (int i = 0; i < 20; i++) {
		OK(get(at("close")));
		OK(http_call(http,
		    &(struct http_request){.method = "PUT", .url = at("echo"), .body = "again", .length = 5}, &response,
		    &e));
		ck_assert(shows("\n\nagain"));
	}
}
END_TEST

START_TEST(statuses_have_their_codes)
{
	static const struct {
		int status;
		enum err_code code;
	} cases[] = {{307, ERR_CONFIG}, {400, ERR_BUG}, {401, ERR_PERMISSION}, {403, ERR_PERMISSION},
	    {404, ERR_NOINPUT}, {429, ERR_AGAIN}, {500, ERR_AGAIN}, {503, ERR_AGAIN}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *path = buf_format("status/%d", cases[i].status);

		OK(get(at(path)));
		ck_assert_int_eq(response.status, cases[i].status);
		FAILS(cases[i].code, http_check(&response, NULL, &e));
		free(path);
	}
	ck_assert_str_eq(e.message, "HTTP 503, unavailable: first second ");
	FAILS(ERR_AGAIN, http_check(&response, "SlowDown", &e));
	ck_assert_str_eq(e.message, "HTTP 503, unavailable: SlowDown");
	OK(get(at("echo")));
	OK(http_check(&response, NULL, &e));
}
END_TEST

START_TEST(what_cannot_be_reached_is_for_later)
{
	FAILS(ERR_AGAIN, get("http://127.0.0.1:1/"));
	ck_assert(strstr(e.message, "ailed to connect") != NULL);
	FAILS(ERR_AGAIN, get(at("drop")));
	FAILS(ERR_CONFIG, get("ftp://127.0.0.1/"));
	FAILS(ERR_CONFIG, get("http://[/"));
}
END_TEST

START_TEST(a_silent_server_stalls)
{
	int64_t started = clk_now(clk_system());

	FAILS(ERR_AGAIN,
	    http_call(http, &(struct http_request){.method = "GET", .url = at("silent"), .stall = 300}, &response, &e));
	ck_assert_int_ge(clk_now(clk_system()) - started, 300);
	ck_assert_int_lt(clk_now(clk_system()) - started, 9000);
}
END_TEST

static void *
kill_soon(void *unused)
{
	(void)unused;
	clk_sleep(clk_system(), 200);
	kill(getpid(), SIGTERM);
	return NULL;
}

START_TEST(a_signal_ends_a_wait)
{
	int64_t started = clk_now(clk_system());
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, kill_soon, NULL), 0);
	FAILS(ERR_SIGTERM, get(at("silent")));
	ck_assert_int_lt(clk_now(clk_system()) - started, 5000);
	pthread_join(thread, NULL);
	FAILS(ERR_SIGTERM, get(at("echo")));
	http_shield(http, true);
	OK(get(at("echo")));
	http_shield(http, false);
	FAILS(ERR_SIGTERM, get(at("echo")));
}
END_TEST

static int
finish_reading(struct http_exchange *exchange, size_t piece, size_t length)
{
	static unsigned char bytes[300000];
	size_t got = 0;
	ssize_t n;

	while ((n = http_read(exchange, bytes, piece, &e)) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			if (bytes[i] != (got & 255))
				ck_abort_msg("byte %zu differs", got);
	ck_assert_uint_eq(n == 0 ? got : length, length);
	return (int)n;
}

START_TEST(a_body_is_streamed)
{
	static const size_t pieces[] = {300000, 65536, 1000};
	struct http_request request = {.method = "GET", .url = at("bytes/9000192"), .streamed = true};

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct http_exchange *exchange = http_begin(http, &request, &e);

		ck_assert_ptr_nonnull(exchange);
		OK(http_head(exchange, &e));
		ck_assert_int_eq(http_response(exchange)->status, 200);
		ck_assert_str_eq(http_header(http_response(exchange), "content-length"), "9000192");
		OK(finish_reading(exchange, pieces[i], 9000192));
		ck_assert_uint_eq(http_response(exchange)->body.length, 0);
		http_end(exchange);
	}
}
END_TEST

START_TEST(a_streamed_body_that_breaks_off_is_for_later)
{
	struct http_request request = {.method = "GET", .url = at("drop"), .streamed = true};
	struct http_exchange *exchange = http_begin(http, &request, &e);
	char bytes[100];
	ssize_t n;

	ck_assert_ptr_nonnull(exchange);
	while ((n = http_read(exchange, bytes, sizeof bytes, &e)) > 0)
		continue;
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(e.code, ERR_AGAIN);
	http_end(exchange);
}
END_TEST

START_TEST(an_error_instead_of_a_stream_keeps_its_text)
{
	struct http_request request = {.method = "GET", .url = at("status/404"), .streamed = true};
	struct http_exchange *exchange = http_begin(http, &request, &e);

	ck_assert_ptr_nonnull(exchange);
	OK(http_head(exchange, &e));
	OK(http_finish(exchange, &e));
	FAILS(ERR_NOINPUT, http_check(http_response(exchange), NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.message, "first second"));
	http_end(exchange);
}
END_TEST

START_TEST(exchanges_run_beside_each_other)
{
	struct http_request silent = {.method = "GET", .url = at("silent")};
	struct http_request request = {.method = "GET", .url = at("echo/beside")};
	struct http_exchange *waiting = http_begin(http, &silent, &e);
	struct http_exchange *other = http_begin(http, &request, &e);

	ck_assert(waiting != NULL && other != NULL);
	OK(http_finish(other, &e));
	ck_assert_ptr_nonnull(strstr(http_response(other)->body.bytes, "GET /echo/beside\n"));
	ck_assert_int_eq(http_pump(waiting, &e), 0);
	http_end(waiting);
	http_end(other);
	OK(get(at("echo")));
}
END_TEST

START_TEST(identities)
{
	struct aws aws = {.access_key = "AK", .secret_key = "SK", .session_token = "TOKEN", .region = "mars-1"};

	open_with(&(struct http_options){.user = "anna", .password = "p:w"});
	OK(get(at("echo")));
	ck_assert(shows("Authorization: Basic YW5uYTpwOnc=\n"));
	open_with(&(struct http_options){.header = "Authorization: ApiKey abc"});
	OK(get(at("echo")));
	ck_assert(shows("Authorization: ApiKey abc\n"));
	open_with(&(struct http_options){.service = "sqs", .aws = &aws});
	OK(http_call(http, &(struct http_request){.method = "POST", .url = at("echo"), .body = "{}", .length = 2},
	    &response, &e));
	ck_assert(shows("Authorization: AWS4-HMAC-SHA256 Credential=AK/") && shows("/mars-1/sqs/aws4_request, "));
	ck_assert(shows("x-amz-security-token, Signature=") && shows("x-amz-security-token: TOKEN\n"));
	ck_assert(!shows("SK"));
	open_with(&(struct http_options){.service = "sqs", .aws = &(struct aws){.region = "mars-1"}});
	OK(get(at("echo")));
	ck_assert(!shows("Authorization"));
	aws.secret_key = NULL;
	ck_assert_ptr_null(http_open(&(struct http_options){.service = "sqs", .aws = &aws}, &e));
	ck_assert_int_eq(e.code, ERR_CONFIG);
}
END_TEST

START_TEST(a_certificate_must_be_trusted)
{
	char url[100];

	snprintf(url, sizeof url, "https://127.0.0.1:%u/echo", tls);
	FAILS(ERR_CONFIG, get(url));
	open_with(&(struct http_options){.ca_file = certificate});
	OK(get(url));
	ck_assert_int_eq(response.status, 200);
	open_with(&(struct http_options){.ca_file = "/nowhere.pem"});
	FAILS(ERR_CONFIG, get(url));
}
END_TEST

/* Start the server; the stream that ends it when closed. */
static FILE *
start_server(const char *folder)
{
	char *ports = buf_format("%s/ports", folder);
	char *command = buf_format("cd '%s' && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem "
				   "-days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null && "
				   "cd - >/dev/null && exec python3 tests/contract/http_server.py '%s' >%s",
	    folder, folder, ports);
	FILE *server, *file;

	/* Opening waits for the other end: no port is read before it is there. */
	if (mkfifo(ports, 0600) != 0 || (server = popen(command, "w")) == NULL || (file = fopen(ports, "r")) == NULL)
		abort();
	if (fscanf(file, "%u %u", &plain, &tls) != 2)
		plain = 0;
	fclose(file);
	free(command);
	free(ports);
	return server;
}

int
main(void)
{
	const TTest *const tests[] = {
	    a_request_arrives_as_it_was_given,
	    headers_are_found_by_name_in_any_case,
	    methods_without_a_body,
	    a_connection_is_used_again,
	    a_connection_that_died_meanwhile_is_no_error,
	    statuses_have_their_codes,
	    what_cannot_be_reached_is_for_later,
	    a_silent_server_stalls,
	    a_signal_ends_a_wait,
	    a_body_is_streamed,
	    a_streamed_body_that_breaks_off_is_for_later,
	    an_error_instead_of_a_stream_keeps_its_text,
	    exchanges_run_beside_each_other,
	    identities,
	    a_certificate_must_be_trusted,
	};
	const char *above = getenv("TEST_TMP");
	char *folder = buf_format("%s/http-XXXXXX", above != NULL ? above : "/tmp");
	char *remove = NULL;
	FILE *server;
	int status = 1;

	if (mkdtemp(folder) == NULL)
		abort();
	certificate = buf_format("%s/cert.pem", folder);
	server = start_server(folder);
	if (plain != 0)
		status = cases_run("http", begin, end, tests, sizeof tests / sizeof *tests);
	pclose(server);
	remove = buf_format("rm -rf '%s'", folder);
	status |= system(remove) != 0;
	free(remove);
	free(certificate);
	free(folder);
	return status;
}
