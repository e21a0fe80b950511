#ifndef IO_AHEAD_H
#define IO_AHEAD_H

#include <stddef.h>
#include <sys/types.h>

struct ahead;
struct err;
struct source;

/*
 * A source read by a thread of its own, up to 512 kB ahead of who takes the
 * bytes: receiving goes on while they are worked on. `from` is read by that
 * thread alone, to its end, its first error, or until ahead_close. NULL with
 * 75 if there is no thread to be had.
 */
struct ahead *ahead_open(const struct source *from, struct err *e) __attribute__((warn_unused_result));

/* As `read` of a source; an error of the source comes after the bytes before it, and again if asked again. */
ssize_t ahead_read(void *ahead, void *bytes, size_t capacity, struct err *e) __attribute__((warn_unused_result));

/* Waits for the read that is under way: whoever closes before the end makes it return. NULL is allowed. */
void ahead_close(struct ahead *ahead);

#endif
