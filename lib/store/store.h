#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct aws;
struct err;
struct object;
struct store;

/* Everything a driver may need; drivers read no environment. */
struct store_options {
	const char *url;       /* file:///absolute/folder, s3://bucket/prefix, s3+v2://bucket/prefix */
	const struct aws *aws; /* s3: where it is and who asks; NULL: AWS itself, and nobody */
	const char *spill;     /* folder of temporary files; NULL: /tmp */
	bool hasty;            /* what fails is tried twice within a second, instead of for a minute */
};

/*
 * An object store: whole, immutable objects under keys of [a-z0-9/._-], at most 200 bytes (a file's name holds 255), no
 * segment empty or with a dot in front, no key that is the folder of another ("a" beside "a/b"). A key that exists holds
 * a whole object; it is never overwritten. What is missing (the folder) is made. A store and its open objects belong to
 * one thread. Errors: 78 not a store's URL, 74 and 77 as the system says. A malformed key is a bug of the caller (70).
 */
struct store *store_open(const struct store_options *options, struct err *e);
void store_close(struct store *store);

/* Are these options such as a store can be opened with? 78 if not. Nothing is made or connected to. */
int store_check(const struct store_options *options, struct err *e) __attribute__((warn_unused_result));

/*
 * Does it let one win, of several who put one key at the same time? Else (s3+v2: its protocol has no condition) each may
 * be told that it did, and the object is that of the last, whole. Keys that nobody else makes are safe.
 */
bool store_exclusive(const struct store *store);

/* A shielded store does not listen to signals, so that what one has broken off can be put away; see http_shield. */
void store_shield(struct store *store, bool on);
/* Where the bytes of a new object come from: as read(2). */
typedef ssize_t store_source(void *ctx, void *bytes, size_t capacity, struct err *e);

/*
 * Store what the source gives, of unknown length, under a new key; visible only when whole and synced. *size gets its
 * length. Errors: the source's own; 65 the key exists; 74 I/O, no space; 77 not permitted; 130/143 a signal.
 */
int store_put(struct store *store, const char *key, store_source *source, void *ctx, uint64_t *size, struct err *e)
    __attribute__((warn_unused_result));

/* Has the last put left something unfinished (it could not even give up)? Only store_remove of its key takes it away. */
bool store_left(const struct store *store);

/* A part of an unfinished object that the store has. */
struct store_part {
	uint64_t length;
	unsigned char sha256[32]; /* of the source up to its end */
	char etag[100];           /* what the store calls it */
};

/*
 * A put that a later one of the same key can continue, also in another process,
 * if the store works in parts: s3. What on_upload (its begin; parts told before
 * are void) and on_part (numbers from 1, in order) were told comes back as
 * upload and parts. A part is passed over only if so_far, a SHA-256 of all that
 * the source was made of, is the same again. A callback's error is the put's.
 */
struct store_resume {
	const char *upload; /* NULL: none */
	const struct store_part *parts;
	size_t count;
	int (*on_upload)(void *ctx, const char *upload, struct err *e);
	int (*on_part)(void *ctx, size_t number, const struct store_part *part, struct err *e);
	void (*so_far)(void *ctx, unsigned char sha256[32]);
	void *ctx;
};

/* As store_put; but after a failure with 75, 130 or 143 what the store has is kept for the next one. */
int store_put_resumed(struct store *store, const char *key, store_source *source, void *ctx,
    const struct store_resume *resume, uint64_t *size, struct err *e) __attribute__((warn_unused_result));

/* Open the range [offset, offset+length) for reading from its start to its end; 66 if there is no such key. */
struct object *store_get(struct store *store, const char *key, uint64_t offset, uint64_t length, struct err *e);

/* As read(2); 0 exactly at the range's end, 74 if the object ends before it. */
ssize_t store_read(struct object *object, void *bytes, size_t capacity, struct err *e);
void store_release(struct object *object);

/* Length of an object; 66 if there is none. */
int store_size(struct store *store, const char *key, uint64_t *size, struct err *e) __attribute__((warn_unused_result));

/* Remove an object, and what an unfinished store_put of this key left behind; no such key is no error. */
int store_remove(struct store *store, const char *key, struct err *e) __attribute__((warn_unused_result));

/* Call `each` for every key that begins with prefix, in byte order, until it returns non-zero (then -1). */
int store_list(struct store *store, const char *prefix, int (*each)(void *ctx, const char *key, struct err *e),
    void *ctx, struct err *e) __attribute__((warn_unused_result));

#endif
