#ifndef FLOW_VERDICT_H
#define FLOW_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct site;

/*
 * What the end of a load or index stage still has to tell of the jobs it saw
 * (DESIGN 2): 75 for one that is not split, and for index for one with a chunk
 * pending that nobody holds; its verdict once nothing is pending. Each comes
 * with a message, but rejects are told once in a pipeline: by load. For
 * stage_plan's `conclude`.
 */
int verdict_after_load(const struct site *site, const long long *jobs, size_t count, bool piped, struct err *e)
    __attribute__((warn_unused_result));
int verdict_after_index(const struct site *site, const long long *jobs, size_t count, bool piped, struct err *e)
    __attribute__((warn_unused_result));

#endif
