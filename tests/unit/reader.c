#include "csv/reader.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/dialect.h"
#include "csv/record.h"
#include "csv/scan.h"

/* A source that gives a string out in pieces. */
struct pieces {
	const char *bytes;
	size_t length, piece;
	bool fails; /* at the end, instead of ending */
};

static ssize_t
give(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct pieces *p = ctx;
	size_t n = p->length < p->piece ? p->length : p->piece;

	if (n > capacity)
		n = capacity;
	if (n == 0 && p->fails)
		return err_set(e, ERR_IO, "the disk is gone");
	memcpy(bytes, p->bytes, n);
	p->bytes += n;
	p->length -= n;
	return (ssize_t)n;
}

static void
put_record(struct buf *out, const struct record *r, bool fields)
{
	if (!fields) {
		buf_printf(out, "%llu+%llu@%llu\n", (unsigned long long)r->offset, (unsigned long long)r->length,
		    (unsigned long long)r->line);
		return;
	}
	for (uint32_t i = 0; i < r->field_count; i++) {
		buf_string(out, i > 0 ? "|" : "");
		buf_string(out, r->fields[i].quoted ? "'" : "");
		for (uint32_t k = 0; k < r->fields[i].length; k++)
			buf_byte(out, r->fields[i].bytes[k] == '\0' ? '^' : r->fields[i].bytes[k]);
		buf_string(out, r->fields[i].quoted ? "'" : "");
	}
	if (r->flaw != RECORD_SOUND)
		buf_printf(out, " !%s field %u byte %llu", r->flaw == RECORD_NUL ? "nul" : "encoding", r->flaw_field,
		    (unsigned long long)r->flaw_offset);
	buf_byte(out, '\n');
}

/* All records, a line each, then "end OFFSET LINE BLANK" or the error. */
static char *
read_pieces(const struct dialect *d, struct pieces p, bool fields, enum scan_path path, size_t window)
{
	struct reader *reader = reader_new(d, 0, 1, give, &p);
	struct buf out = {0};
	struct record r;
	struct err e = {0};
	int n;

	reader_tune(reader, path, window);
	while ((n = reader_next(reader, &r, fields, &e)) > 0)
		put_record(&out, &r, fields);
	if (n < 0)
		buf_printf(&out, "error %d: %s", e.code, e.message);
	else
		buf_printf(&out, "end %llu %llu %llu", (unsigned long long)reader_offset(reader),
		    (unsigned long long)reader_line(reader), (unsigned long long)reader_blank(reader));
	reader_free(reader);
	return buf_detach(&out);
}

static const size_t piece_sizes[] = {1, 7, 64, 65, 1000000};

/* The same by every path, in pieces of every size. */
static void
expect_bytes(const struct dialect *d, const char *csv, size_t length, bool fields, const char *expected)
{
	for (enum scan_path path = SCAN_BEST; path <= SCAN_EXACT; path++)
		for (size_t i = 0; i < sizeof piece_sizes / sizeof *piece_sizes; i++) {
			struct pieces p = {csv, length, piece_sizes[i], false};
			char *got = read_pieces(d, p, fields, path, 256);

			ck_assert_msg(strcmp(got, expected) == 0, "path %d, pieces of %zu: got\n%s\nexpected\n%s", path,
			    piece_sizes[i], got, expected);
			free(got);
		}
}

static void
expect(const struct dialect *d, const char *csv, bool fields, const char *expected)
{
	expect_bytes(d, csv, strlen(csv), fields, expected);
}

static void
expect_fields(const char *csv, const char *expected)
{
	struct dialect d = dialect_default();

	expect(&d, csv, true, expected);
}

static void
expect_bounds(const char *csv, const char *expected)
{
	struct dialect d = dialect_default();

	expect(&d, csv, false, expected);
}

START_TEST(an_empty_file_has_no_records)
{
	expect_fields("", "end 0 1 0");
	expect_bounds("", "end 0 1 0");
}
END_TEST

START_TEST(fields_end_at_delimiters_and_records_at_lines)
{
	expect_fields("a,b,c\n1,,3\n", "a|b|c\n1||3\nend 11 3 0");
	expect_bounds("a,b,c\n1,,3\n", "0+6@1\n6+5@2\nend 11 3 0");
}
END_TEST

START_TEST(a_missing_last_newline_loses_nothing)
{
	expect_fields("a,b\n1,", "a|b\n1|\nend 6 2 0");
	expect_bounds("a,b\nx", "0+4@1\n4+1@2\nend 5 2 0");
	expect_fields("a,\"b\"", "a|'b'\nend 5 1 0");
}
END_TEST

START_TEST(lf_crlf_and_cr_end_records_in_one_file)
{
	expect_fields("a,b\r\nc,d\re,f\ng\r", "a|b\nc|d\ne|f\ng\nend 15 5 0");
	expect_bounds("a\r\nc\re\ng\r", "0+3@1\n3+2@2\n5+2@3\n7+2@4\nend 9 5 0");
}
END_TEST

START_TEST(a_line_without_bytes_is_skipped_and_counted)
{
	expect_fields("\na\n\r\n\r\rb\n\n", "a\nb\nend 10 8 5");
	expect_bounds("\na\n\r\n\r\rb\n\n", "1+2@2\n7+2@6\nend 10 8 5");
	expect_fields(" \n,\n\"\"\n", " \n|\n''\nend 7 4 0");
}
END_TEST

START_TEST(quoted_newline_does_not_end_a_record)
{
	expect_fields("a,\"x\ny\r\nz\rw\"\nb\n", "a|'x\ny\r\nz\rw'\nb\nend 15 6 0");
	expect_bounds("a,\"x\ny\r\nz\rw\"\nb\n", "0+13@1\n13+2@5\nend 15 6 0");
}
END_TEST

START_TEST(quoted_delimiter_does_not_end_a_field)
{
	expect_fields("\"a,b\",\",\"\n", "'a,b'|','\nend 10 2 0");
}
END_TEST

START_TEST(two_quotes_inside_quotes_are_one)
{
	expect_fields("\"a\"\"b\",\"\"\"\",\"\"\"x\"\"\"\n", "'a\"b'|'\"'|'\"x\"'\nend 20 2 0");
}
END_TEST

START_TEST(an_empty_field_in_quotes_is_told_from_an_empty_one)
{
	expect_fields(",\"\",\n", "|''|\nend 5 2 0");
}
END_TEST

START_TEST(a_quote_inside_an_unquoted_field_is_a_character)
{
	expect_fields("a\"b,5\",x\"\"\nc,d\"e\n", "a\"b|5\"|x\"\"\nc|d\"e\nend 17 3 0");
	expect_bounds("a\"b\nc\"\n", "0+4@1\n4+3@2\nend 7 3 0");
	expect_fields(" \"a\nb\"\n", " \"a\nb\"\nend 7 3 0");
}
END_TEST

START_TEST(bytes_behind_a_closing_quote_are_taken_as_they_are)
{
	expect_fields("\"a\"b,c\n\"a\" \"b,c\"\n", "'ab'|c\n'a \"b'|c\"\nend 17 3 0");
	expect_fields("\"a,b\"\"\"x\"\"y\nz\n", "'a,b\"x\"\"y'\nz\nend 14 3 0");
}
END_TEST

START_TEST(a_quoted_field_may_be_followed_by_crlf)
{
	expect_fields("\"a\"\r\n\"b\r\"\r\n\"c\"\r\"d\"", "'a'\n'b\r'\n'c'\n'd'\nend 18 5 0");
}
END_TEST

START_TEST(a_byte_order_mark_is_passed_over_at_the_start_only)
{
	expect_fields("\xef\xbb\xbf\"a\",b\n\xef\xbb\xbfx\n", "'a'|b\n\xef\xbb\xbfx\nend 14 3 0");
	expect_bounds("\xef\xbb\xbf"
		      "a\n",
	    "3+2@1\nend 5 2 0");
	expect_fields("\xef\xbb\xbf", "end 3 1 0");
	expect_fields("\xef\xbb", "\xef\xbb !encoding field 0 byte 0\nend 2 1 0");
}
END_TEST

START_TEST(lines_to_skip_are_not_parsed)
{
	struct dialect d = dialect_default();

	d.skip_lines = 3;
	expect(&d, "\xef\xbb\xbfsay \"\r\n\r\"\na,b\n", true, "a|b\nend 17 5 0");
	expect(&d, "\xef\xbb\xbfsay \"\r\n\r\"\na,b\n", false, "13+4@4\nend 17 5 0");
	expect(&d, "only\none", true, "end 8 2 0");
	expect(&d, "1\n2\n3\r", true, "end 6 4 0");
}
END_TEST

START_TEST(a_chunk_begins_where_it_is_told)
{
	struct dialect d = dialect_default();
	const char *csv = "\xef\xbb\xbfx,\xff\ny\n";
	struct pieces p = {csv, strlen(csv), 100, false};
	struct reader *reader;
	struct record r;
	struct err e;

	d.skip_lines = 1;
	reader = reader_new(&d, 1000, 50, give, &p);
	ck_assert_int_eq(reader_next(reader, &r, true, &e), 1);
	ck_assert_uint_eq(r.offset, 1000);
	ck_assert_uint_eq(r.line, 50);
	ck_assert_uint_eq(r.field_count, 2);
	ck_assert_uint_eq(r.fields[0].length, 4);
	ck_assert_int_eq(r.flaw, RECORD_ENCODING);
	ck_assert_uint_eq(r.flaw_offset, 1005);
	ck_assert_uint_eq(reader_offset(reader), 1007);
	ck_assert_uint_eq(reader_line(reader), 51);
	ck_assert_int_eq(reader_next(reader, &r, false, &e), 1);
	ck_assert_uint_eq(r.offset, 1007);
	ck_assert_int_eq(reader_next(reader, &r, true, &e), 0);
	ck_assert_uint_eq(reader_offset(reader), 1009);
	reader_free(reader);
}
END_TEST

START_TEST(header_with_fields_then_bounds_then_fields)
{
	struct dialect d = dialect_default();
	const char *csv = "a,\"b\nc\"\n1,2\n\n3,\"4\"\"\"\n5,6\n";

	for (size_t piece = 1; piece < 40; piece++) {
		struct pieces p = {csv, strlen(csv), piece, false};
		struct reader *reader = reader_new(&d, 0, 1, give, &p);
		struct buf out = {0};
		struct record r;
		struct err e;

		for (int i = 0; reader_next(reader, &r, i % 2 == 0, &e) == 1; i++)
			put_record(&out, &r, i % 2 == 0);
		ck_assert_str_eq(out.bytes, "a|'b\nc'\n8+4@3\n3|'4\"'\n21+4@6\n");
		buf_fini(&out);
		reader_free(reader);
	}
}
END_TEST

START_TEST(a_nul_byte_is_a_flaw_of_its_record)
{
	struct dialect d = dialect_default();

	expect_bytes(&d, "a,b\nc,d\0e\nf,g\n", 14, true, "a|b\nc|d^e !nul field 1 byte 7\nf|g\nend 14 4 0");
	d.quote = '\0';
	expect_bytes(&d, "\0a,b\n", 5, true, "^a|b !nul field 0 byte 0\nend 5 2 0");
}
END_TEST

START_TEST(flaws_name_byte_and_field)
{
	expect_fields("a,b\nc,d\xc3\x28,e\nf,\"\n\",\xed\xa0\x80\ng,h\n",
	    "a|b\nc|d\xc3(|e !encoding field 1 byte 7\nf|'\n'|\xed\xa0\x80 !encoding field 2 byte 18\ng|h\nend 26 6 0");
	expect_fields("gr\xc3\xbc\xc3\x9f,\xe2\x82\xac,\xf0\x9f\x98\x80\n",
	    "gr\xc3\xbc\xc3\x9f|\xe2\x82\xac|\xf0\x9f\x98\x80\nend 16 2 0");
}
END_TEST

START_TEST(unescaping_a_record_does_not_invent_flaws)
{
	expect_fields("\"\"\"\"\"\xe2\x82\xac\",x\n", "'\"\"\xe2\x82\xac'|x\nend 12 2 0");
}
END_TEST

START_TEST(without_a_quote_character_quotes_are_data)
{
	struct dialect d = dialect_default();

	d.quote = '\0';
	expect(&d, "\"a,b\"\n\"\n", true, "\"a|b\"\n\"\nend 8 3 0");
}
END_TEST

START_TEST(delimiter_and_quote_can_be_others)
{
	struct dialect d = dialect_default();

	d.delimiter = '\t';
	d.quote = '\'';
	expect(&d, "a,b\t'c\td''e'\t\"\n", true, "a,b|'c\td'e'|\"\nend 15 2 0");
}
END_TEST

START_TEST(an_escape_makes_any_byte_a_character)
{
	struct dialect d = dialect_default();

	d.escape = '\\';
	expect(&d, "a\\,b,\\\"c,\"d\\\"e\",f\\\\\n\"x\"\"y\"\n", true, "a,b|\"c|'d\"e'|f\\\n'x\"y'\nend 27 3 0");
	expect(&d, "a\\\nb\\\r\nc\\\rd,\"e\\\nf\"\ng\n", true, "a\nb\r\nc\rd|'e\nf'\ng\nend 21 7 0");
	expect(&d, "a\\\nb\\\r\nc\\\rd,\"e\\\nf\"\ng\n", false, "0+19@1\n19+2@6\nend 21 7 0");
	expect(&d, "a\\", true, "a\\\nend 2 1 0");
	expect(&d, "a\\\r,b\n", true, "a\r|b\nend 6 3 0");
	d.escape = d.quote;
	expect(&d, "\"a\"\"b\",\"\"\"\"\n", true, "'a\"b'|'\"'\nend 12 2 0");
}
END_TEST

START_TEST(comments_are_skipped_and_are_not_blank)
{
	struct dialect d = dialect_default();

	d.comment = '#';
	expect(&d, "# it's \"so\na,#b\n#\n\"#c\",d\n#\"", true, "a|#b\n'#c'|d\nend 27 5 0");
	expect(&d, "# it's \"so\na,#b\n#\n\"#c\",d\n#\"", false, "11+5@2\n18+7@4\nend 27 5 0");
}
END_TEST

START_TEST(an_open_quote_names_where_it_opened)
{
#define OPEN_HINT                                                                                                      \
	"quote is still open at the end of the file; hint: if \" does not quote fields here, say what does (--quote) " \
	"or how it is escaped (--escape)"
	expect_fields("a,b\nc,\"d\ne\",x,\"f\ng\n", "a|b\nerror 65: line 3, byte 14: " OPEN_HINT);
	expect_bounds("a,b\nc,\"d\ne\",x,\"f\ng\n", "0+4@1\nerror 65: line 3, byte 14: " OPEN_HINT);
	expect_bounds("\"", "error 65: line 1, byte 0: " OPEN_HINT);
	expect_bounds("a\n\"b\"\"", "0+2@1\nerror 65: line 2, byte 2: " OPEN_HINT);
}
END_TEST

START_TEST(a_record_longer_than_allowed_names_where_it_began)
{
	struct dialect d = dialect_default();

	d.max_record = 300;
	for (int quoted = 0; quoted < 2; quoted++)
		for (size_t length = 280; length < 700; length++) {
			struct buf csv = {0}, expected = {0};
			size_t record = length + 4 + (quoted ? 2 : 0);

			buf_string(&csv, quoted ? "a\nb,\"" : "a\nb,");
			for (size_t i = 0; i < length; i++)
				buf_byte(&csv, 'x');
			buf_string(&csv, quoted ? "\"\r\n" : "\r\n");
			buf_string(&expected, "0+2@1\n");
			if (record <= 300)
				buf_printf(&expected, "2+%zu@2\nend %zu 3 0", record, csv.length);
			else if (!quoted || record <= 300 + 2)
				buf_string(&expected,
				    "error 65: line 2, byte 2: record is longer than 300 bytes; hint: "
				    "--max-record if records are as long");
			else
				buf_string(&expected,
				    "error 65: line 2, byte 2: record is longer than 300 bytes: the quote opened at "
				    "line "
				    "2, byte 4 is still open; hint: --quote or --escape if quotes mean something else "
				    "here, --max-record if records are as long");
			expect_bytes(&d, csv.bytes, csv.length, false, expected.bytes);
			buf_fini(&csv);
			buf_fini(&expected);
		}
}
END_TEST

START_TEST(the_sources_error_is_handed_up)
{
	struct dialect d = dialect_default();
	struct pieces p = {"a\nb\nc", 5, 100, true};
	char *got = read_pieces(&d, p, true, SCAN_BEST, 0);

	ck_assert_str_eq(got, "error 74: the disk is gone");
	free(got);
}
END_TEST

START_TEST(an_error_is_found_again_when_asked_again)
{
	struct dialect d = dialect_default();
	struct pieces p = {"a\n\"b,c\nd", 8, 3, false};
	struct reader *reader = reader_new(&d, 0, 1, give, &p);
	struct record r;
	struct err e, again;

	ck_assert_int_eq(reader_next(reader, &r, true, &e), 1);
	ck_assert_int_eq(reader_next(reader, &r, true, &e), -1);
	ck_assert_int_eq(reader_next(reader, &r, true, &again), -1);
	ck_assert_str_eq(e.message, again.message);
	ck_assert_uint_eq(reader_offset(reader), 2);
	reader_free(reader);
}
END_TEST

/* Gives all it has, then fails once, then goes on. */
static ssize_t
stumble(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct pieces *p = ctx;

	if (p->fails && p->length <= p->piece) {
		p->fails = false;
		return err_set(e, ERR_AGAIN, "not now");
	}
	return give(ctx, bytes, capacity, e);
}

START_TEST(a_source_that_failed_once_may_go_on)
{
	struct dialect d = dialect_default();
	const char *csv =
	    "0123456789,0123456789,0123456789,0123456789,\"0123456\"\"89\",\"\n0123456789\",0123456789\nb,c\n";

	for (int fields = 0; fields < 2; fields++) {
		struct pieces p = {csv, strlen(csv), 10, true};
		struct reader *reader = reader_new(&d, 0, 1, stumble, &p);
		struct record r;
		struct err e;

		ck_assert_int_eq(reader_next(reader, &r, fields, &e), -1);
		ck_assert_int_eq(e.code, ERR_AGAIN);
		ck_assert_int_eq(reader_next(reader, &r, fields, &e), 1);
		ck_assert_uint_eq(r.length, strlen(csv) - 4);
		ck_assert_uint_eq(r.field_count, fields ? 7 : 0);
		ck_assert_int_eq(reader_next(reader, &r, fields, &e), 1);
		ck_assert_uint_eq(r.line, 3);
		reader_free(reader);
	}
}
END_TEST

/* A record far longer than the window, of many fields: nothing is lost, and the next ones are right. */
START_TEST(a_long_record_grows_the_window)
{
	struct dialect d = dialect_default();

	for (size_t fields = 1; fields <= 100000; fields *= 10)
		for (enum scan_path path = SCAN_BEST; path <= SCAN_EXACT; path++) {
			struct buf csv = {0};
			struct pieces p;
			struct reader *reader;
			struct record r;
			struct err e;

			buf_string(&csv, "a,b\n");
			for (size_t i = 0; i < fields; i++)
				buf_printf(&csv, "%s\"%zu \"\"\n\"", i > 0 ? "," : "", i);
			buf_string(&csv, "\nlast,\"one\"\n");
			p = (struct pieces){csv.bytes, csv.length, 1000, false};
			reader = reader_new(&d, 0, 1, give, &p);
			reader_tune(reader, path, 256);
			ck_assert_int_eq(reader_next(reader, &r, true, &e), 1);
			ck_assert_int_eq(reader_next(reader, &r, true, &e), 1);
			ck_assert_uint_eq(r.field_count, fields < RECORD_MAX_FIELDS ? fields : RECORD_MAX_FIELDS);
			ck_assert_uint_eq(r.length, csv.length - 15);
			for (size_t i = 0; i < r.field_count; i++) {
				char text[40];
				int length = snprintf(text, sizeof text, "%zu \"\n", i);

				ck_assert_uint_eq(r.fields[i].length, (unsigned)length);
				ck_assert_mem_eq(r.fields[i].bytes, text, (size_t)length);
			}
			ck_assert_int_eq(reader_next(reader, &r, true, &e), 1);
			ck_assert_uint_eq(r.line, fields + 3);
			ck_assert_uint_eq(r.field_count, 2);
			ck_assert_int_eq(reader_next(reader, &r, true, &e), 0);
			ck_assert_uint_eq(reader_offset(reader), csv.length);
			reader_free(reader);
			buf_fini(&csv);
		}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reader");
	TCase *t = tcase_create("reader");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_empty_file_has_no_records);
	tcase_add_test(t, fields_end_at_delimiters_and_records_at_lines);
	tcase_add_test(t, a_missing_last_newline_loses_nothing);
	tcase_add_test(t, lf_crlf_and_cr_end_records_in_one_file);
	tcase_add_test(t, a_line_without_bytes_is_skipped_and_counted);
	tcase_add_test(t, quoted_newline_does_not_end_a_record);
	tcase_add_test(t, quoted_delimiter_does_not_end_a_field);
	tcase_add_test(t, two_quotes_inside_quotes_are_one);
	tcase_add_test(t, an_empty_field_in_quotes_is_told_from_an_empty_one);
	tcase_add_test(t, a_quote_inside_an_unquoted_field_is_a_character);
	tcase_add_test(t, bytes_behind_a_closing_quote_are_taken_as_they_are);
	tcase_add_test(t, a_quoted_field_may_be_followed_by_crlf);
	tcase_add_test(t, a_byte_order_mark_is_passed_over_at_the_start_only);
	tcase_add_test(t, lines_to_skip_are_not_parsed);
	tcase_add_test(t, a_chunk_begins_where_it_is_told);
	tcase_add_test(t, header_with_fields_then_bounds_then_fields);
	tcase_add_test(t, a_nul_byte_is_a_flaw_of_its_record);
	tcase_add_test(t, flaws_name_byte_and_field);
	tcase_add_test(t, unescaping_a_record_does_not_invent_flaws);
	tcase_add_test(t, without_a_quote_character_quotes_are_data);
	tcase_add_test(t, delimiter_and_quote_can_be_others);
	tcase_add_test(t, an_escape_makes_any_byte_a_character);
	tcase_add_test(t, comments_are_skipped_and_are_not_blank);
	tcase_add_test(t, an_open_quote_names_where_it_opened);
	tcase_add_test(t, a_record_longer_than_allowed_names_where_it_began);
	tcase_add_test(t, the_sources_error_is_handed_up);
	tcase_add_test(t, an_error_is_found_again_when_asked_again);
	tcase_add_test(t, a_source_that_failed_once_may_go_on);
	tcase_add_test(t, a_long_record_grows_the_window);
	suite_add_tcase(s, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
