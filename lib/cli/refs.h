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
	int64_t job;   /* 0: none ("!-") */
	int64_t chunk; /* -1: the whole job */
	enum err_code failure; /* ERR_NONE unless the line is a failure line */
};

/* Parse one line without its newline; 64 with the line quoted if it is none of these. */
int refs_parse(const char *line, struct ref *out, struct err *e) __attribute__((warn_unused_result));

/*
 * Print one line on stdout with one write(2) (safe under xargs -P, from any
 * thread). 74 on a failed write; EPIPE is ERR_IO with *closed set true: the
 * reader has gone, which is a quiet end.
 */
int refs_print(const struct ref *ref, bool *closed, struct err *e) __attribute__((warn_unused_result));

/*
 * The next line of a descriptor: 1, 0 at the end, -1 (74, or 130/143 on a
 * signal). Reads only what it must, so that lines are seen as they come.
 */
struct refs_reader;
struct refs_reader *refs_open(int fd);
int refs_next(struct refs_reader *reader, char **line, struct err *e) __attribute__((warn_unused_result));
void refs_close(struct refs_reader *reader);

#endif
