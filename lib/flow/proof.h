#ifndef FLOW_PROOF_H
#define FLOW_PROOF_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct proof;

/*
 * Proof that no key occurs twice among any number of keys, in bounded memory:
 * a set of 64-bit hashes, spilled to partitions in an unlinked file of TMPDIR
 * when it outgrows its memory. Two keys with one hash count as equal, so
 * "unique" is always true and "not proven" may be wrong, about once in a
 * million files of a million records.
 */

/* With a set of this many bytes, a power of two from 64 kB; 2 MB more when it spills. */
struct proof *proof_new(size_t memory);
#define PROOF_MEMORY ((size_t)32 << 20)
void proof_free(struct proof *proof);

/* The hash of a key's bytes. */
uint64_t proof_hash(const void *key, size_t length);

/* Add a key's hash. -1: the spill file failed (74). */
int proof_add(struct proof *proof, uint64_t hash, struct err *e) __attribute__((warn_unused_result));

/* All added: 1 every key occurs once, 0 not proven, -1. */
int proof_unique(struct proof *proof, struct err *e) __attribute__((warn_unused_result));

#endif
