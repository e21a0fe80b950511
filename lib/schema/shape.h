#ifndef SCHEMA_SHAPE_H
#define SCHEMA_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "schema/type.h"

struct err;

struct column {
	char *header; /* as in the file */
	char *name;   /* in PostgreSQL */
	enum type_id type;
	bool undecided; /* no value seen yet; stored as text until the first */
};

/* The columns of a dataset, in table order, and which of them are its key. */
struct shape {
	struct column *columns;
	size_t count;
	size_t *key; /* indexes into columns; none: records are appended */
	size_t key_count;
};

/* Append a column; header and name are copied. The shape begins as all zeros. */
void shape_add(struct shape *s, const char *header, const char *name, enum type_id type, bool undecided);

/*
 * Make the column with this header (exact) or else this name a part of the
 * key; 65 naming it if there is none, or if it is in the key already.
 */
int shape_add_key(struct shape *s, const char *header, struct err *e) __attribute__((warn_unused_result));

/*
 * Index of the column with this header (exact), else with this name; -1 if
 * none. An empty header finds nothing, since a file may have several: find
 * such a column by its name (column_N).
 */
ssize_t shape_find(const struct shape *s, const char *header_or_name);

/*
 * What records are known by: the key's columns, or without a key `_id`, a
 * bigint. The number of parts, and the name and type of each.
 */
size_t shape_key_parts(const struct shape *s);
const char *shape_key_name(const struct shape *s, size_t part);
enum type_id shape_key_type(const struct shape *s, size_t part);

/* Is this column, by its position, part of the key? */
bool shape_in_key(const struct shape *s, size_t column);

void shape_fini(struct shape *s);

#endif
