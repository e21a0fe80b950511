#ifndef FLOW_REJECTS_H
#define FLOW_REJECTS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct site;

/*
 * A job's open rejects as CSV (RFC 4180): the file's own columns as far as the
 * record has them, then _line,_byte,_column,_code,_reason,_raw. The records
 * are read from the object, where they stay for ever. `write` gets whole lines.
 * 66 if there is no such job; a job that could not be split has its error.
 */
int rejects_export(const struct site *site, int64_t job,
    int (*write)(void *ctx, const char *bytes, size_t length, struct err *e), void *ctx, struct err *e)
    __attribute__((warn_unused_result));

#endif
