#ifndef IO_ATOMIC_H
#define IO_ATOMIC_H

#include <stddef.h>

struct atomic;
struct err;

/*
 * A file that appears whole or not at all and replaces nothing: written under
 * a temporary name, flushed, then renamed. Paths are relative to `folder`, a
 * descriptor that stays the caller's. Files get mode 0600, folders 0700.
 * Errors: 74 (with a hint if the disk or a quota is full), 77; messages leave
 * it to the caller to name the file.
 */

/*
 * Begin the file that shall become `path`. The temporary name is `temporary`
 * and a random ending; missing folders of it are made. A lock tells those who
 * are writing from what a killed program left behind.
 */
struct atomic *atomic_open(int folder, const char *path, const char *temporary, struct err *e);

int atomic_write(struct atomic *a, const void *bytes, size_t length, struct err *e) __attribute__((warn_unused_result));

/*
 * Make it visible and durable: fsync the file, rename it, fsync each folder
 * from its own up to `folder`. Missing folders of `path` are made. 65 if
 * `path` exists.
 */
int atomic_commit(struct atomic *a, struct err *e) __attribute__((warn_unused_result));

/* Free it; what was not committed is gone. */
void atomic_close(struct atomic *a);

/* Remove what dead writers left under `temporary` (as given to atomic_open); live ones are left alone. */
int atomic_sweep(int folder, const char *temporary, struct err *e) __attribute__((warn_unused_result));

/* Make a folder and the missing ones above it, mode 0700, each durable. */
int atomic_mkdir(int folder, const char *path, struct err *e) __attribute__((warn_unused_result));

/* fsync the folders from the one that holds `path` up to `folder`. */
int atomic_sync(int folder, const char *path, struct err *e) __attribute__((warn_unused_result));

#endif
