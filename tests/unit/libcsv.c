/*
 * Property: over regular files, whatever they hold, the reader and libcsv, a
 * reader written by others, find the same records and values. libcsv strips
 * blanks around unquoted fields and reads bytes behind a closing quote its own
 * way, so neither is generated here; tests/unit/reader.c has them.
 */
#include <check.h>
#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/dialect.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "csv/scan.h"

static size_t
below(size_t n)
{
	return (size_t)random() % n;
}

static void
put_value(struct buf *b, const char *const *pieces, size_t count)
{
	for (size_t i = below(8) == 0 ? below(200) : below(12); i > 0; i--)
		buf_string(b, pieces[below(count)]);
}

/* A file of regular records; some lines are blank, the last may lack its end. */
static void
put_file(struct buf *b, size_t records)
{
	static const char *const plain[] = {"a", "bc", "0123456789", "\xc3\xa9", "\xe2\x82\xac", "'", "#", "\\", ";"};
	static const char *const quoted[] = {
	    "x", " ", "\t", ",", "\"\"", "\n", "\r\n", "\r", "\xf0\x9f\x98\x80", "long text"};
	static const char *const ends[] = {"\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n"};

	buf_reset(b);
	for (size_t r = 0; r < records; r++) {
		for (size_t f = below(6); f > 0; f--) {
			if (below(3) == 0) {
				buf_byte(b, '"');
				put_value(b, quoted, sizeof quoted / sizeof *quoted);
				buf_byte(b, '"');
			} else {
				put_value(b, plain, sizeof plain / sizeof *plain);
				/* In the middle a quote and a blank are characters. */
				if (below(9) == 0)
					buf_string(b, b->length > 0 && b->bytes[b->length - 1] == 'a' ? "\" z" : "");
			}
			buf_byte(b, ',');
		}
		buf_string(b, below(2) == 0 ? "\"last\"" : "last");
		if (r + 1 < records || below(3) > 0)
			buf_string(b, ends[below(sizeof ends / sizeof *ends)]);
	}
}

/* An empty field without quotes is NULL to libcsv, too. */
static void
put_field(struct buf *out, const void *bytes, size_t length, bool null)
{
	buf_string(out, null ? "~" : "");
	for (size_t i = 0; i < length; i++)
		buf_printf(out, ((const char *)bytes)[i] == '\n' || ((const char *)bytes)[i] == '\r' ? "\\%d" : "%c",
		    ((const char *)bytes)[i]);
	buf_byte(out, '|');
}

static void
on_field(void *bytes, size_t length, void *out)
{
	put_field(out, bytes, length, bytes == NULL);
}

static void
on_row(int end, void *out)
{
	(void)end;
	buf_byte(out, '\n');
}

static char *
by_libcsv(const struct buf *file)
{
	struct csv_parser p;
	struct buf out = {0};

	if (csv_init(&p, CSV_EMPTY_IS_NULL) != 0)
		ck_abort_msg("csv_init");
	if (csv_parse(&p, file->bytes, file->length, on_field, on_row, &out) != file->length)
		ck_abort_msg("libcsv: %s", csv_strerror(csv_error(&p)));
	csv_fini(&p, on_field, on_row, &out);
	csv_free(&p);
	return buf_detach(&out);
}

struct rest {
	const char *bytes;
	size_t length;
};

static ssize_t
give(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct rest *rest = ctx;
	size_t n = 1 + below(2000);

	(void)e;
	if (n > rest->length)
		n = rest->length;
	if (n > capacity)
		n = capacity;
	memcpy(bytes, rest->bytes, n);
	rest->bytes += n;
	rest->length -= n;
	return (ssize_t)n;
}

static char *
by_reader(const struct buf *file, size_t *records)
{
	struct dialect d = dialect_default();
	struct rest rest = {file->bytes, file->length};
	struct reader *reader = reader_new(&d, 0, 1, give, &rest);
	struct buf out = {0};
	struct record r;
	struct err e;
	int n;

	reader_tune(reader, (int)below(SCAN_EXACT + 1), 256 + below(1000));
	while ((n = reader_next(reader, &r, true, &e)) == 1) {
		for (uint32_t i = 0; i < r.field_count; i++)
			put_field(&out, r.fields[i].bytes, r.fields[i].length,
			    r.fields[i].length == 0 && !r.fields[i].quoted);
		buf_byte(&out, '\n');
		++*records;
		if (r.flaw != RECORD_SOUND)
			ck_abort_msg("flaw %d at %llu", r.flaw, (unsigned long long)r.flaw_offset);
	}
	if (n < 0)
		ck_abort_msg("%s", e.message);
	if (reader_offset(reader) != file->length)
		ck_abort_msg("ends at %llu of %zu", (unsigned long long)reader_offset(reader), file->length);
	reader_free(reader);
	return buf_detach(&out);
}

START_TEST(reader_and_libcsv_agree_on_regular_files)
{
	const char *full = getenv("LONG");
	int rounds = full != NULL && *full != '\0' ? 20000 : 500;
	struct buf file = {0};

	for (int i = 0; i < rounds; i++) {
		size_t records = below(60), got = 0;
		char *theirs, *ours;

		put_file(&file, records);
		if (file.length == 0)
			continue;
		theirs = by_libcsv(&file);
		ours = by_reader(&file, &got);
		if (strcmp(theirs, ours) != 0 || got != records)
			ck_abort_msg("round %d, %zu records, got %zu, of\n%s\nours\n%s\ntheirs\n%s", i, records, got,
			    file.bytes, ours, theirs);
		free(theirs);
		free(ours);
	}
	buf_fini(&file);
}
END_TEST

int
main(void)
{
	const char *seed = getenv("SEED");
	unsigned number = seed != NULL && *seed != '\0' ? (unsigned)strtoul(seed, NULL, 10) : 1;
	Suite *s = suite_create("libcsv");
	TCase *t = tcase_create("libcsv");
	SRunner *runner = srunner_create(s);
	int failed;

	printf("SEED=%u\n", number);
	srandom(number);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, reader_and_libcsv_agree_on_regular_files);
	suite_add_tcase(s, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
