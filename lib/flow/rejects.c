#include "flow/rejects.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "db/pg.h"
#include "flow/desk.h"
#include "ledger/reject.h"
#include "store/store.h"

/* A record's bytes as a reader's source. */
struct memory {
	const char *bytes;
	size_t length;
};

static ssize_t
read_memory(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct memory *m = ctx;
	size_t n = m->length < capacity ? m->length : capacity;

	(void)e;
	memcpy(bytes, m->bytes, n);
	m->bytes += n;
	m->length -= n;
	return (ssize_t)n;
}

static void
append_field(struct buf *line, const char *bytes, size_t length, bool quote)
{
	for (size_t i = 0; !quote && i < length; i++)
		quote = bytes[i] == '"' || bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '\r';
	if (!quote) {
		buf_append(line, bytes, length);
		return;
	}
	buf_byte(line, '"');
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '"')
			buf_byte(line, '"');
		buf_byte(line, bytes[i]);
	}
	buf_byte(line, '"');
}

/* One line of the export under way. */
struct export
{
	struct desk *desk;
	struct buf line, raw;
	size_t fields; /* of a line that were appended */
	bool doubted;  /* one of the rejects has its hint already */
	int (*write)(void *ctx, const char *bytes, size_t length, struct err *e);
	void *ctx;
};

static void
add(struct export *x, const char *bytes, size_t length, bool quote)
{
	/* The separator is told by the count: a first field may be empty. */
	if (x->fields++ > 0)
		buf_byte(&x->line, ',');
	append_field(&x->line, bytes, length, quote);
}

static int
flush(struct export *x, struct err *e)
{
	buf_byte(&x->line, '\n');
	x->fields = 0;
	return x->write(x->ctx, x->line.bytes, x->line.length, e);
}

static int
write_header(struct export *x, struct err *e)
{
	static const char *const own[] = {"_line", "_byte", "_column", "_code", "_reason", "_raw"};
	const struct desk *d = x->desk;

	buf_reset(&x->line);
	for (size_t i = 0; i < d->job.column_count; i++) {
		const char *header = d->job.columns[i] >= 0 ? d->shape.columns[d->job.columns[i]].header : "";

		add(x, header, strlen(header), false);
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		add(x, own[i], strlen(own[i]), false);
	return flush(x, e);
}

/* The record's bytes as they lie in the object, without their line end. */
static int
read_raw(struct export *x, uint64_t byte, uint64_t length, struct err *e)
{
	struct object *object = store_get(x->desk->store, x->desk->job.object, byte, length, e);
	ssize_t n = 0;

	buf_reset(&x->raw);
	if (object == NULL)
		return -1;
	while (x->raw.length < length) {
		n = store_read(object, buf_reserve(&x->raw, length - x->raw.length), length - x->raw.length, e);
		if (n <= 0)
			break;
		x->raw.length += (size_t)n;
	}
	store_release(object);
	while (
	    x->raw.length > 0 && (x->raw.bytes[x->raw.length - 1] == '\n' || x->raw.bytes[x->raw.length - 1] == '\r'))
		x->raw.length--;
	return n < 0 ? -1 : 0;
}

/* With what it may hint at, once: what is wrong with one record is wrong with most of such a file. */
static void
add_reason(struct export *x, const char *code, const char *reason)
{
	const char *doubt = x->doubted ? "" : reject_doubt(code, x->desk->reading.encoding == NULL);
	char *text = buf_format("%s%s", reason, doubt);

	x->doubted |= *doubt != '\0';
	add(x, text, strlen(text), false);
	free(text);
}

static int
write_reject(void *ctx, const struct pg_rows *row, struct err *e)
{
	struct export *x = ctx;
	const struct desk *d = x->desk;
	uint64_t byte = (uint64_t)pg_rows_int(row, 0, 1);
	struct memory memory;
	struct reader *reader;
	struct record r;
	int got;

	if (read_raw(x, byte, (uint64_t)pg_rows_int(row, 0, 2), e) != 0)
		return -1;
	memory = (struct memory){x->raw.bytes, x->raw.length};
	reader = reader_new(&d->reading.dialect, byte > 0 ? byte : 1, 1, read_memory, &memory);
	got = reader_next(reader, &r, true, e);
	buf_reset(&x->line);
	for (size_t i = 0; got == 1 && i < d->job.column_count; i++) {
		if (i < r.field_count)
			add(x, r.fields[i].bytes, r.fields[i].length, r.fields[i].quoted && r.fields[i].length == 0);
		else
			add(x, "", 0, false);
	}
	reader_free(reader);
	if (got != 1)
		return got < 0 ? -1 : err_set(e, ERR_IO, "no record at byte %" PRIu64 " of the object", byte);
	for (size_t i = 0; i < 4; i++) {
		static const size_t places[] = {0, 1, 3, 4};
		const char *text = pg_rows_text(row, 0, places[i]);

		add(x, text != NULL ? text : "", text != NULL ? strlen(text) : 0, false);
	}
	add_reason(x, pg_rows_text(row, 0, 4), pg_rows_text(row, 0, 5));
	add(x, x->raw.bytes, x->raw.length, true);
	return flush(x, e);
}

int
rejects_export(const struct site *site, int64_t job,
    int (*write)(void *ctx, const char *bytes, size_t length, struct err *e), void *ctx, struct err *e)
{
	struct desk desk = {0};
	struct export x = {.desk = &desk, .write = write, .ctx = ctx};
	char id[24];
	int result = -1;

	snprintf(id, sizeof id, "%" PRId64, job);
	if (desk_open(&desk, site, e) != 0)
		return -1;
	if (desk_take_to_read(&desk, job, e) == 0 && write_header(&x, e) == 0)
		result = pg_stream(desk.pg,
		    "SELECT line, byte, length, header, code, reason FROM csvp.reject WHERE job = $1 AND NOT replayed "
		    "ORDER BY byte",
		    1, (const char *const[]){id}, write_reject, &x, e);
	buf_fini(&x.line);
	buf_fini(&x.raw);
	desk_close(&desk);
	return result;
}
