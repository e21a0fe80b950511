#ifndef API_METRICS_H
#define API_METRICS_H

#include "base/err.h"

struct call;

/* Handler: see route.h. */
int api_metrics(struct call *c, struct err *e);

#endif
