#ifndef FLOW_CATALOGUE_H
#define FLOW_CATALOGUE_H

#include <stdint.h>

#include "base/err.h"

struct cJSON;
struct dataset;
struct pg;
struct shape;

/* A dataset as people see it. Valid during the call it is given to. */
struct catalogue_entry {
	const struct dataset *dataset;
	const struct shape *shape; /* no columns while the dataset is new, or with a problem */
	const char *problem;       /* what a person has done to its table, so that nothing else works; else NULL */
	int64_t jobs;              /* whose files are stored */
	const char *table;         /* schema.table */
	const char *created_at;    /* RFC 3339 in UTC */
};

typedef int catalogue_entry_each(void *ctx, const struct catalogue_entry *entry, struct err *e);

/* The dataset of this name, 66 if there is none; or all of them by name if it is NULL. */
int catalogue_each(struct pg *pg, const char *name, catalogue_entry_each *each, void *ctx, struct err *e) MUST_CHECK;

/* The object that the API gives; freed by cJSON_Delete. */
struct cJSON *catalogue_json(const struct catalogue_entry *entry);

#endif
