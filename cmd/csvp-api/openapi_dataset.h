#ifndef API_OPENAPI_DATASET_H
#define API_OPENAPI_DATASET_H

#include "base/err.h"

struct cJSON;
struct site;

/*
 * Add to the document what belongs to single datasets: the schema of its
 * records, with one of them as an example, and its search with a parameter for
 * each column.
 */
int openapi_dataset_all(const struct site *site, struct cJSON *document, struct err *e) MUST_CHECK;

#endif
