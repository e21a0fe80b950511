#ifndef IO_MULTIPART_H
#define IO_MULTIPART_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct multipart;
struct source;

/*
 * A body of multipart/form-data (RFC 7578; its frame is RFC 2046, 5.1) read
 * part by part as a stream: a part may have any length, its headers 16 kB. A
 * delimiter is one only as a whole line, so that data may hold what begins
 * like it. The preamble is passed over, and so is what follows the end.
 */

/* The boundary of such a Content-Type, quoted or not, freed by the caller; NULL: it has none of 1 to 70 characters. */
char *multipart_boundary(const char *content_type);

/* The source must outlive the reader. */
struct multipart *multipart_open(const struct source *from, const char *boundary);

/* A part's Content-Disposition. Valid to the next call of multipart_next. Not checked to be UTF-8. */
struct multipart_part {
	const char *name;
	const char *file; /* "filename*" (RFC 5987, if it is in UTF-8) before "filename"; NULL: a field, no file */
};

/*
 * The next part; what was not read of the one before is passed over. 1, 0 at
 * the end, -1: the source's error, or 65 for a body that breaks off or is none.
 */
int multipart_next(struct multipart *m, struct multipart_part *part, struct err *e) __attribute__((warn_unused_result));

/* As read(2), of the part; the source of a chain. 65 if the body ends before the part does. */
ssize_t multipart_read(void *multipart, void *bytes, size_t capacity, struct err *e);

void multipart_close(struct multipart *m);

#endif
