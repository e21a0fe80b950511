#ifndef TABLE_COPYIN_H
#define TABLE_COPYIN_H

#include <stddef.h>

struct batch;
struct err;
struct pg;

/* COPY the winners of the groups [from, to) by this statement; -1 leaves the transaction aborted. */
int copyin_groups(struct pg *pg, const struct batch *b, size_t from, size_t to, const char *sql, struct err *e)
    __attribute__((warn_unused_result));

#endif
