#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Write all of it on stdout, each line of up to PIPE_BUF bytes with one
 * write(2): safe under xargs -P, from any thread. Not by stdio, so that a
 * signal ends the wait for a reader that does not read (130/143). 74 on a
 * failed write; EPIPE is ERR_IO with *closed set true: the reader has gone,
 * which is a quiet end.
 */
int output_write(const char *bytes, size_t length, bool *closed, struct err *e) MUST_CHECK;

#endif
