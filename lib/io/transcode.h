#ifndef IO_TRANSCODE_H
#define IO_TRANSCODE_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct source;
struct transcode;

/*
 * Read a source in `encoding` (a name iconv knows) as UTF-8. What cannot be
 * decoded becomes U+FFFD, one for each byte or code unit. NULL and UTF-8 give
 * the bytes out as they are, without a copy. The source and its name must
 * outlive the reader. Errors: the source's; 64 unknown encoding; 65 UTF-8 that
 * begins with a UTF-16 or UTF-32 byte order mark.
 */
struct transcode *transcode_open(const struct source *from, const char *encoding, struct err *e);

/* As read(2). */
ssize_t transcode_read(void *transcode, void *bytes, size_t capacity, struct err *e);

void transcode_close(struct transcode *transcode);

#endif
