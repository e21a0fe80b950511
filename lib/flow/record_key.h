#ifndef FLOW_RECORD_KEY_H
#define FLOW_RECORD_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct row;
struct shape;

/* A record's key as it stands in a path (flow/records.h says how). */

/* A text for each part, valid for its type; false if this is no key of such records. Freed by record_key_free. */
bool record_key_parse(const struct shape *shape, const char *path, char ***parts, size_t *count);
void record_key_free(char **parts, size_t count);

/* Append that of a row. */
void record_key_write(struct buf *path, const struct shape *shape, const struct row *row);

#endif
