#include "flow/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/buf.h"

/* As many as the API has threads in a quiet hour: a session of PostgreSQL at rest costs the server some megabytes. */
enum { AT_REST = 16 };

struct pool {
	void (*close)(void *handle);
	pthread_mutex_t lock;
	void *handles[AT_REST];
	size_t count;
};

struct pool *
pool_new(void (*close)(void *handle))
{
	struct pool *pool = buf_calloc(1, sizeof *pool);

	pool->close = close;
	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->count > 0)
		pool->close(pool->handles[--pool->count]);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void *
pool_take(struct pool *pool)
{
	void *handle;

	pthread_mutex_lock(&pool->lock);
	handle = pool->count > 0 ? pool->handles[--pool->count] : NULL;
	pthread_mutex_unlock(&pool->lock);
	return handle;
}

void
pool_give(struct pool *pool, void *handle)
{
	bool kept;

	if (handle == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	kept = pool->count < AT_REST;
	if (kept)
		pool->handles[pool->count++] = handle;
	pthread_mutex_unlock(&pool->lock);
	if (!kept)
		pool->close(handle);
}
