#ifndef FLOW_REASONS_H
#define FLOW_REASONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pg;

/*
 * Why a job stands where it stands, in sentences: what failed and what to do
 * next, who stopped it, that nobody works on it, why rows that are equal
 * already are rewritten. None for a job that is done, or under way as it
 * should be. `held`: somebody works on it now (ledger/holder.h).
 */
typedef int reasons_each(void *ctx, const char *sentence, struct err *e);
int reasons_of_job(struct pg *pg, int64_t job, bool held, reasons_each *each, void *ctx, struct err *e) MUST_CHECK;

#endif
