/*
 * libFuzzer: whatever the bytes, every path, window and size of piece gives
 * the same records, and boundaries alone are those of the records with fields.
 * The first two bytes choose the dialect and the size of a piece.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/dialect.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "csv/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct rest {
	const uint8_t *bytes;
	size_t length, piece;
};

static ssize_t
give(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct rest *rest = ctx;
	size_t n = rest->length < rest->piece ? rest->length : rest->piece;

	(void)e;
	if (n > capacity)
		n = capacity;
	memcpy(bytes, rest->bytes, n);
	rest->bytes += n;
	rest->length -= n;
	return (ssize_t)n;
}

static void
put_record(struct buf *out, const struct record *r, bool fields)
{
	buf_append(out, &r->offset, sizeof r->offset);
	buf_append(out, &r->length, sizeof r->length);
	buf_append(out, &r->line, sizeof r->line);
	if (!fields)
		return;
	buf_append(out, &r->flaw, sizeof r->flaw);
	buf_append(out, &r->flaw_offset, sizeof r->flaw_offset);
	buf_append(out, &r->flaw_field, sizeof r->flaw_field);
	for (uint32_t i = 0; i < r->field_count; i++) {
		buf_append(out, &r->fields[i].length, sizeof r->fields[i].length);
		buf_byte(out, (char)r->fields[i].quoted);
		buf_append(out, r->fields[i].bytes, r->fields[i].length);
	}
}

/* All there is to know of the file, once as records with fields and once as their places alone. */
static void
read_all(const struct dialect *d, struct rest rest, enum scan_path path, size_t window, bool fields, struct buf *values,
    struct buf *places)
{
	struct reader *reader = reader_new(d, 0, 1, give, &rest);
	const uint64_t total = rest.length;
	struct err e = {0};
	struct record r;
	uint64_t end[3];
	int n;

	reader_tune(reader, path, window);
	while ((n = reader_next(reader, &r, fields, &e)) > 0) {
		put_record(places, &r, false);
		if (values != NULL)
			put_record(values, &r, true);
	}
	end[0] = reader_offset(reader);
	end[1] = reader_line(reader);
	end[2] = reader_blank(reader);
	buf_append(places, end, sizeof end);
	buf_string(places, n < 0 ? e.message : "end");
	if (n == 0 && end[0] != total)
		abort();
	reader_free(reader);
}

static void
expect_same(const char *what, const struct buf *a, const struct buf *b, enum scan_path path, size_t window)
{
	if (a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0))
		return;
	fprintf(stderr, "%s differ: path %d, window %zu\n", what, path, window);
	abort();
}

static struct dialect
dialect_of(uint8_t choice)
{
	struct dialect d = dialect_default();

	d.quote = (choice & 1) != 0 ? '\'' : '"';
	if ((choice & 6) == 6)
		d.quote = '\0';
	d.delimiter = (choice & 8) != 0 ? ';' : ',';
	d.escape = (choice & 0x30) == 0x10 ? '\\' : '\0';
	d.comment = (choice & 0x30) == 0x20 ? '#' : '\0';
	d.skip_lines = (choice & 0xc0) == 0xc0 ? 2 : 0;
	d.max_record = (choice & 0xc0) == 0x40 ? 300 : DIALECT_MAX_RECORD;
	return d;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const size_t windows[] = {256, 1000, 4096};
	struct buf values = {0}, places = {0};
	struct dialect d;
	struct rest rest;

	if (length < 2)
		return 0;
	d = dialect_of(bytes[0]);
	rest = (struct rest){bytes + 2, length - 2, bytes[1] == 255 ? length : (size_t)1 + bytes[1]};
	read_all(&d, rest, SCAN_EXACT, 1 << 14, true, &values, &places);
	for (enum scan_path path = SCAN_AVX512; path <= SCAN_EXACT; path++)
		for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
			for (int fields = 0; fields < 2; fields++) {
				struct buf v = {0}, p = {0};

				read_all(&d, rest, path, windows[i], fields, fields ? &v : NULL, &p);
				expect_same("places", &places, &p, path, windows[i]);
				if (fields)
					expect_same("values", &values, &v, path, windows[i]);
				buf_fini(&v);
				buf_fini(&p);
			}
	buf_fini(&values);
	buf_fini(&places);
	return 0;
}
