#ifndef UNIT_INPUT_H
#define UNIT_INPUT_H

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/input.h"
#include "scratch.h"

/* What the tests of input.c, inflate.c and transcode.c share: all go through input_open. */
static struct err e;
static struct input_digest digest;
static struct buf text; /* what the last read_all gave */

/* Read `path` to its end by pieces of `piece` bytes; 0, or -1 with e. */
static inline int
read_pieces(const char *path, const char *encoding, size_t piece)
{
	struct input *in = input_open(path, encoding, &e);
	ssize_t n = -1;
	int status = -1;

	buf_reset(&text);
	if (in == NULL)
		return -1;
	while ((n = input_read(in, buf_reserve(&text, piece), piece, &e)) > 0)
		text.length += (size_t)n;
	if (n == 0)
		status = input_finish(in, &digest, &e);
	input_close(in);
	return status;
}

static inline int
read_all(const char *path, const char *encoding)
{
	return read_pieces(path, encoding, 100000);
}

static inline void
expect_text(const void *bytes, size_t length)
{
	ck_assert_uint_eq(text.length, length);
	ck_assert_int_eq(memcmp(text.bytes, bytes, length), 0);
	ck_assert_uint_eq(digest.decoded, length);
}

/* Reading fails with this code, and the message tells what `part` says. */
static inline void
expect_error(const char *path, const char *encoding, enum err_code code, const char *part)
{
	e = (struct err){0};
	ck_assert_int_eq(read_all(path, encoding), -1);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.message, part) != NULL, "'%s' does not say '%s'", e.message, part);
}

/* Lines that compress a little: `length` bytes, the same each time. */
static inline char *
sample(size_t length)
{
	char *bytes = buf_malloc(length);
	uint32_t state = 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = i % 61 == 60 ? '\n' : (char)('a' + (state >> 24) % 26);
	}
	return bytes;
}

/* A child that writes the bytes into a pipe which is stdin here, in odd pieces. */
static inline void
pipe_to_stdin(const char *bytes, size_t length)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	if (fork() == 0) {
		close(ends[0]);
		for (size_t done = 0; done < length;) {
			size_t want = length - done < 4099 ? length - done : 4099;
			ssize_t n = write(ends[1], bytes + done, want);

			if (n < 0)
				_exit(1);
			done += (size_t)n;
		}
		_exit(0);
	}
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
}

#endif
