#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Numbers in text, whole string or nothing: no blanks, no sign where none is
 * allowed, no overflow. Each returns false and leaves *out alone otherwise.
 */
bool num_int64(const char *text, int64_t *out);
bool num_uint64(const char *text, uint64_t *out);

/* A size in bytes: digits and an optional k, M, G or T (powers of 1024; "kB", "MiB" too). */
bool num_bytes(const char *text, uint64_t *out);

/* A time: digits and an optional ms, s, m or h; no unit means seconds. In milliseconds. */
bool num_milliseconds(const char *text, int64_t *out);

#endif
