#ifndef API_JOBS_H
#define API_JOBS_H

#include <stdint.h>

#include "base/err.h"

struct call;

/* Answer with this job as it is now, and this status. */
int api_jobs_answer(struct call *c, int status, int64_t id, struct err *e) MUST_CHECK;

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
