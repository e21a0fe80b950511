#ifndef TABLE_BATCH_H
#define TABLE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* One record ready for COPY: where it came from, and where its line and its key lie in the batch's arenas. */
struct batch_entry {
	uint64_t byte;   /* of the record in the object */
	uint64_t line;   /* physical line */
	uint32_t length; /* bytes of the record */
	uint32_t text_length, key_length;
	uint32_t text, key; /* offsets in the arenas */
	uint64_t prefix;    /* the key's first 8 bytes, big endian: most comparisons end here */
	char *fault;        /* why the server refused it, owned; NULL: it did not */
};

/* Entries with one key, oldest first; the newest that is not refused stands for all. */
struct batch_group {
	uint32_t first, count;
};

/* The records of one chunk, encoded. At most 4 GiB of each arena. */
struct batch {
	struct buf texts; /* COPY lines, one behind the other */
	struct buf keys;  /* sort keys (type_sort_key) */
	struct batch_entry *entries;
	size_t count, capacity;
	struct batch_group *groups;
	size_t group_count;
};

/*
 * Append an entry whose line and key were just appended to the arenas, from
 * `text` and `key` to their ends. -1 if an arena has grown beyond 4 GiB.
 */
int batch_add(struct batch *b, uint64_t byte, uint64_t line, uint32_t length, size_t text, size_t key)
    __attribute__((warn_unused_result));

/* Sort by key, then by byte, and group equal keys. */
void batch_group_by_key(struct batch *b);

/* Leave the file's order; every entry is a group of its own. */
void batch_group_each(struct batch *b);

/* The entry that stands for a group, or NULL if all of it was refused. */
struct batch_entry *batch_winner(const struct batch *b, const struct batch_group *group);

void batch_reset(struct batch *b); /* empty, memory kept */
void batch_fini(struct batch *b);

#endif
