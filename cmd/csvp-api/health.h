#ifndef API_HEALTH_H
#define API_HEALTH_H

#include "base/err.h"

struct call;

/* Handlers: see route.h. Does the process answer; do the services that it needs? */
int api_health_live(struct call *c, struct err *e);
int api_health_ready(struct call *c, struct err *e);

#endif
