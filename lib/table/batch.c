#include "table/batch.h"

#include <stdlib.h>
#include <string.h>

int
batch_add(struct batch *b, uint64_t byte, uint64_t line, uint32_t length, size_t text, size_t key)
{
	struct batch_entry *entry;
	unsigned char prefix[8] = {0};
	size_t key_length = b->keys.length - key;

	if (b->texts.length > UINT32_MAX || b->keys.length > UINT32_MAX)
		return -1;
	if (b->count == b->capacity) {
		b->capacity = b->capacity > 0 ? b->capacity + b->capacity / 2 : 1024;
		b->entries = buf_realloc(b->entries, b->capacity, sizeof *b->entries);
	}
	entry = &b->entries[b->count++];
	*entry = (struct batch_entry){
	    .byte = byte,
	    .line = line,
	    .length = length,
	    .text = (uint32_t)text,
	    .text_length = (uint32_t)(b->texts.length - text),
	    .key = (uint32_t)key,
	    .key_length = (uint32_t)key_length,
	};
	if (key_length > 0)
		memcpy(prefix, b->keys.bytes + key, key_length < 8 ? key_length : 8);
	for (size_t i = 0; i < 8; i++)
		entry->prefix = entry->prefix << 8 | prefix[i];
	return 0;
}

static int
compare_keys(const struct batch *b, const struct batch_entry *x, const struct batch_entry *y)
{
	size_t shorter = x->key_length < y->key_length ? x->key_length : y->key_length;
	int order;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	order = shorter > 0 ? memcmp(b->keys.bytes + x->key, b->keys.bytes + y->key, shorter) : 0;
	if (order != 0)
		return order;
	return x->key_length < y->key_length ? -1 : x->key_length > y->key_length;
}

static int
compare(const void *left, const void *right, void *batch)
{
	const struct batch_entry *x = left, *y = right;
	int order = compare_keys(batch, x, y);

	if (order != 0)
		return order;
	return x->byte < y->byte ? -1 : x->byte > y->byte;
}

void
batch_group_by_key(struct batch *b)
{
	bool sorted = true;

	for (size_t i = 1; sorted && i < b->count; i++)
		sorted = compare(&b->entries[i - 1], &b->entries[i], b) < 0;
	if (!sorted)
		qsort_r(b->entries, b->count, sizeof *b->entries, compare, b);
	b->groups = buf_realloc(b->groups, b->count, sizeof *b->groups);
	b->group_count = 0;
	for (size_t i = 0; i < b->count; i++) {
		if (i > 0 && compare_keys(b, &b->entries[i - 1], &b->entries[i]) == 0)
			b->groups[b->group_count - 1].count++;
		else
			b->groups[b->group_count++] = (struct batch_group){(uint32_t)i, 1};
	}
}

void
batch_group_each(struct batch *b)
{
	b->groups = buf_realloc(b->groups, b->count, sizeof *b->groups);
	for (size_t i = 0; i < b->count; i++)
		b->groups[i] = (struct batch_group){(uint32_t)i, 1};
	b->group_count = b->count;
}

struct batch_entry *
batch_winner(const struct batch *b, const struct batch_group *group)
{
	for (uint32_t i = group->count; i > 0; i--)
		if (b->entries[group->first + i - 1].fault == NULL)
			return &b->entries[group->first + i - 1];
	return NULL;
}

void
batch_reset(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->entries[i].fault);
	b->count = b->group_count = 0;
	buf_reset(&b->texts);
	buf_reset(&b->keys);
}

void
batch_fini(struct batch *b)
{
	batch_reset(b);
	free(b->entries);
	free(b->groups);
	buf_fini(&b->texts);
	buf_fini(&b->keys);
	*b = (struct batch){0};
}
