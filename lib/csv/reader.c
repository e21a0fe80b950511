#include "csv/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/place.h"
#include "csv/record.h"
#include "csv/scan.h"
#include "csv/utf8.h"
#include "csv/window.h"

/* 256 kB: read(2) gains nothing from more, and what was just read is still in the second-level cache. */
#define WINDOW ((size_t)256 << 10)
#define WINDOW_LEAST 256u

struct reader {
	struct window window; /* its start is the next record's */
	uint64_t offset;      /* of that in the object */
	uint64_t line, blank;
	bool begun; /* byte order mark and skipped lines are behind us */

	struct scan scan;
	size_t scanned; /* the window is indexed so far */
	size_t next, count;
	uint32_t index[SCAN_INDEX];

	unsigned quote;       /* or 256, no byte, if there is none */
	struct field *fields; /* of the record at start, as far as it was seen */
	size_t field_count, field_capacity;
};

struct reader *
reader_new(const struct dialect *d, uint64_t offset, uint64_t line, reader_source *source, void *ctx)
{
	struct reader *r = buf_calloc(1, sizeof *r);

	scan_init(&r->scan, d, SCAN_BEST);
	if (r->scan.dialect.max_record > DIALECT_MAX_MAX_RECORD)
		r->scan.dialect.max_record = DIALECT_MAX_MAX_RECORD;
	r->window = (struct window){.source = source, .ctx = ctx, .usual = WINDOW, .most = r->scan.dialect.max_record};
	r->offset = offset;
	r->line = line;
	r->quote = d->quote != '\0' ? (unsigned char)d->quote : 256;
	return r;
}

void
reader_tune(struct reader *r, int path, size_t window)
{
	struct dialect d = r->scan.dialect;

	scan_init(&r->scan, &d, (enum scan_path)path);
	if (window > 0)
		r->window.usual = window < WINDOW_LEAST ? WINDOW_LEAST : window;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	window_fini(&r->window);
	free(r->fields);
	free(r);
}

uint64_t
reader_offset(const struct reader *r)
{
	return r->offset;
}

uint64_t
reader_line(const struct reader *r)
{
	return r->line;
}

uint64_t
reader_blank(const struct reader *r)
{
	return r->blank;
}

static int
open_quote(const struct reader *r, struct err *e)
{
	const struct window *w = &r->window;
	struct place p = place_find(&r->scan.dialect, w->bytes + w->start, w->filled - w->start);

	return err_set(e, ERR_DATA,
	    "line %llu, byte %llu: quote is still open at the end of the file; "
	    "hint: if %c does not quote fields here, say what does (--quote) or how it is escaped (--escape)",
	    (unsigned long long)(r->line + p.lines), (unsigned long long)(r->offset + p.field), r->scan.dialect.quote);
}

/* Says what the first max_record bytes hold, so that it does not depend on how many more the window has. */
static int
too_long(const struct reader *r, struct err *e)
{
	const struct dialect *d = &r->scan.dialect;
	struct place p = place_find(d, r->window.bytes + r->window.start, d->max_record);

	if (place_in_quotes(p.state))
		return err_set(e, ERR_DATA,
		    "line %llu, byte %llu: record is longer than %u bytes: the quote opened at line %llu, byte %llu is "
		    "still "
		    "open; hint: --quote or --escape if quotes mean something else here, --max-record if records are "
		    "as long",
		    (unsigned long long)r->line, (unsigned long long)r->offset, d->max_record,
		    (unsigned long long)(r->line + p.lines), (unsigned long long)(r->offset + p.field));
	return err_set(e, ERR_DATA,
	    "line %llu, byte %llu: record is longer than %u bytes; hint: --max-record if records are as long",
	    (unsigned long long)r->line, (unsigned long long)r->offset, d->max_record);
}

/* As window_refill; fields found already move along. */
static int
refill(struct reader *r, struct err *e)
{
	size_t scanned = r->scanned - r->window.start;
	uintptr_t before = (uintptr_t)r->window.bytes + r->window.start;
	int status = window_refill(&r->window, e);

	r->scanned = r->window.start + scanned;
	for (size_t i = 0; i < r->field_count; i++)
		r->fields[i].bytes = r->window.bytes + r->window.start + ((uintptr_t)r->fields[i].bytes - before);
	return status;
}

/* Index more of the window, reading more where needed: 1, 0 when all was consumed, -1 on error. */
static int
more(struct reader *r, struct err *e)
{
	struct window *w = &r->window;

	r->next = 0;
	for (;;) {
		/* All marks so far are consumed: none of them ended the record at start. */
		if (r->scanned - w->start > r->scan.dialect.max_record)
			return too_long(r, e);
		r->scanned = scan_run(&r->scan, w->bytes, r->scanned, w->filled, w->end, r->index, &r->count);
		if (r->count > 0)
			return 1;
		if (w->end && r->scanned == w->filled)
			return 0;
		if (!w->end && refill(r, e) < 0)
			return -1;
	}
}

/* Pass over a physical line: 1, 0 if there is none, -1 on error. */
static int
skip_line(struct reader *r, struct err *e)
{
	struct window *w = &r->window;
	char last = '\0';
	bool any = false;

	for (;;) {
		if (w->start == w->filled) {
			if (w->end)
				break;
			r->scanned = w->start;
			if (refill(r, e) < 0)
				return -1;
			continue;
		}
		if (last == '\r' && w->bytes[w->start] != '\n')
			break;
		last = w->bytes[w->start++];
		r->offset++;
		any = true;
		if (last == '\n')
			break;
	}
	r->line += last == '\n' || last == '\r';
	return any;
}

/* At the start of an object: the byte order mark, then the lines to skip. */
static int
begin(struct reader *r, struct err *e)
{
	struct window *w = &r->window;
	int n = 1;

	if (r->offset == 0) {
		while (w->filled - w->start < 3 && !w->end)
			if (refill(r, e) < 0)
				return -1;
		if (w->filled - w->start >= 3 && memcmp(w->bytes + w->start, "\xef\xbb\xbf", 3) == 0) {
			w->start += 3;
			r->offset += 3;
		}
		for (uint32_t i = 0; i < r->scan.dialect.skip_lines && n > 0; i++)
			n = skip_line(r, e);
		if (n < 0)
			return -1;
	}
	r->begun = true;
	return 0;
}

/* Forget the index: what begins at start is scanned anew. */
static void
rewind_scan(struct reader *r)
{
	r->scanned = r->window.start;
	r->scan.state = EXACT_RECORD;
	r->next = r->count = 0;
	r->field_count = 0;
}

/*
 * Pass on behind [start, end), which holds so many line ends: 1 with *out's
 * place filled if it is a record, 0 if it is a blank line or a comment, -1.
 */
static int
take(struct reader *r, size_t end, uint64_t lines, struct record *out, struct err *e)
{
	const char *bytes = r->window.bytes + r->window.start;
	size_t length = end - r->window.start;
	bool blank = length <= 2 && (bytes[0] == '\n' || bytes[0] == '\r');
	bool comment = r->scan.dialect.comment != '\0' && bytes[0] == r->scan.dialect.comment;

	if (length > r->scan.dialect.max_record)
		return too_long(r, e);
	*out = (struct record){.offset = r->offset, .length = length, .line = r->line};
	r->blank += blank;
	r->offset += length;
	r->line += lines;
	r->window.start = end;
	return !blank && !comment;
}

/* Is there something behind the last line end? 1, 0, or -1 for an open quote. */
static int
is_left(const struct reader *r, struct err *e)
{
	if (r->window.start == r->window.filled)
		return 0;
	return place_in_quotes(r->scan.state) ? open_quote(r, e) : 1;
}

static int
next_bounds(struct reader *r, struct record *out, struct err *e)
{
	uint64_t lines = 0;

	for (;;) {
		uint32_t mark;
		int n;

		if (r->next == r->count) {
			n = more(r, e);
			if (n == 0 && (n = is_left(r, e)) > 0)
				return take(r, r->window.filled, lines, out, e);
			if (n <= 0)
				return n;
		}
		mark = r->index[r->next++];
		lines++;
		if ((mark & SCAN_INSIDE) != 0)
			continue;
		n = take(r, mark + 1, lines, out, e);
		if (n != 0)
			return n;
		lines = 0;
	}
}

/* Room for one more field? There may be a record of more than anybody wants. */
static bool
grow_fields(struct reader *r)
{
	if (r->field_count == RECORD_MAX_FIELDS)
		return false;
	r->field_capacity = r->field_capacity == 0 ? 64 : 2 * r->field_capacity;
	r->fields = buf_realloc(r->fields, r->field_capacity, sizeof *r->fields);
	return true;
}

/*
 * The field [from, to); `first` is its first byte, or that of its end. A value
 * that is not its bytes keeps what is behind its opening quote, the closing one
 * too, for unescape().
 */
static inline void
add_field(struct reader *r, size_t from, size_t to, unsigned char first, bool changed)
{
	/* Arithmetic instead of branches: whether a field is quoted is what nobody can guess. */
	size_t quoted = first == r->quote, quotes = quoted + (quoted & !changed);

	if (r->field_count < r->field_capacity || grow_fields(r))
		r->fields[r->field_count++] =
		    (struct field){r->window.bytes + from + quoted, (uint32_t)(to - from - quotes), quoted != 0};
}

/* A field's value, in place: it is never longer than its bytes. A value that is its bytes stays as it is. */
static void
unescape(const struct dialect *d, struct field *f, char *bytes)
{
	bool inside = f->quoted;
	uint32_t length = 0;

	for (uint32_t i = 0; i < f->length; i++) {
		bool last = i + 1 == f->length;

		if (d->escape != '\0' && bytes[i] == d->escape) {
			i += !last;
		} else if (inside && bytes[i] == d->quote) {
			if (last || bytes[i + 1] != d->quote) {
				inside = false;
				continue;
			}
			i++;
		}
		bytes[length++] = bytes[i];
	}
	f->length = length;
}

/* Check the bytes of a record just taken, then make its values of them. */
static void
finish_fields(struct reader *r, bool changed, struct record *out)
{
	char *bytes = r->window.bytes + r->window.start - out->length;
	size_t flaw = utf8_flaw(bytes, out->length);

	if (flaw < out->length) {
		out->flaw = bytes[flaw] == '\0' ? RECORD_NUL : RECORD_ENCODING;
		out->flaw_offset = out->offset + flaw;
		out->flaw_field = place_find(&r->scan.dialect, bytes, flaw).index;
	}
	if (changed)
		for (size_t i = 0; i < r->field_count; i++)
			unescape(&r->scan.dialect, &r->fields[i], bytes + (r->fields[i].bytes - bytes));
	out->fields = r->fields;
	out->field_count = (uint32_t)r->field_count;
}

/* The record at start as far as its fields are known. */
struct partial {
	size_t from; /* the next field, relative to start: the window may move */
	uint64_t lines;
	bool changed;     /* the field's value is not its bytes */
	bool any_changed; /* or that of an earlier one */
};

/* Go on through the marks of the index: true when the record is whole. */
static bool
add_fields(struct reader *r, struct partial *p)
{
	const unsigned char *bytes = (const unsigned char *)r->window.bytes;
	const unsigned char delimiter = (unsigned char)r->scan.dialect.delimiter;
	size_t from = r->window.start + p->from;
	bool changed = p->changed, whole = false;

	while (!whole && r->next < r->count) {
		uint32_t mark = r->index[r->next++], at = mark & ~SCAN_INSIDE;
		size_t to = at;

		whole = bytes[at] != delimiter;
		if (__builtin_expect(whole, 0)) {
			bool line_end = bytes[at] == '\n' || bytes[at] == '\r';

			p->lines += line_end;
			if (mark != at) {
				changed |= !line_end;
				whole = false;
				continue;
			}
			to -= bytes[at] == '\n' && to > from && bytes[to - 1] == '\r';
		}
		add_field(r, from, to, bytes[from], changed);
		p->any_changed |= changed;
		changed = false;
		from = at + 1;
	}
	p->from = from - r->window.start;
	p->changed = changed;
	return whole;
}

static int
take_fields(struct reader *r, size_t end, const struct partial *p, struct record *out, struct err *e)
{
	int n = take(r, end, p->lines, out, e);

	if (n > 0)
		finish_fields(r, p->any_changed, out);
	r->field_count = 0;
	return n;
}

static int
next_fields(struct reader *r, struct record *out, struct err *e)
{
	struct partial p = {0};

	for (;;) {
		int n;

		if (r->next == r->count) {
			n = more(r, e);
			if (n == 0 && (n = is_left(r, e)) > 0) {
				size_t from = r->window.start + p.from, to = r->window.filled;

				add_field(
				    r, from, to, from < to ? (unsigned char)r->window.bytes[from] : '\0', p.changed);
				p.any_changed |= p.changed;
				return take_fields(r, to, &p, out, e);
			}
			if (n <= 0)
				return n;
		}
		if (!add_fields(r, &p))
			continue;
		n = take_fields(r, r->window.start + p.from, &p, out, e);
		if (n != 0)
			return n;
		p = (struct partial){0};
	}
}

static int
next_record(struct reader *r, struct record *out, bool fields, struct err *e)
{
	int n;

	if (!r->begun) {
		if (begin(r, e) < 0)
			return -1;
		rewind_scan(r);
	}
	if (fields != r->scan.fields) {
		r->scan.fields = fields;
		rewind_scan(r);
	}
	n = fields ? next_fields(r, out, e) : next_bounds(r, out, e);
	/* Asked again, an error is found again. */
	if (n < 0)
		rewind_scan(r);
	return n;
}

/* The next mark ends a record of one line that can be nothing else: nearly always, and then 40 % of the time is saved. */
static inline bool
is_simple(const struct reader *r, bool fields)
{
	const struct scan *s = &r->scan;
	uint64_t end;

	if (fields || s->fields || r->next == r->count || s->dialect.comment != '\0')
		return false;
	/* A mark inside a value has the highest bit, and so is beyond any record's length. */
	end = (uint64_t)r->index[r->next] + 1 - r->window.start;
	return end > 2 && end <= s->dialect.max_record;
}

int
reader_next(struct reader *r, struct record *out, bool fields, struct err *e)
{
	size_t end;

	if (!is_simple(r, fields))
		return next_record(r, out, fields, e);
	end = (size_t)r->index[r->next++] + 1;
	*out = (struct record){.offset = r->offset, .length = end - r->window.start, .line = r->line++};
	r->offset += out->length;
	r->window.start = end;
	return 1;
}
