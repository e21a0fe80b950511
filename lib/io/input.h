#ifndef IO_INPUT_H
#define IO_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct input;
struct source;
struct stat;

/* What is known of the bytes once all of them were read. */
struct input_digest {
	unsigned char sha256[32]; /* of the bytes as received (FIPS 180-4) */
	uint64_t received;        /* bytes as received */
	uint64_t decoded;         /* bytes given out by input_read */
};

/*
 * Open a file ("-": stdin) as UTF-8 text: gzip (RFC 1952, several members) and
 * zstd (RFC 8878, several frames) are recognised by their first bytes and
 * inflated; `encoding` (NULL: UTF-8, taken as it is) is transcoded by iconv,
 * what cannot be decoded becoming U+FFFD. A UTF-16 byte order mark without
 * `encoding` is an error (65) with a hint. Errors: 66 no such file or a
 * directory, 77 not permitted, 64 unknown encoding, 65 damaged compression.
 */
struct input *input_open(const char *path, const char *encoding, struct err *e);

/* The same of a source, which must outlive it: what it gives is taken as a pipe's bytes are. */
struct input *input_open_source(const struct source *source, const char *encoding, struct err *e);

/* As read(2) on the decoded text: 0 at the end, -1 with *e set. */
ssize_t input_read(struct input *in, void *bytes, size_t capacity, struct err *e);

/*
 * After the end: the digest. A regular file whose size or mtime is no longer
 * what it was when opened is 75: it was written to while being read.
 */
int input_finish(struct input *in, struct input_digest *out, struct err *e) __attribute__((warn_unused_result));

/* SHA-256 of the bytes received so far: those that all text given out so far was made of. */
void input_sha256(const struct input *in, unsigned char sha256[32]);

/* The regular file that is read, as it was when opened; NULL for a pipe, a source or the like. */
const struct stat *input_file(const struct input *in);

/* Bytes received so far, and the size of a regular file (0: unknown), for progress. */
uint64_t input_received(const struct input *in);
uint64_t input_size(const struct input *in);

void input_close(struct input *in);

#endif
