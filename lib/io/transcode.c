#include "io/transcode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <iconv.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/source.h"

enum { CAPACITY = 128 * 1024 };

static const char replacement[3] = {'\xef', '\xbf', '\xbd'}; /* U+FFFD */

struct transcode {
	struct source from;
	iconv_t converter; /* NULL: the bytes are given out as they are */
	size_t unit;       /* bytes to skip where nothing can be decoded */
	bool ended;        /* the source has no more */
	bool flushed;
	size_t begin, end;         /* received and not yet decoded */
	size_t out_begin, out_end; /* decoded and not yet given out */
	char bytes[CAPACITY];
	char out[CAPACITY];
};

static bool
is_utf8(const char *encoding)
{
	return encoding == NULL || strcasecmp(encoding, "UTF-8") == 0 || strcasecmp(encoding, "UTF8") == 0;
}

static int
check_mark(const struct transcode *t, struct err *e)
{
	static const struct {
		const char *encoding;
		size_t length;
		const char *mark;
	} marks[] = {
	    {"UTF-32", 4, "\xff\xfe\0\0"}, /* before UTF-16, whose mark begins it */
	    {"UTF-32", 4, "\0\0\xfe\xff"},
	    {"UTF-16", 2, "\xff\xfe"},
	    {"UTF-16", 2, "\xfe\xff"},
	};

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (t->end >= marks[i].length && memcmp(t->bytes, marks[i].mark, marks[i].length) == 0)
			return err_set(e, ERR_DATA,
			    "%s: begins with a %s byte order mark, so it is not UTF-8; "
			    "hint: --encoding %s",
			    t->from.name, marks[i].encoding, marks[i].encoding);
	return 0;
}

/* Length of a text of ASCII in an encoding, a byte order mark included; 0 if iconv cannot tell. */
static size_t
encoded_length(const char *encoding, const char *text)
{
	iconv_t converter = iconv_open(encoding, "UTF-8");
	char room[64], *out = room, *in = (char *)(uintptr_t)text;
	size_t in_left = strlen(text), out_left = sizeof room;

	if (converter == (iconv_t)-1)
		return 0;
	iconv(converter, &in, &in_left, &out, &out_left);
	iconv_close(converter);
	return sizeof room - out_left;
}

static int
open_converter(struct transcode *t, const char *encoding, struct err *e)
{
	iconv_t converter;

	/* iconv takes "" as the locale's, and a slash begins an option ("//IGNORE" would lose text silently). */
	if (encoding[0] == '\0' || strchr(encoding, '/') != NULL)
		return err_set(e, ERR_USAGE, "unknown encoding '%s'; hint: iconv -l", encoding);
	converter = iconv_open("UTF-8", encoding);
	if (converter == (iconv_t)-1)
		return err_set(e, ERR_USAGE, "unknown encoding '%s'; hint: iconv -l", encoding);
	t->converter = converter;
	t->unit = encoded_length(encoding, "aa") - encoded_length(encoding, "a");
	if (t->unit != 2 && t->unit != 4)
		t->unit = 1;
	return 0;
}

/* Put up to capacity - end bytes behind what is left of the last ones. */
static int
fill(struct transcode *t, struct err *e)
{
	ssize_t n;

	memmove(t->bytes, t->bytes + t->begin, t->end - t->begin);
	t->end -= t->begin;
	t->begin = 0;
	n = t->from.read(t->from.ctx, t->bytes + t->end, sizeof t->bytes - t->end, e);
	if (n < 0)
		return -1;
	t->ended = n == 0;
	t->end += (size_t)n;
	return 0;
}

struct transcode *
transcode_open(const struct source *from, const char *encoding, struct err *e)
{
	struct transcode *t = buf_malloc(sizeof *t);

	memset(t, 0, offsetof(struct transcode, bytes));
	t->from = *from;
	if (is_utf8(encoding)) {
		while (!t->ended && t->end < 4)
			if (fill(t, e) != 0)
				goto fail;
		if (check_mark(t, e) != 0)
			goto fail;
	} else if (open_converter(t, encoding, e) != 0) {
		goto fail;
	}
	return t;
fail:
	transcode_close(t);
	return NULL;
}

/* Replace what cannot be decoded at `begin`. */
static void
replace(struct transcode *t, size_t skip)
{
	size_t left = t->end - t->begin;

	memcpy(t->out + t->out_end, replacement, sizeof replacement);
	t->out_end += sizeof replacement;
	t->begin += skip < left ? skip : left;
}

/* Decode as much as fits. Room for one replacement is always kept. */
static void
decode(struct transcode *t)
{
	while (t->begin < t->end && sizeof t->out - t->out_end > 64) {
		char *in = t->bytes + t->begin, *out = t->out + t->out_end;
		size_t in_left = t->end - t->begin;
		size_t out_left = sizeof t->out - t->out_end - sizeof replacement;
		size_t status = iconv(t->converter, &in, &in_left, &out, &out_left);
		int reason = errno;

		t->begin = t->end - in_left;
		t->out_end = (size_t)(out - t->out);
		if (status != (size_t)-1)
			continue;
		if (reason == EILSEQ)
			replace(t, t->unit);
		else if (reason == EINVAL && t->ended)
			replace(t, t->end - t->begin);
		else
			return; /* E2BIG: give out first; EINVAL: read on first */
	}
}

/* Some decoders hold a character back until they know that nothing joins it. */
static void
flush(struct transcode *t)
{
	char *out = t->out + t->out_end;
	size_t out_left = sizeof t->out - t->out_end;

	iconv(t->converter, NULL, NULL, &out, &out_left);
	t->out_end = (size_t)(out - t->out);
	t->flushed = true;
}

static ssize_t
give(const char *from, size_t *begin, size_t end, void *bytes, size_t capacity)
{
	size_t n = end - *begin < capacity ? end - *begin : capacity;

	memcpy(bytes, from + *begin, n);
	*begin += n;
	return (ssize_t)n;
}

ssize_t
transcode_read(void *transcode, void *bytes, size_t capacity, struct err *e)
{
	struct transcode *t = transcode;

	if (t->converter == NULL) {
		if (t->begin < t->end)
			return give(t->bytes, &t->begin, t->end, bytes, capacity);
		return t->from.read(t->from.ctx, bytes, capacity, e);
	}
	while (t->out_begin == t->out_end && !t->flushed) {
		t->out_begin = t->out_end = 0;
		/* A full output leaves input behind; a cut sequence leaves a few bytes. */
		if (!t->ended && t->end - t->begin < CAPACITY / 2 && fill(t, e) != 0)
			return -1;
		decode(t);
		if (t->ended && t->begin == t->end)
			flush(t);
	}
	return give(t->out, &t->out_begin, t->out_end, bytes, capacity);
}

void
transcode_close(struct transcode *transcode)
{
	if (transcode == NULL)
		return;
	if (transcode->converter != NULL)
		iconv_close(transcode->converter);
	free(transcode);
}
