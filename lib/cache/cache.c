#include "cache/cache.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/num.h"
#include "cache/cache_driver.h"
#include "net/url.h"

/* What is kept is never wrong, only unused: an hour is long enough for a person who pages, and empties itself. */
#define DEFAULT_TTL INT64_C(3600000)
#define LONGEST_TTL (INT64_C(30) * 24 * 3600000)

struct cache {
	const struct cache_driver *driver; /* NULL: there is none */
	const struct clk *clk;
	void *self;
	char *url;            /* for messages */
	int64_t wakes;        /* until then it is left alone */
	bool refusal_noticed; /* that it keeps nothing is said once */
};

static int
read_ttl(const struct url *url, int64_t *ttl, struct err *e)
{
	char *text = url_parameter(url, "ttl");
	bool valid = true;

	*ttl = DEFAULT_TTL;
	if (text != NULL)
		valid = num_milliseconds(text, ttl) && *ttl >= 1000 && *ttl <= LONGEST_TTL;
	else if (url->query != NULL)
		valid = false;
	free(text);
	return valid ? 0 : err_set(e, ERR_CONFIG, "'?%s' is not understood; hint: ?ttl=TIME, 1s to 720h", url->query);
}

static const struct cache_driver *
find_driver(const char *scheme, struct err *e)
{
	if (strcmp(scheme, "redis") == 0)
		return redis_driver();
	/* Debian's hiredis is built without TLS. */
	if (strcmp(scheme, "rediss") == 0)
		err_set(
		    e, ERR_CONFIG, "rediss: is not offered, hiredis has no TLS here; hint: redis: through a tunnel");
	else
		err_set(e, ERR_CONFIG, "no cache speaks '%s:'; hint: there is redis:, none:", scheme);
	return NULL;
}

struct cache *
cache_open_driver(
    const struct cache_driver *driver, const struct cache_options *options, const struct clk *clk, struct err *e)
{
	struct cache *cache = buf_calloc(1, sizeof *cache);
	struct url url = {0};
	int64_t ttl;

	cache->clk = clk;
	cache->url = url_redact(options->url != NULL ? options->url : "none:");
	if (strcmp(cache->url, "none:") == 0)
		return cache;
	if (url_parse(options->url, &url, e) != 0)
		goto fail;
	cache->driver = driver != NULL ? driver : find_driver(url.scheme, e);
	if (cache->driver == NULL || read_ttl(&url, &ttl, e) != 0)
		goto fail;
	cache->self = cache->driver->open(&url, ttl, e);
	if (cache->self == NULL)
		goto fail;
	url_fini(&url);
	return cache;

fail:
	err_prefix(e, "cache %s", cache->url);
	url_fini(&url);
	cache_close(cache);
	return NULL;
}

struct cache *
cache_open(const struct cache_options *options, struct err *e)
{
	return cache_open_driver(NULL, options, clk_system(), e);
}

void
cache_close(struct cache *cache)
{
	if (cache == NULL)
		return;
	if (cache->self != NULL)
		cache->driver->close(cache->self);
	free(cache->url);
	free(cache);
}

bool
cache_awake(const struct cache *cache)
{
	return cache->driver != NULL && clk_now(cache->clk) >= cache->wakes;
}

/* After an outage it is left alone; what is wrong with one call is no reason to. */
static void
failed(struct cache *cache, const struct err *e)
{
	if (e->code == ERR_AGAIN) {
		cache->wakes = clk_now(cache->clk) + CACHE_REST;
		log_notice("cache %s: %s; going on without it", cache->url, e->message);
	} else if (!cache->refusal_noticed) {
		cache->refusal_noticed = true;
		log_notice("cache %s: %s", cache->url, e->message);
	}
}

bool
cache_get(struct cache *cache, const struct buf *key, struct buf *value)
{
	struct err e;
	int got;

	if (!cache_awake(cache) || key->length > CACHE_LONGEST_KEY)
		return false;
	got = cache->driver->get(cache->self, key, value, &e);
	if (got < 0)
		failed(cache, &e);
	return got > 0;
}

bool
cache_put(struct cache *cache, const struct buf *key, const struct buf *value)
{
	struct err e;

	if (!cache_awake(cache) || key->length > CACHE_LONGEST_KEY || value->length > CACHE_LARGEST_VALUE)
		return false;
	if (cache->driver->put(cache->self, key, value, &e) == 0)
		return true;
	failed(cache, &e);
	return false;
}

int
cache_probe(struct cache *cache, struct err *e)
{
	struct buf key = {0}, value = {0}, found = {0};
	int result;

	if (cache->driver == NULL)
		return 0;
	buf_printf(&key, "csvp:probe:%016" PRIx64, clk_random(cache->clk));
	buf_printf(&value, "%016" PRIx64, clk_random(cache->clk));
	result = cache->driver->put(cache->self, &key, &value, e);
	if (result == 0) {
		result = cache->driver->get(cache->self, &key, &found, e);
		if (result == 0 || (result > 0 && strcmp(found.bytes, value.bytes) != 0))
			result = err_set(e, ERR_UNAVAILABLE, "what was kept is not found again");
	}
	buf_fini(&found);
	buf_fini(&value);
	buf_fini(&key);
	return result < 0 ? err_prefix(e, "cache %s", cache->url) : 0;
}
