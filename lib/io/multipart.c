#include "io/multipart.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/disposition.h"
#include "io/source.h"

enum {
	CAPACITY = 64 * 1024,
	LONGEST_BOUNDARY = 70,
	LONGEST_PADDING = 64, /* blanks between a delimiter and the end of its line */
	LONGEST_HEADERS = 16 * 1024
};

struct multipart {
	struct source from;
	char delimiter[4 + LONGEST_BOUNDARY + 1]; /* CR LF "--" boundary */
	size_t delimiter_length;
	bool inside;    /* a part that has not been read to its end */
	bool fresh;     /* nothing of it was looked at: the blank line's end is still there, in front of it */
	bool last;      /* the closing delimiter was seen */
	bool exhausted; /* the source was */
	struct buf headers;
	char *name, *file;
	size_t begin, end; /* received and not yet used, in bytes[] */
	size_t clear;      /* so many of them, from `begin` on, are data for sure */
	char bytes[CAPACITY];
};

char *
multipart_boundary(const char *content_type)
{
	char *boundary = disposition_parameter(content_type, "boundary");
	size_t length = boundary != NULL ? strlen(boundary) : 0;

	if (length >= 1 && length <= LONGEST_BOUNDARY)
		return boundary;
	free(boundary);
	return NULL;
}

struct multipart *
multipart_open(const struct source *from, const char *boundary)
{
	struct multipart *m = buf_malloc(sizeof *m);

	memset(m, 0, offsetof(struct multipart, bytes));
	m->from = *from;
	m->delimiter_length = 4 + strlen(boundary);
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, m->delimiter_length - 4 + 1);
	/* The first delimiter may be the body's first line: with a line end before it, it looks like the others. */
	memcpy(m->bytes, "\r\n", 2);
	m->end = 2;
	m->inside = true;
	return m;
}

/* Receive more: 0 at the end of the source, -1. There is room, as what is kept is shorter than the buffer. */
static ssize_t
fill(struct multipart *m, struct err *e)
{
	ssize_t got;

	if (m->begin > 0) {
		memmove(m->bytes, m->bytes + m->begin, m->end - m->begin);
		m->end -= m->begin;
		m->begin = 0;
	}
	got = m->from.read(m->from.ctx, m->bytes + m->end, sizeof m->bytes - m->end, e);
	if (got > 0)
		m->end += (size_t)got;
	m->exhausted = got == 0;
	return got;
}

static int
broken(const struct multipart *m, const char *what, struct err *e)
{
	return err_set(e, ERR_DATA, "%s: %s", m->from.name, what);
}

enum line { LINE_NONE, LINE_NEXT, LINE_LAST, LINE_UNKNOWN };

/* What follows the delimiter at `at`: is it a whole line, and which? *length gets that of both. */
static enum line
classify(const struct multipart *m, const char *at, size_t *length)
{
	const char *end = m->bytes + m->end;
	const char *p = at + m->delimiter_length;

	*length = m->delimiter_length;
	if (p < end && *p == '-') {
		if (p + 1 == end)
			return m->exhausted ? LINE_NONE : LINE_UNKNOWN;
		*length += 2;
		return p[1] == '-' ? LINE_LAST : LINE_NONE;
	}
	while (p < end && (*p == ' ' || *p == '\t') && p - at < (ptrdiff_t)m->delimiter_length + LONGEST_PADDING)
		p++;
	if (p == end || (p + 1 == end && *p == '\r'))
		return m->exhausted ? LINE_NONE : LINE_UNKNOWN;
	*length = (size_t)(p - at) + 2;
	return p[0] == '\r' && p[1] == '\n' ? LINE_NEXT : LINE_NONE;
}

/*
 * Find out how many bytes from `begin` on are the part's: at least one (m->clear), or none and its end was passed over.
 * 1, 0, -1.
 */
static int
look(struct multipart *m, struct err *e)
{
	while (m->clear == 0) {
		size_t kept = m->end - m->begin, length;
		char *at = memmem(m->bytes + m->begin, kept, m->delimiter, m->delimiter_length);
		enum line line = at != NULL ? classify(m, at, &length) : LINE_UNKNOWN;

		if (at != NULL && at > m->bytes + m->begin) {
			m->clear = (size_t)(at - (m->bytes + m->begin));
		} else if (at != NULL && line == LINE_NONE) {
			m->clear = m->delimiter_length;
		} else if (at != NULL && line != LINE_UNKNOWN) {
			m->begin += length;
			m->inside = m->fresh = false;
			m->last = line == LINE_LAST;
			return 0;
		} else if (at == NULL && kept > m->delimiter_length) {
			/* The last bytes may be the beginning of a delimiter. */
			m->clear = kept - (m->delimiter_length - 1);
		} else if (m->exhausted) {
			return broken(m, "the body ends in the middle of a part", e);
		} else if (fill(m, e) < 0) {
			return -1;
		}
		if (m->fresh && m->clear > 0) {
			m->fresh = false;
			m->begin += 2;
			m->clear -= 2;
		}
	}
	return 1;
}

static ssize_t
read_part(struct multipart *m, char *bytes, size_t capacity, struct err *e)
{
	size_t n;
	int there;

	if (!m->inside || capacity == 0)
		return 0;
	there = look(m, e);
	if (there <= 0)
		return there;
	n = m->clear < capacity ? m->clear : capacity;
	if (bytes != NULL)
		memcpy(bytes, m->bytes + m->begin, n);
	m->begin += n;
	m->clear -= n;
	return (ssize_t)n;
}

ssize_t
multipart_read(void *multipart, void *bytes, size_t capacity, struct err *e)
{
	return read_part(multipart, bytes, capacity, e);
}

/* One header line without its end, unfolded (RFC 822 allows it) by the caller; 0, -1. */
static int
read_line(struct multipart *m, struct buf *line, struct err *e)
{
	buf_reset(line);
	for (;;) {
		const char *from = m->bytes + m->begin;
		const char *end = memmem(from, m->end - m->begin, "\r\n", 2);
		ssize_t got;

		if (end != NULL) {
			buf_append(line, from, (size_t)(end - from));
			m->begin += (size_t)(end - from) + 2;
			return 0;
		}
		if (m->end - m->begin > LONGEST_HEADERS)
			return broken(m, "the headers of a part are longer than 16 kB", e);
		got = fill(m, e);
		if (got < 0)
			return -1;
		if (got == 0)
			return broken(m, "the body ends in the headers of a part", e);
	}
}

/* All header lines, each ended by a newline, continued ones in one. */
static int
read_headers(struct multipart *m, struct err *e)
{
	struct buf line = {0};
	int result;

	buf_reset(&m->headers);
	while ((result = read_line(m, &line, e)) == 0 && line.length > 0) {
		if ((line.bytes[0] == ' ' || line.bytes[0] == '\t') && m->headers.length > 0)
			m->headers.bytes[m->headers.length - 1] = ' ';
		buf_append(&m->headers, line.bytes, line.length);
		buf_byte(&m->headers, '\n');
		if (m->headers.length > LONGEST_HEADERS) {
			result = broken(m, "the headers of a part are longer than 16 kB", e);
			break;
		}
	}
	if (result == 0 && m->headers.length > 0 && memchr(m->headers.bytes, '\0', m->headers.length) != NULL)
		result = broken(m, "a header of a part holds a NUL byte", e);
	buf_fini(&line);
	return result;
}

static int
read_disposition(struct multipart *m, struct err *e)
{
	static const char header[] = "Content-Disposition:";
	const char *value = NULL;

	free(m->name);
	free(m->file);
	m->name = m->file = NULL;
	for (char *line = m->headers.bytes, *end; value == NULL && m->headers.length > 0 && *line != '\0';
	     line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (strncasecmp(line, header, sizeof header - 1) == 0)
			value = line + sizeof header - 1;
	}
	if (value != NULL)
		value += strspn(value, " \t");
	if (value != NULL && strncasecmp(value, "form-data", 9) == 0 && strcspn(value, "; \t") == 9) {
		m->name = disposition_parameter(value, "name");
		m->file = disposition_file(value);
	}
	return m->name != NULL ? 0 : broken(m, "a part has no Content-Disposition: form-data with a name", e);
}

int
multipart_next(struct multipart *m, struct multipart_part *part, struct err *e)
{
	ssize_t passed;

	while ((passed = read_part(m, NULL, SIZE_MAX, e)) > 0)
		;
	if (passed < 0)
		return -1;
	if (m->last)
		return 0;
	if (read_headers(m, e) != 0 || read_disposition(m, e) != 0)
		return -1;
	/* Of an empty part the blank line may be the beginning of its delimiter. */
	m->begin -= 2;
	m->inside = m->fresh = true;
	*part = (struct multipart_part){m->name, m->file};
	return 1;
}

void
multipart_close(struct multipart *m)
{
	if (m == NULL)
		return;
	buf_fini(&m->headers);
	free(m->name);
	free(m->file);
	free(m);
}
