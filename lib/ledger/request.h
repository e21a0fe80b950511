#ifndef LEDGER_REQUEST_H
#define LEDGER_REQUEST_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/*
 * Names that callers give to their uploads, so that one which is sent again,
 * because nobody knows whether it arrived, is the same one (the header
 * Idempotency-Key): table csvp.request, a name for each dataset apart. Inside
 * the transaction of intake_store, under the dataset's row lock, so that of two
 * at once the second finds the first.
 */
enum { REQUEST_LONGEST = 255 };

/*
 * The job that this name stands for, if it has the same bytes and options as
 * `job`, which is on its way: 1 and *known, 0 the name is new; 65 it stands for
 * something else.
 */
int request_find(struct pg *pg, int64_t dataset, const char *name, int64_t job, const char *sha256, int64_t *known,
    struct err *e) __attribute__((warn_unused_result));

/* From now on, and as long as there is this job, it does. */
int request_keep(struct pg *pg, int64_t dataset, const char *name, int64_t job, struct err *e)
    __attribute__((warn_unused_result));

#endif
