#include "stats.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/buf.h"
#include "route.h"

/* Upper bounds in milliseconds; the last one, infinity, is not here. */
static const int64_t bounds[] = {1, 5, 25, 100, 500, 2500, 10000, 60000};
#define BOUNDS (sizeof bounds / sizeof *bounds)

enum { MOST_ROUTES = 64, CLASSES = 6 };

static struct {
	_Atomic uint64_t by_class[CLASSES]; /* status / 100 */
	_Atomic uint64_t within[BOUNDS + 1];
	_Atomic uint64_t milliseconds;
} routes[MOST_ROUTES + 1]; /* the last: no route */

static size_t
index_of(const struct route *route)
{
	for (size_t i = 0; i < route_count() && i < MOST_ROUTES; i++)
		if (route_at(i) == route)
			return i;
	return MOST_ROUTES;
}

static const char *
name_of(size_t i)
{
	return i < route_count() && i < MOST_ROUTES ? route_at(i)->id : "none";
}

void
stats_count(const struct route *route, int status, int64_t milliseconds)
{
	size_t i = index_of(route), bound = 0;

	while (bound < BOUNDS && milliseconds > bounds[bound])
		bound++;
	if (status >= 100 && status < CLASSES * 100)
		atomic_fetch_add_explicit(&routes[i].by_class[status / 100], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&routes[i].within[bound], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&routes[i].milliseconds, (uint64_t)milliseconds, memory_order_relaxed);
}

static void
print_requests(struct buf *out)
{
	buf_string(out, "# HELP csvp_api_requests_total Requests answered by this process.\n"
			"# TYPE csvp_api_requests_total counter\n");
	for (size_t i = 0; i <= MOST_ROUTES; i++)
		for (size_t class = 1; class < CLASSES; class ++)
			if (routes[i].by_class[class] > 0)
				buf_printf(out, "csvp_api_requests_total{route=\"%s\",status=\"%zuxx\"} %" PRIu64 "\n",
				    name_of(i), class, routes[i].by_class[class]);
}

static void
print_seconds(struct buf *out, size_t i)
{
	const char *name = name_of(i);
	uint64_t count = 0;

	for (size_t bound = 0; bound < BOUNDS; bound++) {
		count += routes[i].within[bound];
		buf_printf(out, "csvp_api_request_seconds_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n", name,
		    (double)bounds[bound] / 1000, count);
	}
	count += routes[i].within[BOUNDS];
	buf_printf(out,
	    "csvp_api_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64
	    "\ncsvp_api_request_seconds_sum{route=\"%s\"} %g\ncsvp_api_request_seconds_count{route=\"%s\"} %" PRIu64
	    "\n",
	    name, count, name, (double)routes[i].milliseconds / 1000, name, count);
}

void
stats_print(struct buf *out)
{
	print_requests(out);
	buf_string(out, "# HELP csvp_api_request_seconds How long this process took to answer.\n"
			"# TYPE csvp_api_request_seconds histogram\n");
	for (size_t i = 0; i <= MOST_ROUTES; i++)
		if (routes[i].milliseconds > 0 || routes[i].within[0] > 0)
			print_seconds(out, i);
}
