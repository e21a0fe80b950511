#ifndef CLI_SPAN_H
#define CLI_SPAN_H

#include <stdint.h>

struct buf;

/* Append a span of time for people: m:ss, or h:mm:ss from an hour on. */
void span_text(struct buf *out, int64_t seconds);

#endif
