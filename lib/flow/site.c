#include "flow/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "cache/cache.h"
#include "cli/config.h"
#include "db/pg.h"
#include "db/private.h"
#include "flow/pool.h"
#include "flow/site_aws.h"
#include "flow/site_internal.h"
#include "ledger/ledger.h"
#include "ledger/rate.h"
#include "ledger/throttle.h"
#include "net/url.h"
#include "queue/queue.h"
#include "search/search.h"

struct site {
	char *home;
	char *conninfo;
	char *store_url;
	char *search_url;
	char *queue_url;
	const char *cache_url; /* NULL: none */
	int64_t visibility;
	const char *schema;
	bool private_database, autostart;
	struct pool *sessions, *searches, *queues, *caches; /* given back */
};

static void
close_session(void *pg)
{
	pg_close(pg);
}

static void
close_search(void *search)
{
	search_close(search);
}

static void
close_queue(void *queue)
{
	queue_close(queue);
}

static void
close_cache(void *cache)
{
	cache_close(cache);
}

bool
site_database_named(void)
{
	static const char *const names[] = {"CSVP_DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (config_get(names[i]) != NULL)
			return true;
	return false;
}

char *
site_home(struct err *e)
{
	const char *named = config_get("CSVP_HOME");
	struct buf home = {0};

	if (named == NULL) {
		if (private_home_default(&home, e) == 0)
			return buf_detach(&home);
		buf_fini(&home);
		return NULL;
	}
	if (named[0] != '/') {
		err_set(e, ERR_CONFIG, "CSVP_HOME '%s' is not an absolute path", named);
		return NULL;
	}
	return buf_strdup(named);
}

/* cron without its environment must not fill a second, private database. */
static int
refuse_half_configuration(struct err *e)
{
	static const char *const names[] = {"CSVP_STORE_URL", "CSVP_QUEUE_URL", "CSVP_SEARCH_URL", "CSVP_CACHE_URL"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (config_get(names[i]) != NULL)
			return err_set(e, ERR_CONFIG,
			    "%s is set (%s) but no database; hint: set CSVP_DATABASE_URL, too", names[i],
			    config_origin(names[i]));
	return 0;
}

static int
find_database(struct site *site, struct err *e)
{
	const char *url = config_get("CSVP_DATABASE_URL");
	const char *autostart = config_get("CSVP_AUTOSTART");
	struct buf conninfo = {0};

	if (site_database_named()) {
		site->conninfo = buf_strdup(url != NULL ? url : "");
		return 0;
	}
	site->private_database = true;
	site->autostart = autostart == NULL || strcmp(autostart, "no") != 0;
	if (private_up(site->home, site->autostart, &conninfo, e) != 0) {
		buf_fini(&conninfo);
		return -1;
	}
	site->conninfo = buf_detach(&conninfo);
	return 0;
}

struct site *
site_read(struct err *e)
{
	struct site *site = buf_calloc(1, sizeof *site);
	const char *value;

	site->sessions = pool_new(close_session);
	site->searches = pool_new(close_search);
	site->queues = pool_new(close_queue);
	site->caches = pool_new(close_cache);
	if (config_load(e) != 0)
		goto fail;
	site->home = site_home(e);
	if (site->home == NULL || (!site_database_named() && refuse_half_configuration(e) != 0))
		goto fail;
	value = config_get("CSVP_STORE_URL");
	if (value != NULL) {
		site->store_url = buf_strdup(value);
	} else {
		char *path = url_encode(site->home);

		site->store_url = buf_format("file://%s/store", path);
		free(path);
	}
	value = config_get("CSVP_SEARCH_URL");
	site->search_url = buf_strdup(value != NULL ? value : "pg:");
	value = config_get("CSVP_QUEUE_URL");
	site->queue_url = buf_strdup(value != NULL ? value : "pg:");
	site->cache_url = config_get("CSVP_CACHE_URL");
	value = config_get("CSVP_VISIBILITY");
	if (!num_milliseconds(value != NULL ? value : "30s", &site->visibility) || site->visibility < 1000 ||
	    site->visibility > 12 * 3600 * INT64_C(1000)) {
		err_set(e, ERR_CONFIG, "CSVP_VISIBILITY '%s' is not a time from 1s to 12h", value);
		goto fail;
	}
	value = config_get("CSVP_SCHEMA");
	site->schema = value != NULL ? value : "public";
	return site;

fail:
	site_close(site);
	return NULL;
}

struct site *
site_open_unmigrated(struct err *e)
{
	struct site *site = site_read(e);

	if (site == NULL || find_database(site, e) == 0)
		return site;
	site_close(site);
	return NULL;
}

static const char *const rate_settings[THROTTLE_COUNT] = {"CSVP_LOAD_RATE", "CSVP_INDEX_RATE"};

int
site_check_rates(struct err *e)
{
	struct rate rate;

	for (int i = 0; i < THROTTLE_COUNT; i++) {
		const char *text = config_get(rate_settings[i]);

		if (text == NULL || rate_parse(text, &rate, e) == 0)
			continue;
		e->code = ERR_CONFIG;
		return err_prefix(e, "%s", rate_settings[i]);
	}
	return 0;
}

/* The throttles' first values; later ones are set by csvp-admin throttle. */
static int
first_rates(struct pg *pg, struct err *e)
{
	for (int i = 0; i < THROTTLE_COUNT; i++)
		if (throttle_init(pg, (enum throttle_resource)i, config_get(rate_settings[i]), e) != 0)
			return err_prefix(e, "%s", rate_settings[i]);
	return 0;
}

static int
check_migrated(const struct site *site, struct pg *pg, struct err *e)
{
	int pending = ledger_pending_migrations(pg, e);

	if (pending > 0 && site->private_database) {
		pending = ledger_migrate(pg, e) < 0 ? -1 : 0;
	} else if (pending > 0) {
		err_set(e, ERR_CONFIG, "the database is not migrated (%d to do); hint: csvp-admin migrate", pending);
		pending = -1;
	}
	return pending == 0 && first_rates(pg, e) == 0 ? ledger_worker(pg, e) : -1;
}

/* The first session; the search index is made ready while the server makes that, if it is to be. */
static int
connect_first(const struct site *site, bool searching, struct err *e)
{
	struct pg *pg = pg_open_begin(site->conninfo, e);
	struct search *search = pg != NULL && searching ? site_search(site, e) : NULL;

	if (pg != NULL && (search != NULL || !searching) && pg_open_finish(pg, e) == 0 &&
	    check_migrated(site, pg, e) == 0) {
		if (searching)
			site_release_search(site, search);
		site_release(site, pg);
		return 0;
	}
	search_close(search);
	pg_close(pg);
	return -1;
}

static struct site *
open_migrated(bool searching, struct err *e)
{
	struct site *site = site_open_unmigrated(e);

	if (site != NULL && connect_first(site, searching, e) != 0) {
		site_close(site);
		return NULL;
	}
	return site;
}

struct site *
site_open(struct err *e)
{
	return open_migrated(false, e);
}

struct site *
site_open_to_search(struct err *e)
{
	return open_migrated(true, e);
}

void
site_close(struct site *site)
{
	if (site == NULL)
		return;
	pool_free(site->caches);
	pool_free(site->queues);
	pool_free(site->searches);
	pool_free(site->sessions);
	free(site->home);
	free(site->conninfo);
	free(site->store_url);
	free(site->search_url);
	free(site->queue_url);
	free(site);
}

bool
site_revive(const struct site *site)
{
	struct buf conninfo = {0};
	struct err e;
	bool up = false;

	if (site->private_database && private_died(site->home)) {
		up = private_up(site->home, site->autostart, &conninfo, &e) == 0;
		if (!up)
			log_detail("%s", e.message);
	}
	buf_fini(&conninfo);
	return up;
}

struct pg *
site_open_session(const struct site *site, struct err *e)
{
	struct pg *pg = pg_open(site->conninfo, e);

	return pg == NULL && e->code == ERR_AGAIN && site_revive(site) ? pg_open(site->conninfo, e) : pg;
}

struct pg *
site_connect(const struct site *site, struct err *e)
{
	struct pg *pg;

	/* A server that was started anew has forgotten all of them. */
	while ((pg = pool_take(site->sessions)) != NULL) {
		if (pg_rested(pg))
			return pg;
		pg_close(pg);
	}
	pg = site_open_session(site, e);
	if (pg != NULL && ledger_worker(pg, e) != 0) {
		pg_close(pg);
		return NULL;
	}
	return pg;
}

void
site_release(const struct site *site, struct pg *pg)
{
	struct err e;
	bool rested;

	if (pg == NULL)
		return;
	/* Also after a signal. */
	pg_shield(pg, true);
	pg_rollback(pg);
	/* Whether the server is still there is asked when it is taken again. */
	rested = !pg_lost(pg) && !pg_in_transaction(pg) && pg_patience(pg, 0, &e) == 0;
	pg_shield(pg, false);
	if (rested)
		pool_give(site->sessions, pg);
	else
		pg_close(pg);
}

struct search *
site_search(const struct site *site, struct err *e)
{
	struct search *search = pool_take(site->searches);

	if (search != NULL)
		return search;
	return search_open(&(struct search_options){.url = site->search_url, .conninfo = site->conninfo}, e);
}

void
site_release_search(const struct site *site, struct search *search)
{
	pool_give(site->searches, search);
}

const char *
site_conninfo(const struct site *site)
{
	return site->conninfo;
}

const char *
site_store_url(const struct site *site)
{
	return site->store_url;
}

const char *
site_schema(const struct site *site)
{
	return site->schema;
}

static struct queue_options
queue_options_of(const struct site *site, struct aws *aws)
{
	static const char *const endpoints[] = {"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL", NULL};

	*aws = site_aws(endpoints);
	return (struct queue_options){
	    .url = site->queue_url,
	    .conninfo = site->conninfo,
	    .aws = aws,
	    .visibility = site->visibility,
	};
}

struct queue *
site_queue(const struct site *site, struct err *e)
{
	struct aws aws;
	const struct queue_options options = queue_options_of(site, &aws);
	struct queue *queue = pool_take(site->queues);

	return queue != NULL ? queue : queue_open(&options, e);
}

void
site_release_queue(const struct site *site, struct queue *queue)
{
	pool_give(site->queues, queue);
}

struct cache *
site_cache(const struct site *site, struct err *e)
{
	struct cache *cache = pool_take(site->caches);

	return cache != NULL ? cache : cache_open(&(struct cache_options){.url = site->cache_url}, e);
}

void
site_release_cache(const struct site *site, struct cache *cache)
{
	pool_give(site->caches, cache);
}

int
site_check_urls(const struct site *site, struct err *e)
{
	struct aws aws;
	const struct queue_options queue = queue_options_of(site, &aws);
	/* Its drivers connect when they are asked something. */
	struct search *search = search_open(&(struct search_options){.url = site->search_url, .conninfo = ""}, e);

	search_close(search);
	return search != NULL && queue_check(&queue, e) == 0 ? 0 : -1;
}

const char *
site_search_url(const struct site *site)
{
	return site->search_url;
}

int64_t
site_visibility(const struct site *site)
{
	return site->visibility;
}
