#include "store/store.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "net/retry.h"
#include "net/url.h"
#include "store/store_driver.h"

enum { LONGEST_KEY = 200 };

/* A restarting server is back in well under a minute; a person at a prompt waits no longer. */
static const struct retry_policy patient = {.tries = 10, .time = 60000, .base = 100, .cap = 10000};

/* Who asks whether it is there wants to know that now. */
static const struct retry_policy hasty = {.tries = 2, .time = 1000, .base = 100, .cap = 100};

struct store {
	const struct store_driver *driver;
	const struct clk *clk;
	const struct retry_policy *policy;
	void *handle;
	char *name; /* the URL, for messages */
	bool left;  /* by the last put */
};

struct object {
	struct store *store;
	void *reader; /* NULL: to be opened at `offset` */
	char *key;
	uint64_t offset;
	uint64_t left;
};

static int
failed(const struct store *store, const char *key, struct err *e)
{
	return key[0] != '\0' ? err_prefix(e, "store %s: %s", store->name, key)
			      : err_prefix(e, "store %s", store->name);
}

static int
check_key(const char *key, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789/._-";
	size_t length = strlen(key);

	if (length == 0 || length > LONGEST_KEY)
		return err_set(e, ERR_BUG, "store key '%s': not 1 to %d bytes", key, LONGEST_KEY);
	if (key[strspn(key, allowed)] != '\0')
		return err_set(e, ERR_BUG, "store key '%s': a byte not of [a-z0-9/._-]", key);
	if (strchr("/.", key[0]) != NULL || key[length - 1] == '/' || strstr(key, "//") != NULL ||
	    strstr(key, "/.") != NULL)
		return err_set(e, ERR_BUG, "store key '%s': a segment is empty or begins with a dot", key);
	return 0;
}

static const struct store_driver *
find_driver(const char *scheme, struct err *e)
{
	const struct store_driver *drivers[] = {file_driver(), s3_driver(), libs3_driver()};
	struct buf known = {0};

	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
		if (strcmp(drivers[i]->scheme, scheme) == 0)
			return drivers[i];
	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
		buf_printf(&known, "%s%s:", i > 0 ? ", " : "", drivers[i]->scheme);
	err_set(e, ERR_CONFIG, "no object store speaks '%s:'; hint: there is %s", scheme, known.bytes);
	buf_fini(&known);
	return NULL;
}

static struct store *
open_parsed(const struct store_driver *driver, const struct store_options *options, const struct url *url,
    const struct clk *clk, struct err *e)
{
	struct store *store = buf_calloc(1, sizeof *store);
	struct retry retry;

	assert(driver->scheme != NULL && driver->block > 0 && driver->open != NULL && driver->close != NULL);
	assert(driver->create != NULL && driver->write != NULL && driver->commit != NULL && driver->end != NULL);
	assert(driver->get != NULL && driver->read != NULL && driver->release != NULL);
	assert(driver->size != NULL && driver->remove != NULL && driver->list != NULL);
	store->driver = driver;
	store->clk = clk;
	store->policy = options->hasty ? &hasty : &patient;
	store->name = url_redact(options->url);
	retry_start(&retry, store->policy, clk);
	do
		store->handle = driver->open(options, url, e);
	while (store->handle == NULL && retry_again(&retry, e));
	if (store->handle == NULL) {
		failed(store, "", e);
		store_close(store);
		return NULL;
	}
	return store;
}

/* The parts of the URL, and the driver that speaks it unless there is one already; 78 if that does not take it. */
static int
find_url(const struct store_options *options, const struct store_driver **driver, struct url *url, struct err *e)
{
	char *name;

	if (url_parse(options->url, url, e) != 0)
		return -1;
	if (*driver == NULL)
		*driver = find_driver(url->scheme, e);
	if (*driver != NULL && ((*driver)->check == NULL || (*driver)->check(options, url, e) == 0))
		return 0;
	if (*driver != NULL) {
		name = url_redact(options->url);
		err_prefix(e, "store %s", name);
		free(name);
	}
	url_fini(url);
	return -1;
}

struct store *
store_open_driver(
    const struct store_driver *driver, const struct store_options *options, const struct clk *clk, struct err *e)
{
	struct store *store;
	struct url url;

	if (find_url(options, &driver, &url, e) != 0)
		return NULL;
	store = open_parsed(driver, options, &url, clk, e);
	url_fini(&url);
	return store;
}

int
store_check(const struct store_options *options, struct err *e)
{
	const struct store_driver *driver = NULL;
	struct url url;

	if (find_url(options, &driver, &url, e) != 0)
		return -1;
	url_fini(&url);
	return 0;
}

struct store *
store_open(const struct store_options *options, struct err *e)
{
	return store_open_driver(NULL, options, clk_system(), e);
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->handle != NULL)
		store->driver->close(store->handle);
	free(store->name);
	free(store);
}

bool
store_exclusive(const struct store *store)
{
	return !store->driver->shared;
}

void
store_shield(struct store *store, bool on)
{
	if (store->driver->shield != NULL)
		store->driver->shield(store->handle, on);
}

/* Fill a whole block from the source; less only at its end. -1 on its error. */
static ssize_t
fill(store_source *source, void *ctx, char *block, size_t capacity, struct err *e)
{
	size_t length = 0;

	while (length < capacity) {
		ssize_t n = source(ctx, block + length, capacity - length, e);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

/* Between the driver and who resumes: a callback that fails ends the put, whatever its code. */
struct putting {
	struct store *store;
	const char *key;
	const struct store_resume *resume;
	bool stopped;
};

static int
put_upload(void *ctx, const char *upload, struct err *e)
{
	struct putting *putting = ctx;

	putting->stopped = putting->resume->on_upload(putting->resume->ctx, upload, e) != 0;
	return putting->stopped ? -1 : 0;
}

static int
put_part(void *ctx, size_t number, const struct store_part *part, struct err *e)
{
	struct putting *putting = ctx;

	putting->stopped = putting->resume->on_part(putting->resume->ctx, number, part, e) != 0;
	return putting->stopped ? -1 : 0;
}

static void
put_so_far(void *ctx, unsigned char sha256[32])
{
	struct putting *putting = ctx;

	putting->resume->so_far(putting->resume->ctx, sha256);
}

/* Memory of the driver's for the next block, or `block` if it has none; NULL on error. */
static void *
find_room(struct putting *putting, void *writer, void *block, struct err *e)
{
	struct store *store = putting->store;
	struct retry retry;
	void *room;

	if (block != NULL)
		return block;
	retry_start(&retry, store->policy, store->clk);
	do
		room = store->driver->room(writer, e);
	while (room == NULL && !putting->stopped && retry_again(&retry, e));
	if (room == NULL && !putting->stopped)
		failed(store, putting->key, e);
	return room;
}

/* One block, or with NULL the commit. */
static int
write_block(struct putting *putting, void *writer, const char *block, size_t length, struct err *e)
{
	struct store *store = putting->store;
	struct retry retry;
	int status;

	retry_start(&retry, store->policy, store->clk);
	do
		status =
		    block != NULL ? store->driver->write(writer, block, length, e) : store->driver->commit(writer, e);
	while (status != 0 && !putting->stopped && retry_again(&retry, e));
	if (status != 0 && !putting->stopped)
		failed(store, putting->key, e);
	return status;
}

static int
pump(struct putting *putting, void *writer, store_source *source, void *ctx, uint64_t *size, struct err *e)
{
	size_t capacity = putting->store->driver->block;
	char *block = putting->store->driver->room == NULL ? buf_malloc(capacity) : NULL;
	ssize_t n;

	*size = 0;
	do {
		char *room = find_room(putting, writer, block, e);

		n = room != NULL ? fill(source, ctx, room, capacity, e) : -1;
		if (n > 0 && (sig_check(e) != 0 || write_block(putting, writer, room, (size_t)n, e) != 0))
			n = -1;
		if (n > 0)
			*size += (uint64_t)n;
	} while (n == (ssize_t)capacity);
	free(block);
	return n < 0 ? -1 : 0;
}

int
store_put_resumed(struct store *store, const char *key, store_source *source, void *ctx,
    const struct store_resume *resume, uint64_t *size, struct err *e)
{
	struct putting putting = {.store = store, .key = key, .resume = resume};
	struct store_resume told = {
	    .on_upload = put_upload, .on_part = put_part, .so_far = put_so_far, .ctx = &putting};
	struct retry retry;
	bool keep = false;
	void *writer;
	int status;

	store->left = false;
	if (check_key(key, e) != 0)
		return -1;
	if (resume != NULL) {
		told.upload = resume->upload;
		told.parts = resume->parts;
		told.count = resume->count;
	}
	retry_start(&retry, store->policy, store->clk);
	do
		writer = store->driver->create(store->handle, key, resume != NULL ? &told : NULL, e);
	while (writer == NULL && retry_again(&retry, e));
	if (writer == NULL)
		return failed(store, key, e);
	status = pump(&putting, writer, source, ctx, size, e);
	if (status == 0)
		status = write_block(&putting, writer, NULL, 0, e);
	if (status != 0 && resume != NULL)
		keep = e->code == ERR_AGAIN || e->code == ERR_SIGINT || e->code == ERR_SIGTERM;
	store->left = store->driver->end(writer, keep);
	return status;
}

bool
store_left(const struct store *store)
{
	return store->left;
}

int
store_put(struct store *store, const char *key, store_source *source, void *ctx, uint64_t *size, struct err *e)
{
	return store_put_resumed(store, key, source, ctx, NULL, size, e);
}

/* Open the driver's reader for what is left; an empty range is only looked for. */
static int
open_reader(struct object *object, struct err *e)
{
	struct store *store = object->store;
	uint64_t size;

	if (object->left == 0)
		return store->driver->size(store->handle, object->key, &size, e);
	object->reader = store->driver->get(store->handle, object->key, object->offset, object->left, e);
	return object->reader != NULL ? 0 : -1;
}

struct object *
store_get(struct store *store, const char *key, uint64_t offset, uint64_t length, struct err *e)
{
	struct object *object;
	struct retry retry;
	int status;

	if (check_key(key, e) != 0)
		return NULL;
	if (offset > INT64_MAX || length > INT64_MAX - offset) {
		err_set(e, ERR_BUG, "store key '%s': a range beyond 2^63", key);
		return NULL;
	}
	object = buf_calloc(1, sizeof *object);
	object->store = store;
	object->key = buf_strdup(key);
	object->offset = offset;
	object->left = length;
	retry_start(&retry, store->policy, store->clk);
	do
		status = open_reader(object, e);
	while (status != 0 && retry_again(&retry, e));
	if (status != 0) {
		failed(store, key, e);
		store_release(object);
		return NULL;
	}
	return object;
}

/* One attempt; a reader that failed is not used again. */
static ssize_t
read_once(struct object *object, void *bytes, size_t capacity, struct err *e)
{
	const struct store_driver *driver = object->store->driver;
	ssize_t n;

	if (object->reader == NULL && open_reader(object, e) != 0)
		return -1;
	n = driver->read(object->reader, bytes, capacity, e);
	if (n < 0) {
		driver->release(object->reader);
		object->reader = NULL;
	}
	return n;
}

ssize_t
store_read(struct object *object, void *bytes, size_t capacity, struct err *e)
{
	struct store *store = object->store;
	struct retry retry;
	ssize_t n;

	if (capacity > object->left)
		capacity = object->left;
	if (capacity == 0)
		return 0;
	retry_start(&retry, store->policy, store->clk);
	do
		n = read_once(object, bytes, capacity, e);
	while (n < 0 && retry_again(&retry, e));
	if (n == 0)
		n = err_set(e, ERR_IO, "ends at byte %llu, %llu before the range asked for does",
		    (unsigned long long)object->offset, (unsigned long long)object->left);
	if (n < 0)
		return failed(store, object->key, e);
	object->offset += (uint64_t)n;
	object->left -= (uint64_t)n;
	return n;
}

void
store_release(struct object *object)
{
	if (object == NULL)
		return;
	if (object->reader != NULL)
		object->store->driver->release(object->reader);
	free(object->key);
	free(object);
}

int
store_size(struct store *store, const char *key, uint64_t *size, struct err *e)
{
	struct retry retry;
	int status;

	if (check_key(key, e) != 0)
		return -1;
	retry_start(&retry, store->policy, store->clk);
	do
		status = store->driver->size(store->handle, key, size, e);
	while (status != 0 && retry_again(&retry, e));
	return status == 0 ? 0 : failed(store, key, e);
}

int
store_remove(struct store *store, const char *key, struct err *e)
{
	struct retry retry;
	int status;

	if (check_key(key, e) != 0)
		return -1;
	retry_start(&retry, store->policy, store->clk);
	do
		status = store->driver->remove(store->handle, key, e);
	while (status != 0 && retry_again(&retry, e));
	return status == 0 ? 0 : failed(store, key, e);
}

/* Between the driver and the caller of store_list: where to go on, and whose error it is. */
struct listing {
	int (*each)(void *ctx, const char *key, struct err *e);
	void *ctx;
	char after[LONGEST_KEY + 1];
	bool stopped;
};

static int
list_key(void *ctx, const char *key, struct err *e)
{
	struct listing *listing = ctx;
	struct err ignored;

	/* Somebody else's file: no key of ours. */
	if (check_key(key, &ignored) != 0)
		return 0;
	strcpy(listing->after, key);
	listing->stopped = listing->each(listing->ctx, key, e) != 0;
	return listing->stopped ? -1 : 0;
}

int
store_list(struct store *store, const char *prefix, int (*each)(void *ctx, const char *key, struct err *e), void *ctx,
    struct err *e)
{
	struct listing listing = {.each = each, .ctx = ctx};
	struct retry retry;
	int status;

	retry_start(&retry, store->policy, store->clk);
	do
		status = store->driver->list(store->handle, prefix, listing.after, list_key, &listing, e);
	while (status != 0 && !listing.stopped && retry_again(&retry, e));
	if (status != 0 && !listing.stopped)
		return failed(store, prefix, e);
	return status;
}
