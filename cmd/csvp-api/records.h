#ifndef API_RECORDS_H
#define API_RECORDS_H

#include "base/err.h"

struct call;

/* /api/datasets/{dataset}/records: single records (flow/records.h), their version as ETag. */
int api_records_create(struct call *c, struct err *e);
int api_records_read(struct call *c, struct err *e);
int api_records_replace(struct call *c, struct err *e);
int api_records_patch(struct call *c, struct err *e);
int api_records_delete(struct call *c, struct err *e);

#endif
