#include "io/inflate.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/source.h"

enum {
	CAPACITY = 256 * 1024,
	LONGEST_MAGIC = 10,
	/* 32 MB: all that zstd makes up to level 20 without --long. */
	WINDOW_LOG = 25
};

/*
 * A step takes compressed bytes from `begin` on and writes at most `capacity`
 * bytes; 0 is no error and no end. It keeps `inside` and `held` up to date.
 */
typedef ssize_t step_function(struct inflate *in, void *bytes, size_t capacity, struct err *e);

struct inflate {
	struct source from;
	step_function *step; /* NULL: not compressed */
	const char *format;
	z_stream gzip;
	ZSTD_DStream *zstd;
	bool inside; /* a member or frame has begun and not ended */
	bool held;   /* zstd: the output was full, so there may be more of it without any input */
	uint64_t received;
	size_t begin, end; /* received and not yet used, in bytes[] */
	unsigned char bytes[CAPACITY];
};

static int
damaged(const struct inflate *in, const char *reason, struct err *e)
{
	return err_set(e, ERR_DATA, "%s: damaged %s data near byte %" PRIu64 ": %s", in->from.name, in->format,
	    in->received - (in->end - in->begin), reason);
}

static ssize_t
fill(struct inflate *in, struct err *e)
{
	ssize_t n = in->from.read(in->from.ctx, in->bytes + in->end, sizeof in->bytes - in->end, e);

	if (n > 0) {
		in->end += (size_t)n;
		in->received += (uint64_t)n;
	}
	return n;
}

static ssize_t
step_gzip(struct inflate *in, void *bytes, size_t capacity, struct err *e)
{
	z_stream *z = &in->gzip;
	int status;

	if (!in->inside) {
		/* Tapes and some writers fill their last block with zeros. */
		while (in->begin < in->end && in->bytes[in->begin] == 0)
			in->begin++;
		if (in->begin == in->end)
			return 0;
		inflateReset(z);
		in->inside = true;
	}
	z->next_in = in->bytes + in->begin;
	z->avail_in = (uInt)(in->end - in->begin);
	z->next_out = bytes;
	capacity = capacity < INT_MAX ? capacity : INT_MAX;
	z->avail_out = (uInt)capacity;
	status = inflate(z, Z_NO_FLUSH);
	in->begin = in->end - z->avail_in;
	if (status == Z_MEM_ERROR)
		return err_set(e, ERR_AGAIN, "%s: out of memory", in->from.name);
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return damaged(in, z->msg != NULL ? z->msg : "needs a dictionary", e);
	in->inside = status != Z_STREAM_END;
	return (ssize_t)(capacity - z->avail_out);
}

static ssize_t
step_zstd(struct inflate *in, void *bytes, size_t capacity, struct err *e)
{
	ZSTD_inBuffer from = {in->bytes + in->begin, in->end - in->begin, 0};
	ZSTD_outBuffer to = {bytes, capacity, 0};
	size_t status = ZSTD_decompressStream(in->zstd, &to, &from);

	if (ZSTD_isError(status)) {
		if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
			return err_set(e, ERR_DATA,
			    "%s: zstd with a window over %d MB; hint: zstd -dc --long=31 FILE | csvp-upload -d DATASET "
			    "-",
			    in->from.name, 1 << (WINDOW_LOG - 20));
		return damaged(in, ZSTD_getErrorName(status), e);
	}
	in->begin += from.pos;
	/* A call that moves nothing says nothing about where it stands. */
	if (from.pos > 0 || to.pos > 0)
		in->inside = status != 0;
	in->held = in->inside && to.pos == to.size;
	return (ssize_t)to.pos;
}

static int
set_up(struct inflate *in, struct err *e)
{
	if (in->step == step_zstd) {
		in->zstd = ZSTD_createDStream();
		if (in->zstd == NULL)
			return err_set(e, ERR_AGAIN, "%s: out of memory", in->from.name);
		ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	} else if (in->step == step_gzip && inflateInit2(&in->gzip, 16 + MAX_WBITS) != Z_OK) {
		in->step = NULL;
		return err_set(e, ERR_AGAIN, "%s: out of memory", in->from.name);
	}
	return 0;
}

static int
recognise(struct inflate *in, struct err *e)
{
	static const struct {
		const char *format;
		step_function *step;
		const char *unpack; /* without a step: the program that reads it */
		size_t length;
		const char *magic;
	} formats[] = {
	    {"gzip", step_gzip, NULL, 3, "\x1f\x8b\x08"},
	    {"zstd", step_zstd, NULL, 4, "\x28\xb5\x2f\xfd"},
	    {"xz", NULL, "xz -dc", 6,
		"\xfd"
		"7zXZ\0"},
	    {"zip", NULL, "unzip -p", 4, "PK\x03\x04"},
	};
	static const char bzip2_block[] = "\x31\x41\x59\x26\x53\x59";

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (in->end < formats[i].length || memcmp(in->bytes, formats[i].magic, formats[i].length) != 0)
			continue;
		in->format = formats[i].format;
		in->step = formats[i].step;
		if (in->step == NULL)
			return err_set(e, ERR_DATA, "%s: %s is not read here; hint: %s FILE | csvp-upload -d DATASET -",
			    in->from.name, in->format, formats[i].unpack);
		return set_up(in, e);
	}
	/* "BZh" alone could be a column's name. */
	if (in->end >= LONGEST_MAGIC && memcmp(in->bytes, "BZh", 3) == 0 && memcmp(in->bytes + 4, bzip2_block, 6) == 0)
		return err_set(e, ERR_DATA,
		    "%s: bzip2 is not read here; hint: bzip2 -dc FILE | csvp-upload -d DATASET -", in->from.name);
	/* pzstd begins with a skippable frame, whose magic number has a free low nibble. */
	if (in->end >= 4 && (in->bytes[0] & 0xf0) == 0x50 && memcmp(in->bytes + 1, "\x2a\x4d\x18", 3) == 0) {
		in->format = "zstd";
		in->step = step_zstd;
		return set_up(in, e);
	}
	return 0;
}

struct inflate *
inflate_open(const struct source *from, struct err *e)
{
	struct inflate *in = buf_malloc(sizeof *in);
	ssize_t n;

	memset(in, 0, offsetof(struct inflate, bytes));
	in->from = *from;
	do
		n = fill(in, e);
	while (n > 0 && in->end < LONGEST_MAGIC);
	if (n < 0 || recognise(in, e) != 0) {
		inflate_close(in);
		return NULL;
	}
	return in;
}

/* What recognising took first; then straight into the caller's memory. */
static ssize_t
read_plain(struct inflate *in, void *bytes, size_t capacity, struct err *e)
{
	size_t n = in->end - in->begin;

	if (n == 0)
		return in->from.read(in->from.ctx, bytes, capacity, e);
	if (n > capacity)
		n = capacity;
	memcpy(bytes, in->bytes + in->begin, n);
	in->begin += n;
	return (ssize_t)n;
}

ssize_t
inflate_read(void *inflate, void *bytes, size_t capacity, struct err *e)
{
	struct inflate *in = inflate;

	if (in->step == NULL)
		return read_plain(in, bytes, capacity, e);
	if (capacity == 0)
		return 0;
	for (;;) {
		ssize_t n;

		if (in->begin == in->end && !in->held) {
			in->begin = in->end = 0;
			n = fill(in, e);
			if (n < 0)
				return -1;
			if (n == 0 && in->inside)
				return err_set(e, ERR_DATA,
				    "%s: the %s data ends early, after %" PRIu64 " bytes; "
				    "hint: fetch the file again",
				    in->from.name, in->format, in->received);
			if (n == 0)
				return 0;
		}
		n = in->step(in, bytes, capacity, e);
		if (n != 0)
			return n;
	}
}

void
inflate_close(struct inflate *inflate)
{
	if (inflate == NULL)
		return;
	if (inflate->step == step_gzip)
		inflateEnd(&inflate->gzip);
	ZSTD_freeDStream(inflate->zstd);
	free(inflate);
}
