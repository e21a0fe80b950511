#ifndef API_THROTTLE_H
#define API_THROTTLE_H

#include "base/err.h"

struct call;

/* Handlers: see route.h. */
int api_throttle_show(struct call *c, struct err *e);
int api_throttle_set(struct call *c, struct err *e);

#endif
