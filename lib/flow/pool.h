#ifndef FLOW_POOL_H
#define FLOW_POOL_H

/*
 * Handles that were given back and are as good as new: database sessions and
 * what else costs a connection. From any thread; a handle itself belongs to
 * who has taken it. The newest comes first, so that what a rush has left over
 * is at the far end.
 */
struct pool;

/* `close` ends a handle that is not kept. */
struct pool *pool_new(void (*close)(void *handle));
void pool_free(struct pool *pool);

/* NULL: there is none. */
void *pool_take(struct pool *pool);

/* Give it back; NULL is harmless. Beyond a dozen at rest it is closed. */
void pool_give(struct pool *pool, void *handle);

#endif
