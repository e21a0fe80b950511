#include "io/multipart.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/source.h"
#include "scratch.h"

/* A body given out in pieces: of a fixed length, or (0) of random ones. */
struct body {
	const char *bytes;
	size_t length, piece;
	uint32_t state;
};

static struct err e;
static struct buf seen; /* what read_all found, as text */

static ssize_t
give(void *ctx, void *bytes, size_t capacity, struct err *error)
{
	struct body *body = ctx;
	size_t n = body->piece;

	(void)error;
	if (n == 0) {
		body->state = body->state * 1664525 + 1013904223;
		n = 1 + (body->state >> 16) % 90;
	}
	n = n < capacity ? n : capacity;
	n = n < body->length ? n : body->length;
	memcpy(bytes, body->bytes, n);
	body->bytes += n;
	body->length -= n;
	return (ssize_t)n;
}

/* Every part as "NAME|FILE|DATA\n" ("-": no file); 0, or -1 with e. */
static int
read_body(const char *boundary, struct body body, size_t capacity)
{
	struct source source = {give, &body, "body"};
	struct multipart *m = multipart_open(&source, boundary);
	struct multipart_part part;
	ssize_t n = 0;
	int result;

	e = (struct err){0};
	buf_reset(&seen);
	while ((result = multipart_next(m, &part, &e)) > 0) {
		buf_printf(&seen, "%s|%s|", part.name, part.file != NULL ? part.file : "-");
		while ((n = multipart_read(m, buf_reserve(&seen, capacity), capacity, &e)) > 0)
			seen.length += (size_t)n;
		if (n < 0)
			break;
		buf_byte(&seen, '\n');
	}
	multipart_close(m);
	return n < 0 ? -1 : result;
}

/* Whatever the pieces in which it comes and is asked for, it is the same. */
static void
gives(const char *boundary, const char *bytes, size_t length, const char *expected)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64, 100000};

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
		for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
			ck_assert_msg(read_body(boundary, (struct body){bytes, length, pieces[i], 0}, pieces[j]) == 0,
			    "%s", e.message);
			buf_byte(&seen, '\0');
			ck_assert_str_eq(seen.bytes, expected);
		}
	for (uint32_t seed = 1; seed <= 200; seed++) {
		ck_assert_int_eq(read_body(boundary, (struct body){bytes, length, 0, seed}, 1 + seed % 80), 0);
		buf_byte(&seen, '\0');
		ck_assert_str_eq(seen.bytes, expected);
	}
}

#define GIVES(boundary, text, expected) gives(boundary, text, sizeof(text) - 1, expected)

static void
refuses(const char *text, const char *why)
{
	for (size_t piece = 1; piece <= 1000; piece *= 10) {
		ck_assert_int_eq(read_body("B", (struct body){text, strlen(text), piece, 0}, 50), -1);
		ck_assert_int_eq(e.code, ERR_DATA);
		ck_assert_msg(strstr(e.message, why) != NULL, "'%s' does not say '%s'", e.message, why);
	}
}

#define FORM "Content-Disposition: form-data; name="

START_TEST(fields_and_a_file_come_in_order)
{
	GIVES("B",
	    "--B\r\n" FORM "key\r\n\r\nid\r\n--B\r\n" FORM "\"file\"; filename=\"a.csv\"\r\n"
	    "Content-Type: text/csv\r\n\r\nid,name\r\n1,x\r\n\r\n--B--\r\n",
	    "key|-|id\nfile|a.csv|id,name\r\n1,x\r\n\n");
}
END_TEST

START_TEST(preamble_padding_and_epilogue_are_passed_over)
{
	GIVES("x y", "no part\r\n--x\r\nnor this\r\n--x y \t\r\n" FORM "a\r\n\r\n1\r\n--x y--\r\n--x y\r\nnor that",
	    "a|-|1\n");
}
END_TEST

START_TEST(parts_may_be_empty)
{
	GIVES("B", "--B\r\n" FORM "a\r\n\r\n\r\n--B\r\n" FORM "b\r\n\r\n--B\r\n" FORM "c\r\n\r\n3\r\n--B--",
	    "a|-|\nb|-|\nc|-|3\n");
	GIVES("B", "--B--", "");
}
END_TEST

START_TEST(data_that_begins_like_a_delimiter_is_data)
{
	GIVES("B", "--B\r\n" FORM "a\r\n\r\n\r\n--\r\n--Bx\r\n--B-\r\n-\r\r\n--b\r\n--B \tx\n--B\r\n--B\n\r\n--B--\r\n",
	    "a|-|\r\n--\r\n--Bx\r\n--B-\r\n-\r\r\n--b\r\n--B \tx\n--B\r\n--B\n\n");
}
END_TEST

START_TEST(headers_are_read_in_any_case_and_folded)
{
	GIVES("B",
	    "--B\r\nX-Other: 1\r\ncontent-DISPOSITION:form-data ;\r\n FileName = f ; NAME=\"n\"\r\n\r\n1\r\n--B--",
	    "n|f|1\n");
}
END_TEST

START_TEST(names_of_files_are_unescaped)
{
	static const struct {
		const char *parameters, *file;
	} cases[] = {
	    {"filename=\"a b;c.csv\"", "a b;c.csv"},
	    {"filename=\"a\\\"b\\\\c.csv\"", "a\"b\\c.csv"},
	    {"filename=\"C:\\data\\x.csv\"", "C:\\data\\x.csv"},
	    {"filename=\"a%22b%20c.csv\"", "a\"b%20c.csv"},
	    {"filename=\"\xc3\xa9.csv\"", "\xc3\xa9.csv"},
	    {"filename=plain; filename*=UTF-8''%c3%A9%20x.csv", "\xc3\xa9 x.csv"},
	    {"filename*=utf-8'de'x.csv; filename=plain", "x.csv"},
	    {"filename*=ISO-8859-1''%e9.csv; filename=\"plain\"", "plain"},
	    {"filename*=UTF-8''a%00b; filename=\"plain\"", "plain"},
	    {"filename=\"\"", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf body = {0}, expected = {0};

		buf_printf(&body, "--B\r\n" FORM "f; %s\r\n\r\n1\r\n--B--", cases[i].parameters);
		buf_printf(&expected, "f|%s|1\n", cases[i].file);
		gives("B", body.bytes, body.length, expected.bytes);
		buf_fini(&body);
		buf_fini(&expected);
	}
}
END_TEST

START_TEST(any_bytes_come_through_unchanged)
{
	static const char parts[] = "\r\n--Bx\0\xff";
	struct buf body = {0}, data = {0};

	for (uint32_t seed = 1; seed <= 100; seed++) {
		uint32_t state = seed;

		buf_reset(&data);
		for (size_t length = seed * 40; length > 0; length--) {
			state = state * 1664525 + 1013904223;
			buf_byte(&data, parts[(state >> 16) % (sizeof parts - 1)]);
		}
		/* What would be a delimiter is none. */
		for (char *at = data.bytes;
		     (at = memmem(at, data.length - (size_t)(at - data.bytes), "\r\n--B", 5)) != NULL;)
			*at = 'y';
		buf_reset(&body);
		buf_string(&body, "--B\r\n" FORM "f; filename=f\r\n\r\n-");
		buf_append(&body, data.bytes, data.length);
		buf_string(&body, "\r\n--B--\r\n");
		for (size_t piece = 0; piece < 3; piece++) {
			ck_assert_int_eq(read_body("B", (struct body){body.bytes, body.length, piece, seed}, 100), 0);
			ck_assert_uint_eq(seen.length, data.length + 6);
			ck_assert_int_eq(memcmp(seen.bytes + 5, data.bytes, data.length), 0);
		}
	}
	buf_fini(&body);
	buf_fini(&data);
}
END_TEST

START_TEST(a_part_may_be_larger_than_any_buffer)
{
	struct buf body = {0}, expected = {0};

	buf_string(&expected, "f|f|");
	for (int i = 0; i < 40000; i++)
		buf_printf(&expected, "%d,--B\r\n", i);
	buf_printf(&body, "--B\r\n" FORM "f; filename=f\r\n\r\n%s\r\n--B--", expected.bytes + 4);
	buf_byte(&expected, '\n');
	for (size_t piece = 1; piece <= 100000; piece *= 10) {
		ck_assert_int_eq(read_body("B", (struct body){body.bytes, body.length, piece, 0}, 30000), 0);
		buf_byte(&seen, '\0');
		ck_assert_str_eq(seen.bytes, expected.bytes);
	}
	buf_fini(&body);
	buf_fini(&expected);
}
END_TEST

START_TEST(what_breaks_off_is_refused)
{
	static const char whole[] = "--B\r\n" FORM "a; filename=x\r\n\r\n1,2\r\n--B--";

	for (size_t length = 0; length < sizeof whole - 1; length++) {
		char *cut = buf_strndup(whole, length);

		refuses(cut, "the body ends in");
		free(cut);
	}
	refuses("id,name\r\n1,x\r\n", "the body ends in");
}
END_TEST

START_TEST(parts_without_a_name_are_refused)
{
	refuses("--B\r\n\r\n1\r\n--B--", "Content-Disposition");
	refuses("--B\r\nContent-Type: text/csv\r\n\r\n1\r\n--B--", "Content-Disposition");
	refuses("--B\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--B--", "Content-Disposition");
	refuses("--B\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--B--", "Content-Disposition");
	refuses("--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--B--", "Content-Disposition");
}
END_TEST

START_TEST(headers_without_an_end_are_refused)
{
	struct buf body = {0};

	buf_string(&body, "--B\r\n");
	for (int i = 0; i < 2000; i++)
		buf_printf(&body, "X-%d: 0123456789\r\n", i);
	refuses(body.bytes, "longer than 16 kB");
	buf_reset(&body);
	buf_printf(&body, "--B\r\nX: %0*d", 100000, 1);
	refuses(body.bytes, "longer than 16 kB");
	buf_fini(&body);
}
END_TEST

START_TEST(boundaries_are_read_from_the_content_type)
{
	static const struct {
		const char *type, *boundary;
	} cases[] = {
	    {"multipart/form-data; boundary=abc", "abc"},
	    {"multipart/form-data;charset=utf-8;BOUNDARY=\"a b:c\"", "a b:c"},
	    {"multipart/form-data; x=\"; boundary=no\"; boundary=yes", "yes"},
	    {"multipart/form-data; boundary", NULL},
	    {"multipart/form-data; boundary=", NULL},
	    {"multipart/form-data; boundary=\"abc", NULL},
	    {"multipart/form-data", NULL},
	    {"multipart/form-data; boundary=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg1",
		NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *boundary = multipart_boundary(cases[i].type);

		if (cases[i].boundary == NULL)
			ck_assert_ptr_null(boundary);
		else
			ck_assert_str_eq(boundary, cases[i].boundary);
		free(boundary);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    fields_and_a_file_come_in_order,
	    preamble_padding_and_epilogue_are_passed_over,
	    parts_may_be_empty,
	    data_that_begins_like_a_delimiter_is_data,
	    headers_are_read_in_any_case_and_folded,
	    names_of_files_are_unescaped,
	    any_bytes_come_through_unchanged,
	    a_part_may_be_larger_than_any_buffer,
	    what_breaks_off_is_refused,
	    parts_without_a_name_are_refused,
	    headers_without_an_end_are_refused,
	    boundaries_are_read_from_the_content_type,
	};

	return scratch_run("multipart", tests, sizeof tests / sizeof *tests);
}
