#ifndef API_JOBS_H
#define API_JOBS_H

#include "base/err.h"

struct call;

/* Handlers: see route.h. */
int api_jobs_list(struct call *c, struct err *e);
int api_jobs_show(struct call *c, struct err *e);
int api_jobs_chunks(struct call *c, struct err *e);
int api_jobs_rejects(struct call *c, struct err *e);
int api_jobs_cancel(struct call *c, struct err *e);
int api_jobs_pause(struct call *c, struct err *e);
int api_jobs_resume(struct call *c, struct err *e);
int api_jobs_retry(struct call *c, struct err *e);

#endif
