#ifndef CLI_REFS_H
#define CLI_REFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Reference lines, what flows between the programs: "JOB", "JOB/CHUNK", and
 * failure lines "!REF CODE" or "!- CODE" (DESIGN 2).
 */
struct ref {
	int64_t job;           /* 0: none ("!-") */
	int64_t chunk;         /* -1: the whole job */
	enum err_code failure; /* ERR_NONE unless a failure line; any exit status 1 to 255 */
};

/*
 * Parse one line without its newline; 64 with the line quoted if it is none
 * of these. Jobs count from 1, chunks from 0; decimals in their one spelling:
 * no sign, no leading zero.
 */
int refs_parse(const char *line, struct ref *out, struct err *e) __attribute__((warn_unused_result));

/* The same as text; freed by the caller. */
char *refs_text(const struct ref *ref);

/*
 * Print one line on stdout with one write(2) (safe under xargs -P, from any
 * thread). 74 on a failed write; EPIPE is ERR_IO with *closed set true: the
 * reader has gone, which is a quiet end. 130/143 if a signal arrives while the
 * reader does not read.
 */
int refs_print(const struct ref *ref, bool *closed, struct err *e) __attribute__((warn_unused_result));

/*
 * The next line of a descriptor, without its newline and valid until the next
 * call: 1, 0 at the end, -1 (74, 130/143 on a signal, 64 for a line over 4096
 * bytes or one with a NUL byte). Lines are seen as they come.
 */
struct refs_reader;
struct refs_reader *refs_open(int fd);
int refs_next(struct refs_reader *reader, char **line, struct err *e) __attribute__((warn_unused_result));
void refs_close(struct refs_reader *reader);

#endif
