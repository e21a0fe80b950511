#include "flow/find.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "cache/cache.h"
#include "db/pg.h"
#include "flow/answer.h"
#include "flow/documents.h"
#include "flow/site.h"
#include "ledger/dataset.h"
#include "ledger/index_generation.h"
#include "schema/shape.h"
#include "search/query.h"

struct find {
	struct dataset dataset;
	struct shape shape;
	struct search *search;
	struct cache *cache;
	struct pg *pg; /* for the generations of cached answers; NULL: there is no cache */
	const struct site *site;
	const char *engine; /* the site's */
};

struct find *
find_open(const struct site *site, const char *dataset, struct err *e)
{
	struct find *find = buf_calloc(1, sizeof *find);

	find->site = site;
	find->engine = site_search_url(site);
	find->pg = site_connect(site, e);
	if (find->pg == NULL || dataset_load_shaped(find->pg, dataset, &find->dataset, &find->shape, e) != 0)
		goto fail;
	find->search = site_search(site, e);
	find->cache = find->search != NULL ? site_cache(site, e) : NULL;
	if (find->cache == NULL)
		goto fail;
	if (!cache_awake(find->cache)) {
		site_release(site, find->pg);
		find->pg = NULL;
	}
	return find;

fail:
	find_close(find);
	return NULL;
}

void
find_close(struct find *find)
{
	if (find == NULL)
		return;
	site_release_cache(find->site, find->cache);
	site_release_search(find->site, find->search);
	site_release(find->site, find->pg);
	shape_fini(&find->shape);
	dataset_fini(&find->dataset);
	free(find);
}

const struct shape *
find_shape(const struct find *find)
{
	return &find->shape;
}

/* The caller's callback, and the answer as it grows. */
struct keeping {
	search_each *each;
	void *ctx;
	const struct shape *shape;
	struct buf answer;
};

static int
keep(void *ctx, const struct search_hit *hit, struct err *e)
{
	struct keeping *k = ctx;

	/* No more than the cache would take. */
	if (k->answer.length <= CACHE_LARGEST_VALUE)
		answer_hit(&k->answer, k->shape, hit);
	return k->each(k->ctx, hit, e);
}

static int
ask_and_keep(struct find *find, const struct search_index *index, const struct query *query, const struct buf *key,
    search_each *each, void *ctx, struct search_page *page, struct err *e)
{
	struct keeping k = {.each = each, .ctx = ctx, .shape = &find->shape};
	int result;

	answer_begin(&k.answer, k.shape);
	result = search_query(find->search, index, query, keep, &k, page, e);
	if (result == 0) {
		answer_end(&k.answer, page);
		log_detail("not in the cache%s", cache_put(find->cache, key, &k.answer) ? "; kept" : "");
	}
	buf_fini(&k.answer);
	return result;
}

static int
run_cached(struct find *find, const struct search_index *index, const struct query *query, search_each *each, void *ctx,
    struct search_page *page, struct err *e)
{
	struct index_generation generation;
	struct buf key = {0}, answer = {0};
	int result = index_generation_read(find->pg, find->dataset.id, &generation, e);

	if (result == 0)
		return search_query(find->search, index, query, each, ctx, page, e);
	if (result < 0)
		return -1;
	answer_key(&key, &generation, find->engine, index, query);
	if (cache_get(find->cache, &key, &answer) && answer_valid(&answer, &find->shape)) {
		log_detail("answered from the cache");
		result = answer_give(&answer, &find->shape, each, ctx, page, e);
	} else {
		result = ask_and_keep(find, index, query, &key, each, ctx, page, e);
	}
	buf_fini(&answer);
	buf_fini(&key);
	return result;
}

int
find_run(
    struct find *find, const struct query *query, search_each *each, void *ctx, struct search_page *page, struct err *e)
{
	const struct search_index index = documents_index(&find->dataset, &find->shape);

	/* All of a dataset is no answer to keep. */
	if (find->pg != NULL && query->limit != QUERY_ALL && cache_awake(find->cache))
		return run_cached(find, &index, query, each, ctx, page, e);
	return search_query(find->search, &index, query, each, ctx, page, e);
}
