#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "cache/cache.h"
#include "db/pg.h"
#include "flow/deadletters.h"
#include "flow/doctor_internal.h"
#include "flow/handoff.h"
#include "flow/site.h"
#include "net/url.h"
#include "queue/queue.h"
#include "schema/shape.h"
#include "search/search.h"
#include "store/store.h"

/* Free space below this is a warning: one large file's worth of WAL and sort. */
#define LITTLE_SPACE ((uint64_t)1 << 30)

/* A message that waits so long has nobody to take it, in milliseconds. */
#define LONG_WAIT 600000

static void
check_space(struct doctor *d, const char *folder)
{
	struct statvfs fs;
	uint64_t space;

	if (statvfs(folder, &fs) != 0) {
		struct err e;

		err_errno(&e, errno, "cannot look at %s", folder);
		doctor_say_error(d, NULL, &e);
		return;
	}
	space = (uint64_t)fs.f_bavail * fs.f_frsize;
	doctor_say(d, space < LITTLE_SPACE ? DOCTOR_WARN : DOCTOR_OK, ERR_NONE,
	    space < LITTLE_SPACE ? "make room; what is loaded is in the database, but uploads are kept for ever" : NULL,
	    "%s has %.1f GB free", folder, (double)space / (1 << 30));
}

void
doctor_home(struct doctor *d)
{
	struct err e;
	char *home = site_home(&e);

	if (home == NULL) {
		doctor_say_error(d, NULL, &e);
		return;
	}
	if (access(home, F_OK) != 0)
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "%s is not made yet, and not needed", home);
	else if (access(home, W_OK | X_OK) != 0)
		doctor_say(d, DOCTOR_FAIL, ERR_CONFIG, "set CSVP_HOME to a folder of your own",
		    "%s cannot be written to", home);
	else
		check_space(d, home);
	free(home);
}

/* What the object of a check holds: more than one read of a socket. */
#define SAMPLE 100000

static ssize_t
sample(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	size_t *left = ctx, count = *left < capacity ? *left : capacity;

	(void)e;
	for (size_t i = 0; i < count; i++)
		((unsigned char *)bytes)[i] = (unsigned char)((*left - i) * 31);
	*left -= count;
	return (ssize_t)count;
}

/* Read a range from the middle to the end, and compare. */
static int
read_back(struct store *store, const char *key, struct err *e)
{
	struct object *object = store_get(store, key, SAMPLE / 2, SAMPLE - SAMPLE / 2, e);
	size_t left = SAMPLE - SAMPLE / 2;
	unsigned char bytes[4096];
	ssize_t got = object != NULL ? 0 : -1;

	while (object != NULL && (got = store_read(object, bytes, sizeof bytes, e)) > 0)
		for (ssize_t i = 0; i < got; i++, left--)
			if (bytes[i] != (unsigned char)(left * 31)) {
				store_release(object);
				return err_set(e, ERR_IO, "an object came back changed");
			}
	store_release(object);
	if (got == 0 && left > 0)
		return err_set(e, ERR_IO, "an object came back short");
	return got < 0 ? -1 : 0;
}

/* An object appears whole, is not overwritten, can be read in part, and goes away. */
static int
try_store(struct store *store, const char *key, struct err *e)
{
	size_t left = SAMPLE;
	uint64_t size;
	struct err again;

	if (store_put(store, key, sample, &left, &size, e) != 0)
		return -1;
	left = SAMPLE;
	if (store_put(store, key, sample, &left, &size, &again) == 0)
		return err_set(e, ERR_CONFIG, "an object can be overwritten");
	if (again.code != ERR_DATA) {
		*e = again;
		return -1;
	}
	return read_back(store, key, e);
}

void
doctor_store(struct doctor *d)
{
	char *key = buf_format("doctor/%d-%" PRIx64, (int)getpid(), (uint64_t)(uintptr_t)d);
	struct store *store;
	struct url url;
	struct err e, last;
	int result;

	store = d->hasty ? site_store_hasty(d->site, &e) : site_store(d->site, &e);
	result = store != NULL ? try_store(store, key, &e) : -1;
	if (store != NULL && store_remove(store, key, result == 0 ? &e : &last) != 0)
		result = -1;
	if (result != 0)
		doctor_say_error(d,
		    strncmp(site_store_url(d->site), "s3", 2) == 0
			? "CSVP_STORE_URL and AWS_ENDPOINT_URL_S3 must name a place where AWS_ACCESS_KEY_ID with its "
			  "secret"
			  " may write"
			: "CSVP_STORE_URL must name a place that csvp may write to",
		    &e);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "objects are written whole, read and removed");
	store_close(store);
	free(key);
	if (result == 0 && url_parse(site_store_url(d->site), &url, &e) == 0) {
		if (strcmp(url.scheme, "file") == 0)
			check_space(d, url.path);
		url_fini(&url);
	}
}

static int
count_letter(void *ctx, const struct message *letter, struct err *e)
{
	(void)letter;
	(void)e;
	++*(uint64_t *)ctx;
	return 0;
}

/* One queue: how much waits in it, and for how long. */
static int
check_depth(struct doctor *d, struct queue *queue, enum queue_name name, struct err *e)
{
	const char *stage = queue_stage(name);
	struct queue_depth depth;

	if (queue_depth(queue, name, &depth, e) != 0)
		return -1;
	if (depth.oldest > LONG_WAIT)
		doctor_say(d, DOCTOR_WARN, ERR_NONE, "csvp-run --workers",
		    "%s: %" PRIu64 " messages wait, the oldest for %" PRId64 " minutes: nobody takes them", stage,
		    depth.visible, depth.oldest / 60000);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "%s: %" PRIu64 " messages wait, %" PRIu64 " are worked on",
		    stage, depth.visible, depth.in_flight);
	return 0;
}

void
doctor_queue(struct doctor *d)
{
	struct queue *queue;
	uint64_t letters = 0;
	int result = 0;
	struct err e;

	/* The table of pg: is not there yet, which has been said. */
	if (d->pg == NULL || !d->migrated)
		return;
	queue = site_queue(d->site, &e);
	if (queue == NULL)
		result = -1;
	for (enum queue_name name = QUEUE_SPLIT; result == 0 && name < QUEUE_DEAD; name++)
		result = check_depth(d, queue, name, &e);
	if (result == 0)
		result = deadletters_list(d->pg, queue, 0, -1, count_letter, &letters, &e);
	if (result != 0)
		doctor_say_error(d, "CSVP_QUEUE_URL", &e);
	else if (letters > 0)
		doctor_say(d, DOCTOR_WARN, ERR_NONE, "csvp-admin dead list", "%" PRIu64 " dead letters", letters);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "no dead letters");
	queue_close(queue);
}

/* Indexes of their own are made and removed again. */
static int
try_search(struct search *search, const struct search_index *index, struct err *e)
{
	uint64_t count;

	if ((search_capabilities(search) & SEARCH_WANTS_VALUES) == 0)
		return search_count(search, index, &count, e);
	return search_create(search, index, e) == 0 ? search_drop(search, index, e) : -1;
}

void
doctor_search(struct doctor *d)
{
	struct shape shape = {0};
	/* No dataset has this id: that there is no index is an answer. */
	struct search_index none = {
	    .dataset = INT64_MAX, .schema = "csvp", .table = "none", .shape = &shape, .born = "never"};
	struct search *search;
	struct err e;

	if (d->pg == NULL || !d->migrated)
		return;
	search = site_search(d->site, &e);
	if (search == NULL || try_search(search, &none, &e) != 0)
		doctor_say_error(d, "CSVP_SEARCH_URL", &e);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL,
		    (search_capabilities(search) & SEARCH_WANTS_VALUES) != 0 ? "an index is made and removed"
									     : "it answers");
	search_close(search);
}

/* It costs speed when it is not there, never an answer: only a URL that stops every program is a failure. */
void
doctor_cache(struct doctor *d)
{
	struct cache *cache;
	struct err e;

	cache = site_cache(d->site, &e);
	if (cache == NULL)
		doctor_say_error(d, "CSVP_CACHE_URL", &e);
	else if (cache_probe(cache, &e) != 0)
		doctor_say(d, DOCTOR_WARN, ERR_NONE, "searches are slower, and right, without it", "%s", e.message);
	else
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL,
		    cache_awake(cache) ? "what is kept is found again" : "none, and none is needed");
	cache_close(cache);
}

void
doctor_work(struct doctor *d)
{
	static const char *const what[] = {"jobs are not split", "chunks are not loaded", "chunks are not indexed"};
	int64_t undone[QUEUE_COUNT];
	bool all = true;
	struct err e;

	if (d->pg == NULL || !d->migrated)
		return;
	if (handoff_undone(d->pg, undone, &e) != 0) {
		doctor_say_error(d, NULL, &e);
		return;
	}
	for (enum queue_name name = QUEUE_SPLIT; name < QUEUE_DEAD; name++) {
		if (undone[name] == 0)
			continue;
		all = false;
		doctor_say(d, DOCTOR_WARN, ERR_NONE,
		    "csvp-run --resume does it now; csvp-admin requeue tells the workers, where they run",
		    "%" PRId64 " %s, and nobody is at them", undone[name], what[name]);
	}
	if (all)
		doctor_say(d, DOCTOR_OK, ERR_NONE, NULL, "nothing was forgotten");
}
