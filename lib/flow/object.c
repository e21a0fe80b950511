#include "flow/object.h"

#include "base/sig.h"
#include "store/store.h"

int
object_open(struct object_source *source, struct err *e)
{
	source->object = store_get(source->store, source->key, source->offset, source->length, e);
	return source->object != NULL ? 0 : -1;
}

ssize_t
object_read(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct object_source *source = ctx;

	if (sig_check(e) != 0)
		return -1;
	return store_read(source->object, bytes, capacity, e);
}

void
object_close(struct object_source *source)
{
	store_release(source->object);
	source->object = NULL;
}
