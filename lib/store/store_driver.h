#ifndef STORE_STORE_DRIVER_H
#define STORE_STORE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct clk;
struct err;
struct store;
struct store_options;
struct store_resume;
struct url;

/*
 * What a driver of an object store provides. All functions but check, shield
 * and room are required (checked when a store is opened). The wrapper in store.c
 * has checked keys and ranges, pumps the source, tries again, looks for signals, and puts the
 * store's URL and the key before each message; a driver does none of that.
 *
 * Errors: 75 for what another attempt may cure: the call had then no effect
 * and is repeated with the same arguments. 66 no such object, 65 the key
 * exists, 77 not permitted, 78 configuration, 74 everything else.
 */
struct store_driver {
	const char *scheme; /* of its URLs, in lower case */

	/* What `write` gets at once, in bytes; only an object's last block is shorter. */
	size_t block;

	/* `create` and `commit` can miss a key that is made at the same moment; see store_exclusive. */
	bool shared;

	/* 78 if it is no URL for this driver, as far as that can be told without its server; NULL: all are. Before `open`. */
	int (*check)(const struct store_options *options, const struct url *url, struct err *e);
	/* A handle, with what is missing (folder, bucket) made; NULL on error. */
	void *(*open)(const struct store_options *options, const struct url *url, struct err *e);
	void (*close)(void *handle);
	void (*shield)(void *handle, bool on); /* NULL: it never listens to signals */

	/*
	 * A new object: `create` once (65 early if the key exists), `write` for
	 * each block, `commit` once, which makes it visible, whole and durable, or
	 * is 65 if another one was faster. `end` always, and last: frees the
	 * writer; what was not committed leaves nothing behind, unless it is to be
	 * kept; true if something of it is left all the same. A driver that works
	 * in parts tells `resume` (NULL: nobody asks; else valid until `end`) of
	 * them, and does not send again what it has. Where there is a `room`, each
	 * block is written into the memory that it gives.
	 */
	void *(*create)(void *handle, const char *key, const struct store_resume *resume, struct err *e);
	void *(*room)(void *writer, struct err *e);
	int (*write)(void *writer, const void *bytes, size_t length, struct err *e);
	int (*commit)(void *writer, struct err *e);
	bool (*end)(void *writer, bool keep);

	/*
	 * A reader of [offset, offset+length), length > 0. `read` is as read(2) and
	 * never gives more than the range; it may give 0 before the range's end if
	 * the object ends there. After a failed read the wrapper gets a new reader
	 * for the rest.
	 */
	void *(*get)(void *handle, const char *key, uint64_t offset, uint64_t length, struct err *e);
	ssize_t (*read)(void *reader, void *bytes, size_t capacity, struct err *e);
	void (*release)(void *reader);

	int (*size)(void *handle, const char *key, uint64_t *size, struct err *e);

	/* The object, and unfinished ones of this key nobody is writing; 0 if there is none. */
	int (*remove)(void *handle, const char *key, struct err *e);

	/*
	 * Call `each` for the keys that begin with prefix and are greater than
	 * `after` (""; where an earlier attempt broke off), in byte order; if it
	 * returns non-zero, return -1 at once.
	 */
	int (*list)(void *handle, const char *prefix, const char *after,
	    int (*each)(void *ctx, const char *key, struct err *e), void *ctx, struct err *e);
};

/* store_open with a driver and a clock of one's own: what store_open itself calls, and tests. */
struct store *store_open_driver(
    const struct store_driver *driver, const struct store_options *options, const struct clk *clk, struct err *e);

/* The drivers. */
const struct store_driver *file_driver(void);
const struct store_driver *s3_driver(void);
const struct store_driver *libs3_driver(void);

#endif
