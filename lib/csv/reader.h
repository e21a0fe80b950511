#ifndef CSV_READER_H
#define CSV_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dialect;
struct err;
struct record;
struct reader;

/* Where bytes come from: as read(2); 0 at the end, -1 with *e set. */
typedef ssize_t reader_source(void *ctx, void *bytes, size_t capacity, struct err *e);

/*
 * Read records from a byte source. `offset` and `line` are those of the
 * source's first byte in the object (0 and 1 for a whole file; a chunk's own
 * for a chunk). At offset 0 a UTF-8 byte order mark and the dialect's
 * skip_lines are passed over. The dialect is copied. Memory: the longest
 * record plus a fixed window of at most 1 MB.
 */
struct reader *reader_new(const struct dialect *d, uint64_t offset, uint64_t line, reader_source *source, void *ctx);

/*
 * The next record: 1 and *out filled, 0 at the end, -1 with *e set. Blank lines
 * and comments are skipped. Errors: the source's own; 65 for a quote still
 * open at the end ("line L, byte B: ...", where it opened) and for a record
 * longer than max_record. With `fields` false only offset, length and line of
 * the record are filled, at the speed of the boundary scan.
 */
int reader_next(struct reader *reader, struct record *out, bool fields, struct err *e)
    __attribute__((warn_unused_result));

/* Offset behind everything consumed so far, and the line that begins there. */
uint64_t reader_offset(const struct reader *reader);
uint64_t reader_line(const struct reader *reader);

/* Blank lines skipped so far. */
uint64_t reader_blank(const struct reader *reader);

/*
 * For tests and benchmarks, before the first reader_next: go a certain path
 * (enum scan_path) with a window of that many bytes (at least 256; 0: the
 * usual). Records never depend on either.
 */
void reader_tune(struct reader *reader, int path, size_t window);

void reader_free(struct reader *reader);

#endif
