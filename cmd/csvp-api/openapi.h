#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/err.h"

struct call;

/* Handler: see route.h. The document of all routes, OpenAPI 3.1. */
int api_openapi(struct call *c, struct err *e);

#endif
