#ifndef STATUS_PRINT_H
#define STATUS_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/* On stdout: these jobs, or all if count is 0. */
int print_json(struct pg *pg, const int64_t *ids, size_t count, struct err *e) __attribute__((warn_unused_result));

/* A table; for jobs that were named, the balance of each below it. */
int print_table(struct pg *pg, const int64_t *ids, size_t count, struct err *e) __attribute__((warn_unused_result));
int print_chunks(struct pg *pg, const int64_t *ids, size_t count, bool json, struct err *e)
    __attribute__((warn_unused_result));

#endif
