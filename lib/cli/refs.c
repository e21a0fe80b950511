#include "cli/refs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/sig.h"
#include "cli/output.h"
#include "cli/progress.h"

/* Two 19-digit numbers and a code fit many times over; a longer line is data sent to the wrong program. */
#define LINE_MAX_BYTES 4096

static bool
parse_number(const char *digits, int64_t *out)
{
	/* One spelling a number, so that shells may compare references as text: no sign, no leading zero. */
	return digits[0] >= '0' && digits[0] <= '9' && (digits[0] != '0' || digits[1] == '\0') &&
	       num_int64(digits, out);
}

/* "JOB" or "JOB/CHUNK", in place. Jobs count from 1, chunks from 0. */
static bool
parse_ref(char *text, struct ref *out)
{
	char *slash = strchr(text, '/');

	out->chunk = -1;
	if (slash != NULL) {
		*slash = '\0';
		if (!parse_number(slash + 1, &out->chunk))
			return false;
	}
	return parse_number(text, &out->job) && out->job > 0;
}

/* "REF CODE" or "- CODE", what follows the exclamation mark; a code is an exit status. */
static bool
parse_failure(char *text, struct ref *out)
{
	char *space = strchr(text, ' ');
	int64_t code;

	if (space == NULL || !parse_number(space + 1, &code) || code == 0 || code > 255)
		return false;
	*space = '\0';
	out->failure = (enum err_code)code;
	if (strcmp(text, "-") == 0)
		return true;
	return parse_ref(text, out);
}

int
refs_parse(const char *line, struct ref *out, struct err *e)
{
	struct ref ref = {.job = 0, .chunk = -1, .failure = ERR_NONE};
	size_t length = strlen(line);
	char *copy;
	bool good;

	if (length > 0 && line[length - 1] == '\r')
		return err_set(e, ERR_USAGE,
		    "not a reference: \"%.100s\": it ends in a carriage return; hint: lines end in LF alone", line);
	copy = buf_strdup(line);
	good = copy[0] == '!' ? parse_failure(copy + 1, &ref) : parse_ref(copy, &ref);
	free(copy);
	if (!good)
		return err_set(
		    e, ERR_USAGE, "not a reference: \"%.100s\"; hint: JOB or JOB/CHUNK, as 42 or 42/7", line);
	*out = ref;
	return 0;
}

static void
format(const struct ref *ref, struct buf *line)
{
	if (ref->failure != ERR_NONE)
		buf_byte(line, '!');
	if (ref->job == 0)
		buf_byte(line, '-');
	else
		buf_printf(line, "%lld", (long long)ref->job);
	if (ref->job != 0 && ref->chunk >= 0)
		buf_printf(line, "/%lld", (long long)ref->chunk);
	if (ref->failure != ERR_NONE)
		buf_printf(line, " %d", (int)ref->failure);
}

char *
refs_text(const struct ref *ref)
{
	struct buf text = {0};

	format(ref, &text);
	return buf_detach(&text);
}

int
refs_print(const struct ref *ref, bool *closed, struct err *e)
{
	bool terminal = isatty(STDOUT_FILENO) != 0;
	struct buf line = {0};
	int result;

	*closed = false;
	format(ref, &line);
	buf_byte(&line, '\n');
	/* Not around a write to a pipe: a reader that is slow would hold up every thread that counts its progress. */
	if (terminal)
		progress_hide();
	result = output_write(line.bytes, line.length, closed, e);
	if (terminal)
		progress_show();
	buf_fini(&line);
	return result;
}

struct refs_reader {
	int fd;
	size_t begin; /* of what was read and not yet given out */
	size_t end;
	char bytes[LINE_MAX_BYTES];
	char line[LINE_MAX_BYTES + 1];
};

struct refs_reader *
refs_open(int fd)
{
	struct refs_reader *reader = buf_calloc(1, sizeof *reader);

	reader->fd = fd;
	return reader;
}

/* Wait until the descriptor is readable: 0, or -1 when a signal has arrived. Without this, one that arrives just before
 * read(2) would be seen only after the next line. */
static int
wait_readable(const struct refs_reader *reader, struct err *e)
{
	struct pollfd p[2] = {{.fd = reader->fd, .events = POLLIN}, {.fd = sig_fd(), .events = POLLIN}};

	while (sig_check(e) == 0) {
		if (poll(p, 2, -1) > 0 && p[0].revents != 0 && p[1].revents == 0)
			return 0;
	}
	return -1;
}

/* Read more behind what is kept: 1, 0 at the end, -1. */
static int
fill(struct refs_reader *reader, struct err *e)
{
	ssize_t n;

	memmove(reader->bytes, reader->bytes + reader->begin, reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->begin = 0;
	if (reader->end == sizeof reader->bytes)
		return err_set(e, ERR_USAGE,
		    "a line of standard input is longer than %d bytes; hint: it takes references, not data",
		    LINE_MAX_BYTES);
	do {
		if (wait_readable(reader, e) != 0)
			return -1;
		n = read(reader->fd, reader->bytes + reader->end, sizeof reader->bytes - reader->end);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return err_set(e, ERR_IO, "cannot read standard input: %s", strerror(errno));
	reader->end += (size_t)n;
	return n > 0;
}

int
refs_next(struct refs_reader *reader, char **line, struct err *e)
{
	char *newline;
	size_t length;

	while ((newline = memchr(reader->bytes + reader->begin, '\n', reader->end - reader->begin)) == NULL) {
		int more = fill(reader, e);

		if (more < 0)
			return -1;
		if (more == 0)
			break;
	}
	length = newline != NULL ? (size_t)(newline - reader->bytes) - reader->begin : reader->end - reader->begin;
	if (newline == NULL && length == 0)
		return 0;
	memcpy(reader->line, reader->bytes + reader->begin, length);
	reader->line[length] = '\0';
	reader->begin += length + (newline != NULL);
	if (strlen(reader->line) != length)
		return err_set(e, ERR_USAGE, "a NUL byte in standard input; hint: it takes references, not data");
	*line = reader->line;
	return 1;
}

void
refs_close(struct refs_reader *reader)
{
	free(reader);
}
