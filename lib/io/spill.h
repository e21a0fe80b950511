#ifndef IO_SPILL_H
#define IO_SPILL_H

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * A temporary file without a name, for what is more than memory should hold:
 * it is gone when its descriptor is closed, however the program ends. In
 * `folder`; NULL or "": /tmp. The caller closes the descriptor; -1 on error.
 */
int spill_open(const char *folder, struct err *e) __attribute__((warn_unused_result));

/* Write all of it at `offset`; 74 with a hint if the disk is full. `what` names the content in the message. */
int spill_write(int fd, uint64_t offset, const void *bytes, size_t length, const char *what, struct err *e)
    __attribute__((warn_unused_result));

#endif
