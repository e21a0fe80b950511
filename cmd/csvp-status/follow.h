#ifndef STATUS_FOLLOW_H
#define STATUS_FOLLOW_H

#include <stdint.h>

#include "base/err.h"

struct pg;
struct view_wish;

/*
 * Wait until the jobs named are at their end, at most `timeout` milliseconds
 * (0: for ever; else 75). *code gets the worst of their verdicts.
 */
int follow_wait(
    struct pg *pg, const struct view_wish *wish, int64_t timeout, enum err_code *code, struct err *e) MUST_CHECK;

/*
 * Show the view as it changes: on a terminal drawn over itself, and left
 * standing at the end; else what has changed, as a new block or as the JSON
 * objects that are new. Ends with the jobs named, after `timeout`, or by a signal.
 */
int follow_watch(
    struct pg *pg, const struct view_wish *wish, int64_t timeout, enum err_code *code, struct err *e) MUST_CHECK;

/* Show it once. */
int follow_once(struct pg *pg, const struct view_wish *wish, struct err *e) MUST_CHECK;

#endif
