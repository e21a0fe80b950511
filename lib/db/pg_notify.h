#ifndef DB_PG_NOTIFY_H
#define DB_PG_NOTIFY_H

#include <stdint.h>

struct err;
struct pg;

/*
 * Wait for a notification (NOTIFY on a channel that this session LISTENs to)
 * with this payload, at most so long: 1 one has come, maybe before the call;
 * 0 none; -1: 130/143 a signal, 75 the connection is lost. Others that come
 * meanwhile are forgotten. Outside a transaction.
 */
int pg_notify_wait(struct pg *pg, const char *payload, int64_t milliseconds, struct err *e)
    __attribute__((warn_unused_result));

#endif
