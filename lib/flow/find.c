#include "flow/find.h"

#include <stdlib.h>

#include "base/buf.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/dataset.h"
#include "schema/shape.h"

struct find {
	struct dataset dataset;
	struct shape shape;
	struct search *search;
};

static int
read_dataset(struct find *find, struct pg *pg, const char *name, struct err *e)
{
	int found = dataset_find(pg, name, &find->dataset, e);

	if (found == 0)
		return err_set(e, ERR_NOINPUT, "there is no dataset %s; hint: csvp-admin dataset list", name);
	if (found < 0)
		return -1;
	if (find->dataset.state == DATASET_NEW)
		return err_set(e, ERR_NOINPUT,
		    "dataset %s has no columns yet: none of its files is split; hint: csvp-split", name);
	return dataset_shape(pg, &find->dataset, &find->shape, e);
}

struct find *
find_open(const struct site *site, const char *dataset, struct err *e)
{
	struct find *find = buf_calloc(1, sizeof *find);
	struct pg *pg = site_connect(site, e);
	int result = -1;

	if (pg != NULL)
		result = read_dataset(find, pg, dataset, e);
	pg_close(pg);
	if (result == 0 && (find->search = site_search(site, e)) != NULL)
		return find;
	find_close(find);
	return NULL;
}

void
find_close(struct find *find)
{
	if (find == NULL)
		return;
	search_close(find->search);
	shape_fini(&find->shape);
	dataset_fini(&find->dataset);
	free(find);
}

const struct shape *
find_shape(const struct find *find)
{
	return &find->shape;
}

int
find_run(
    struct find *find, const struct query *query, search_each *each, void *ctx, struct search_page *page, struct err *e)
{
	const struct search_index index = {
	    .dataset = find->dataset.id,
	    .schema = find->dataset.table_schema,
	    .table = find->dataset.table_name,
	    .shape = &find->shape,
	};

	return search_query(find->search, &index, query, each, ctx, page, e);
}
