#ifndef API_STATS_H
#define API_STATS_H

#include <stdint.h>

struct buf;
struct route;

/* Requests that this process has answered, by route: from any thread. */

/* `route` NULL: no route was found. */
void stats_count(const struct route *route, int status, int64_t milliseconds);

/* Append them in Prometheus' text format, version 0.0.4. */
void stats_print(struct buf *out);

#endif
