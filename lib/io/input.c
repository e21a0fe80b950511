#include "io/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "io/inflate.h"
#include "io/source.h"
#include "io/transcode.h"

struct input {
	char *name;
	struct source raw; /* the bytes as received */
	int fd;            /* -1: somebody else's source */
	bool ended;
	struct stat opened;
	bool regular;
	uint64_t size; /* of a regular file, from where reading began; 0: not known */
	EVP_MD_CTX *hash;
	uint64_t received;
	uint64_t decoded;
	struct inflate *inflate;
	struct transcode *transcode;
};

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static int
changed(const struct input *in, struct err *e)
{
	return err_set(
	    e, ERR_AGAIN, "%s: changed while it was being read; hint: try again when nothing writes to it", in->name);
}

/* A pipe may stay silent for hours: wait for it and for a signal at once. */
static int
wait_readable(const struct input *in, struct err *e)
{
	struct pollfd fds[] = {{.fd = in->fd, .events = POLLIN}, {.fd = sig_fd(), .events = POLLIN}};

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return err_errno(e, errno, "%s: cannot wait for input", in->name);
		else if (sig_check(e) != 0)
			return -1;
	return sig_check(e);
}

static ssize_t
read_file(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	const struct input *in = ctx;
	ssize_t n;

	do {
		if (in->regular ? sig_check(e) != 0 : wait_readable(in, e) != 0)
			return -1;
		n = read(in->fd, bytes, capacity);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n >= 0 ? n : err_errno(e, errno, "%s: cannot read", in->name);
}

/* The chain's first link: the bytes as received, hashed. */
static ssize_t
receive(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct input *in = ctx;
	ssize_t n = in->raw.read(in->raw.ctx, bytes, capacity, e);

	if (n < 0)
		return -1;
	if (n > 0 && EVP_DigestUpdate(in->hash, bytes, (size_t)n) != 1)
		return err_set(e, ERR_BUG, "%s: SHA-256 failed", in->name);
	in->received += (uint64_t)n;
	/* A file that grows as fast as it is read would never end. */
	if (in->size > 0 && in->received > in->size)
		return changed(in, e);
	return n;
}

static int
open_file(struct input *in, const char *path, struct err *e)
{
	if (strcmp(path, "-") == 0) {
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (in->fd < 0)
			return err_errno(e, errno, "%s: cannot read", in->name);
	} else {
		/* Opening a FIFO waits for its writer. */
		while ((in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0) {
			if (errno != EINTR)
				return err_errno(e, errno, "%s", in->name);
			if (sig_check(e) != 0)
				return -1;
		}
	}
	if (fstat(in->fd, &in->opened) != 0)
		return err_errno(e, errno, "%s", in->name);
	if (S_ISDIR(in->opened.st_mode))
		return err_errno(e, EISDIR, "%s", in->name);
	in->regular = S_ISREG(in->opened.st_mode);
	/* 64 kB by default; 1 MB halves the switches between the two programs (13 % of the time). */
	if (S_ISFIFO(in->opened.st_mode))
		fcntl(in->fd, F_SETPIPE_SZ, 1 << 20);
	if (in->regular) {
		/* As stdin it may have been read from before. Files of /proc say that they are empty. */
		off_t begin = lseek(in->fd, 0, SEEK_CUR);

		if (begin >= 0 && begin < in->opened.st_size)
			in->size = (uint64_t)(in->opened.st_size - begin);
		posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return 0;
}

static int
start_hash(struct input *in, struct err *e)
{
	in->hash = EVP_MD_CTX_new();
	if (in->hash == NULL || EVP_DigestInit_ex(in->hash, EVP_sha256(), NULL) != 1)
		return err_set(e, ERR_CONFIG, "OpenSSL offers no SHA-256");
	return 0;
}

static struct input *
new_input(const char *name)
{
	struct input *in = buf_calloc(1, sizeof *in);

	in->fd = -1;
	in->name = buf_strdup(name);
	in->raw = (struct source){read_file, in, in->name};
	return in;
}

static int
start_chain(struct input *in, const char *encoding, struct err *e)
{
	if (start_hash(in, e) != 0)
		return -1;
	in->inflate = inflate_open(&(struct source){receive, in, in->name}, e);
	if (in->inflate == NULL)
		return -1;
	in->transcode = transcode_open(&(struct source){inflate_read, in->inflate, in->name}, encoding, e);
	return in->transcode != NULL ? 0 : -1;
}

struct input *
input_open(const char *path, const char *encoding, struct err *e)
{
	struct input *in = new_input(strcmp(path, "-") == 0 ? "stdin" : path);

	if (open_file(in, path, e) == 0 && start_chain(in, encoding, e) == 0)
		return in;
	input_close(in);
	return NULL;
}

struct input *
input_open_source(const struct source *source, const char *encoding, struct err *e)
{
	struct input *in = new_input(source->name);

	in->raw.read = source->read;
	in->raw.ctx = source->ctx;
	if (start_chain(in, encoding, e) == 0)
		return in;
	input_close(in);
	return NULL;
}

ssize_t
input_read(struct input *in, void *bytes, size_t capacity, struct err *e)
{
	ssize_t n = transcode_read(in->transcode, bytes, capacity, e);

	if (n > 0)
		in->decoded += (uint64_t)n;
	in->ended = n == 0 && capacity > 0;
	return n;
}

int
input_finish(struct input *in, struct input_digest *out, struct err *e)
{
	struct stat now;

	if (!in->ended)
		return err_set(e, ERR_BUG, "%s: finished before its end was read", in->name);
	if (in->regular) {
		if (fstat(in->fd, &now) != 0)
			return err_errno(e, errno, "%s", in->name);
		if ((in->size > 0 && in->received != in->size) || now.st_size != in->opened.st_size ||
		    !same_time(now.st_mtim, in->opened.st_mtim))
			return changed(in, e);
	}
	if (EVP_DigestFinal_ex(in->hash, out->sha256, NULL) != 1)
		return err_set(e, ERR_BUG, "%s: SHA-256 failed", in->name);
	out->received = in->received;
	out->decoded = in->decoded;
	return 0;
}

void
input_sha256(const struct input *in, unsigned char sha256[32])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	/* It fails only without memory. */
	if (copy == NULL || EVP_MD_CTX_copy_ex(copy, in->hash) != 1 || EVP_DigestFinal_ex(copy, sha256, NULL) != 1)
		abort();
	EVP_MD_CTX_free(copy);
}

const struct stat *
input_file(const struct input *in)
{
	return in->regular ? &in->opened : NULL;
}

uint64_t
input_received(const struct input *in)
{
	return in->received;
}

uint64_t
input_size(const struct input *in)
{
	return in->size;
}

void
input_close(struct input *in)
{
	if (in == NULL)
		return;
	transcode_close(in->transcode);
	inflate_close(in->inflate);
	EVP_MD_CTX_free(in->hash);
	if (in->fd >= 0)
		close(in->fd);
	free(in->name);
	free(in);
}
