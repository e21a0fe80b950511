#ifndef API_PAGES_H
#define API_PAGES_H

#include "base/err.h"

struct call;

/* Handlers for browsers: the jobs page and Swagger UI, out of the program itself (embedded.h). */
int api_pages_root(struct call *c, struct err *e);
int api_pages_jobs(struct call *c, struct err *e);
int api_pages_docs(struct call *c, struct err *e);

#endif
