#include "flow/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/spill.h"

#define PARTITIONS 256
#define BLOCK 1024 /* hashes; 8 kB: what one write takes */

struct partition {
	uint64_t block[BLOCK];
	size_t fill;
	uint32_t *blocks; /* their numbers in the file */
	size_t block_count;
};

struct proof {
	uint64_t *slots;    /* 0: free; a hash of 0 is taken as 1 */
	size_t size, count; /* slots, and how many are taken: at most three quarters, more keys are spilled */
	unsigned shift;     /* 64 - log2(size): a hash's upper bits are its slot */
	bool duplicate;
	int fd; /* of the spill file; -1: all in memory */
	uint32_t blocks;
	struct partition *partitions;
};

struct proof *
proof_new(size_t memory)
{
	struct proof *proof = buf_calloc(1, sizeof *proof);

	proof->size = memory / sizeof *proof->slots;
	proof->shift = 64 - (unsigned)__builtin_ctzl(proof->size);
	proof->slots = buf_calloc(proof->size, sizeof *proof->slots);
	proof->fd = -1;
	return proof;
}

void
proof_free(struct proof *proof)
{
	if (proof == NULL)
		return;
	for (size_t i = 0; proof->partitions != NULL && i < PARTITIONS; i++)
		free(proof->partitions[i].blocks);
	free(proof->partitions);
	free(proof->slots);
	if (proof->fd >= 0)
		close(proof->fd);
	free(proof);
}

uint64_t
proof_hash(const void *key, size_t length)
{
	const unsigned char *p = key;
	uint64_t hash = 0x9e3779b97f4a7c15u ^ length;

	/* Multiply and fold the 128-bit product: every input bit reaches every output bit in one step. */
	while (length > 0) {
		uint64_t word = 0;
		size_t n = length < 8 ? length : 8;
		__uint128_t product;

		memcpy(&word, p, n);
		product = (__uint128_t)(hash ^ word ^ 0xa0761d6478bd642fu) * 0xe7037ed1a0b428dbu;
		hash = (uint64_t)product ^ (uint64_t)(product >> 64);
		p += n;
		length -= n;
	}
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	return hash ^ hash >> 29;
}

/* Into the set; true if it was there. */
static bool
insert(struct proof *proof, uint64_t hash)
{
	size_t slot = hash >> proof->shift;

	while (proof->slots[slot] != 0) {
		if (proof->slots[slot] == hash)
			return true;
		slot = (slot + 1) & (proof->size - 1);
	}
	proof->slots[slot] = hash;
	proof->count++;
	return false;
}

static int
open_spill(struct proof *proof, struct err *e)
{
	proof->fd = spill_open(getenv("TMPDIR"), e);
	if (proof->fd < 0)
		return -1;
	proof->partitions = buf_calloc(PARTITIONS, sizeof *proof->partitions);
	return 0;
}

static int
write_block(struct proof *proof, struct partition *p, struct err *e)
{
	memset(p->block + p->fill, 0, (BLOCK - p->fill) * sizeof *p->block);
	if (spill_write(proof->fd, proof->blocks * sizeof p->block, p->block, sizeof p->block, "keys", e) != 0)
		return -1;
	/* Doubling at powers of two: no capacity to keep. */
	if ((p->block_count & (p->block_count - 1)) == 0)
		p->blocks = buf_realloc(p->blocks, p->block_count > 0 ? 2 * p->block_count : 1, sizeof *p->blocks);
	p->blocks[p->block_count++] = proof->blocks++;
	p->fill = 0;
	return 0;
}

static int
spill(struct proof *proof, uint64_t hash, struct err *e)
{
	struct partition *p = &proof->partitions[hash >> 56];

	p->block[p->fill++] = hash;
	return p->fill == BLOCK ? write_block(proof, p, e) : 0;
}

int
proof_add(struct proof *proof, uint64_t hash, struct err *e)
{
	if (proof->duplicate)
		return 0;
	if (hash == 0)
		hash = 1;
	if (proof->fd >= 0)
		return spill(proof, hash, e);
	proof->duplicate = insert(proof, hash);
	if (proof->count < proof->size / 4 * 3)
		return 0;
	if (open_spill(proof, e) != 0)
		return -1;
	for (size_t i = 0; i < proof->size; i++)
		if (proof->slots[i] != 0 && spill(proof, proof->slots[i], e) != 0)
			return -1;
	return 0;
}

static int
compare(const void *left, const void *right)
{
	uint64_t x = *(const uint64_t *)left, y = *(const uint64_t *)right;

	return x < y ? -1 : x > y;
}

/* Read a partition back and look for neighbours that are equal; 1 unique, 0 not, -1. */
static int
check_partition(struct proof *proof, struct partition *p, struct err *e)
{
	size_t count = 0;

	if (p->fill > 0 && write_block(proof, p, e) != 0)
		return -1;
	/* A partition is sorted in the set's own memory. */
	if (p->block_count * BLOCK > proof->size)
		return 0;
	for (size_t b = 0; b < p->block_count; b++) {
		char *to = (char *)(proof->slots + count);
		size_t done = 0;

		while (done < sizeof p->block) {
			ssize_t n = pread(proof->fd, to + done, sizeof p->block - done,
			    (off_t)(p->blocks[b] * sizeof p->block + done));

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return err_errno(e, n < 0 ? errno : EIO, "temporary file of keys");
			done += (size_t)n;
		}
		count += BLOCK;
	}
	qsort(proof->slots, count, sizeof *proof->slots, compare);
	for (size_t i = 1; i < count; i++)
		if (proof->slots[i] == proof->slots[i - 1] && proof->slots[i] != 0)
			return 0;
	return 1;
}

int
proof_unique(struct proof *proof, struct err *e)
{
	if (proof->duplicate)
		return 0;
	for (size_t i = 0; proof->partitions != NULL && i < PARTITIONS; i++) {
		int unique = check_partition(proof, &proof->partitions[i], e);

		if (unique != 1)
			return unique;
	}
	return 1;
}
