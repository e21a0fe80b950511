#ifndef SEARCH_ESPIT_H
#define SEARCH_ESPIT_H

#include <stdbool.h>

#include "base/err.h"

struct buf;
struct es;
struct search_index;

/*
 * A point in time: the index as it was, so that scores stay what they were.
 * Only pages by relevance need one: the others go on from values, which are
 * right whatever happened meanwhile. The two engines call it differently.
 */

/* How long one is kept after its last use. */
#define ESPIT_KEEP "2m"

/* Open one; *id is the caller's, and NULL if the server has too many of them: then it must do without. */
int espit_open(struct es *es, const struct search_index *index, char **id, struct err *e) MUST_CHECK;

/* Close it; what fails is left to its end. */
void espit_close(struct es *es, const char *id);

/* Append what changes whenever the index does: each shard's writes, its documents, and the deleted ones it still counts. */
int espit_state(struct es *es, const struct search_index *index, struct buf *state, struct err *e) MUST_CHECK;

#endif
