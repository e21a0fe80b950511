#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/url.h"
#include "scratch.h"

static struct err e;
static struct url url;

static void
expect_text(const char *got, const char *expected)
{
	if (expected == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_pstr_eq(got, expected);
}

START_TEST(each_part_stands_in_its_place)
{
	static const struct {
		const char *text;
		struct {
			const char *scheme, *user, *password, *host;
			uint16_t port;
			const char *path, *query;
		} parts;
	} cases[] = {
	    {"file:///srv/csvp", {"file", NULL, NULL, "", 0, "/srv/csvp", NULL}},
	    {"file:/srv/csvp", {"file", NULL, NULL, NULL, 0, "/srv/csvp", NULL}},
	    {"pg:", {"pg", NULL, NULL, NULL, 0, "", NULL}},
	    {"s3://bucket/a/prefix", {"s3", NULL, NULL, "bucket", 0, "/a/prefix", NULL}},
	    {"s3+v2://bucket", {"s3+v2", NULL, NULL, "bucket", 0, "", NULL}},
	    {"es+http://host:9200", {"es+http", NULL, NULL, "host", 9200, "", NULL}},
	    {"ES+HTTPS://Host.Example:9200/", {"es+https", NULL, NULL, "host.example", 9200, "/", NULL}},
	    {"redis://:secret@127.0.0.1:6379/2?timeout=1s",
		{"redis", "", "secret", "127.0.0.1", 6379, "/2", "timeout=1s"}},
	    {"http://user@host:/p", {"http", "user", NULL, "host", 0, "/p", NULL}},
	    {"http://us%40er:p%3aw%2f%25@host", {"http", "us@er", "p:w/%", "host", 0, "", NULL}},
	    {"http://u:a:b@host", {"http", "u", "a:b", "host", 0, "", NULL}},
	    {"http://[2001:DB8::1]:80/x", {"http", NULL, NULL, "2001:db8::1", 80, "/x", NULL}},
	    {"http://[::1]", {"http", NULL, NULL, "::1", 0, "", NULL}},
	    {"http://host?a=b/c:d@e", {"http", NULL, NULL, "host", 0, "", "a=b/c:d@e"}},
	    {"file:///with%20blank/%C3%A9/é", {"file", NULL, NULL, "", 0, "/with blank/é/é", NULL}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_msg(url_parse(cases[i].text, &url, &e) == 0, "%s", e.message);
		expect_text(url.scheme, cases[i].parts.scheme);
		expect_text(url.user, cases[i].parts.user);
		expect_text(url.password, cases[i].parts.password);
		expect_text(url.host, cases[i].parts.host);
		ck_assert_uint_eq(url.port, cases[i].parts.port);
		expect_text(url.path, cases[i].parts.path);
		expect_text(url.query, cases[i].parts.query);
		url_fini(&url);
		ck_assert_ptr_null(url.scheme);
	}
}
END_TEST

START_TEST(what_is_no_url_is_a_configuration_error_that_says_why)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	    {"", "no scheme"},
	    {"/srv/csvp", "no scheme"},
	    {"1file:///x", "no scheme"},
	    {"://host", "no scheme"},
	    {"http://host:0", "port '0'"},
	    {"http://host:65536", "port '65536'"},
	    {"http://host:80a", "port '80a'"},
	    {"http://host:-1", "port '-1'"},
	    {"http://[::1", "'[' without ']'"},
	    {"http://[::g]", "'::g' is no IPv6 address"},
	    {"http://[::1]80", "something other than a port"},
	    {"http://u:p@ss@host", "more than one @"},
	    {"file:///a b", "%20"},
	    {"file:///a\nb", "blank or control"},
	    {"http://u:pa#ss@host", "%23"},
	    {"file:///100%", "%25"},
	    {"file:///%2", "%25"},
	    {"file:///%zz", "%25"},
	    {"file:///%00", "%25"},
	    {"http://%xx@host", "%25"},
	    {"http://u:%xx@host", "%25"},
	    {"http://ho%xxst", "%25"},
	    {"http://host/?a=%x", "%25"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_msg(url_parse(cases[i].text, &url, &e) == -1, "'%s' was taken", cases[i].text);
		ck_assert_int_eq(e.code, ERR_CONFIG);
		ck_assert_msg(strstr(e.message, cases[i].why) != NULL, "'%s': %s", cases[i].text, e.message);
	}
}
END_TEST

START_TEST(no_message_shows_a_password)
{
	static const char *const cases[][2] = {
	    {"http://u:hidden@host/p", "http://u:***@host/p"},
	    {"http://u:hidden@host/p?key=hidden", "http://u:***@host/p"},
	    {"http://u:hid/hidden@host", "http://u:***@host"},
	    {"http://u:hid?hidden@host", "http://u:***@host"},
	    {"http://u:hid@hidden@host", "http://u:***@host"},
	    {"http://:hidden@host", "http://:***@host"},
	    {"u:hidden@host", "u:***@host"},
	    {"http://user@host/p", "http://user@host/p"},
	    {"file:///srv/csvp", "file:///srv/csvp"},
	    {"http://host:80/p?key=hidden", "http://host:80/p"},
	};
	static const char *const broken[] = {"http://u:hidden%@host", "http://u:hidden#@host", "http://u:hidden@host:x",
	    "http://u:hid@hidden@host", "http://u:hid/hidden@host:99999", "http://u:hidden @host"};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *shown = url_redact(cases[i][0]);

		ck_assert_str_eq(shown, cases[i][1]);
		free(shown);
	}
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		ck_assert_int_eq(url_parse(broken[i], &url, &e), -1);
		ck_assert_msg(strstr(e.message, "hidden") == NULL, "%s", e.message);
	}
}
END_TEST

START_TEST(a_parameter_is_found_by_its_whole_name)
{
	char *value;

	ck_assert_int_eq(url_parse("s3://b?style=path&style2=x&empty=&%61=1&region=eu%2Dwest", &url, &e), 0);
	value = url_parameter(&url, "style");
	ck_assert_pstr_eq(value, "path");
	free(value);
	value = url_parameter(&url, "region");
	ck_assert_pstr_eq(value, "eu-west");
	free(value);
	value = url_parameter(&url, "empty");
	ck_assert_pstr_eq(value, "");
	free(value);
	ck_assert_ptr_null(url_parameter(&url, "sty"));
	ck_assert_ptr_null(url_parameter(&url, "tyle"));
	ck_assert_ptr_null(url_parameter(&url, "none"));
	url_fini(&url);
	ck_assert_int_eq(url_parse("s3://b", &url, &e), 0);
	ck_assert_ptr_null(url_parameter(&url, "style"));
	url_fini(&url);
}
END_TEST

START_TEST(percent_signs_are_decoded_in_place)
{
	char text[] = "a%41%7e%C3%A9+%", good[] = "a%41%7e%C3%A9+";

	ck_assert_int_eq(url_decode(good), 6);
	ck_assert_str_eq(good, "aA~\xc3\xa9+");
	ck_assert_int_eq(url_decode(text), -1);
}
END_TEST

START_TEST(any_path_can_stand_in_a_url)
{
	char path[256 + 2] = "/", *encoded = url_encode("/home/J. D\xc3\xa9/100%#?+a-b_c~"), *text;

	ck_assert_str_eq(encoded, "/home/J.%20D%C3%A9/100%25%23%3F%2Ba-b_c~");
	free(encoded);
	for (int i = 1; i < 256; i++)
		path[i] = (char)i;
	encoded = url_encode(path);
	text = buf_format("file://%s", encoded);
	ck_assert_int_eq(url_parse(text, &url, &e), 0);
	ck_assert_str_eq(url.path, path);
	url_fini(&url);
	free(encoded);
	free(text);
	encoded = url_encode("");
	ck_assert_str_eq(encoded, "");
	free(encoded);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    each_part_stands_in_its_place,
	    what_is_no_url_is_a_configuration_error_that_says_why,
	    no_message_shows_a_password,
	    a_parameter_is_found_by_its_whole_name,
	    percent_signs_are_decoded_in_place,
	    any_path_can_stand_in_a_url,
	};

	return scratch_run("url", tests, sizeof tests / sizeof *tests);
}
