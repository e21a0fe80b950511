#ifndef API_DATASETS_H
#define API_DATASETS_H

#include "base/err.h"

struct call;

/* Handlers: see route.h. */
int api_datasets_list(struct call *c, struct err *e);
int api_datasets_create(struct call *c, struct err *e);
int api_datasets_show(struct call *c, struct err *e);
int api_datasets_drop(struct call *c, struct err *e);
int api_datasets_verify(struct call *c, struct err *e);

#endif
