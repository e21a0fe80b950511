#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct cache;
struct err;

/* Drivers read no environment. */
struct cache_options {
	const char
	    *url; /* redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?ttl=TIME]; none: or NULL: nothing is ever kept */
};

/*
 * A cache of answers, shared by hosts, that may forget anything at any time.
 * It costs speed when it is not there, never an answer: after cache_open there
 * are no errors (but of cache_probe). A call that finds it dead or slow takes at most CACHE_PATIENCE
 * milliseconds, says so in one notice, and after that it is left alone for
 * CACHE_REST: calls find and keep nothing, at no cost. What is kept is
 * forgotten after its time (ttl, an hour if none is given). One thread at a
 * time.
 */
#define CACHE_PATIENCE 200
#define CACHE_REST 30000
#define CACHE_LONGEST_KEY 4096
#define CACHE_LARGEST_VALUE (1024 * 1024)

/* 78: no such URL. Connects when it is first used. */
struct cache *cache_open(const struct cache_options *options, struct err *e);
void cache_close(struct cache *cache);

/* False where a call would find or keep nothing: there is none, or it is left alone just now. */
bool cache_awake(const struct cache *cache);

/*
 * Append what is kept under a key, any bytes: false if there is nothing. What
 * stands under a key must never become wrong: the key of an answer holds the
 * generation of the index that gave it (ledger/index_generation.h).
 */
bool cache_get(struct cache *cache, const struct buf *key, struct buf *value);

/* Keep a value, in place of an older one; false if it is not kept. A longer key or a larger value never is. */
bool cache_put(struct cache *cache, const struct buf *key, const struct buf *value);

/* For a person who asks how it is: keep something and find it again. 0, also where there is none; 75, 77, 69. */
int cache_probe(struct cache *cache, struct err *e) __attribute__((warn_unused_result));

#endif
