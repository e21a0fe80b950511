#ifndef API_SEARCH_H
#define API_SEARCH_H

#include "base/err.h"

struct call;

/* GET /api/datasets/{dataset}/search: as csvp-search, a page at a time. */
int api_search(struct call *c, struct err *e);

#endif
