#ifndef RUN_CREW_H
#define RUN_CREW_H

#include <stdint.h>

#include "base/err.h"

struct site;

/*
 * --workers: keep a worker of each stage alive, until a signal: one that ends
 * is started again, after a pause that grows while it keeps ending. SIGTERM
 * and SIGINT are passed on, and the workers waited for; when this program is
 * killed, they get SIGTERM. SIGUSR1 prints one line of status: the workers,
 * and what is in the queues. `arguments` (ends with NULL) go to every worker.
 * Ends -1 with 130/143, or why it could not begin.
 */
int crew_run(const struct site *site, uint64_t threads, const char *const *arguments, struct err *e) MUST_CHECK;

#endif
