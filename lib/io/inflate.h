#ifndef IO_INFLATE_H
#define IO_INFLATE_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct inflate;
struct source;

/*
 * Read a source that may be compressed, decided by its first bytes: gzip (RFC
 * 1952, several members, zero padding behind them) or zstd (RFC 8878, several
 * frames); anything else is given out as it is, without a copy. The source and
 * its name must outlive the reader. Errors: the source's; 65 for xz, bzip2 and
 * zip, for damaged or truncated data, for other bytes behind the compressed
 * ones, and for a zstd frame that wants more than 32 MB of window (a worker
 * has 64 MB).
 */
struct inflate *inflate_open(const struct source *from, struct err *e);

/* As read(2). After an error the reader can only be closed. */
ssize_t inflate_read(void *inflate, void *bytes, size_t capacity, struct err *e);

void inflate_close(struct inflate *inflate);

#endif
