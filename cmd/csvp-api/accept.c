#include "accept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What may be given, as it is written in the header of the answer. */
static const char *const known[] = {
    "application/json",
    "application/x-ndjson",
    "application/problem+json",
    "application/merge-patch+json",
    "text/csv; charset=utf-8",
    "text/html; charset=utf-8",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "text/plain; charset=utf-8",
    "text/plain; version=0.0.4; charset=utf-8",
    "application/octet-stream",
    "image/png",
    "image/svg+xml",
};

static const char *
written(const char *type, size_t length)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcspn(known[i], ";") == length && strncmp(known[i], type, length) == 0)
			return known[i];
	return NULL;
}

/* How well does one range of the header fit: 3 the type itself, 2 its major type, 1 anything, 0 not. */
static int
fit(const char *range, size_t length, const char *type, size_t type_length)
{
	size_t major = strcspn(type, "/") + 1;

	if (length == type_length && strncasecmp(range, type, length) == 0)
		return 3;
	if (length == major + 1 && range[major] == '*' && strncasecmp(range, type, major) == 0)
		return 2;
	return length == 3 && strncmp(range, "*/*", 3) == 0;
}

/* The quality behind a range: from 0 to 1, 1 if none is said. */
static double
quality(const char *parameters, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++)
		if (strchr("; \t", parameters[i]) != NULL && strncasecmp(parameters + i + 1, "q=", 2) == 0)
			return strtod(parameters + i + 3, NULL);
	return 1;
}

static double
liking(const char *header, const char *type, size_t length)
{
	double best = 0;
	int closest = 0;

	while (*header != '\0') {
		size_t item = strcspn(header, ","), range;
		size_t blanks = strspn(header, " \t");
		int close;

		if (blanks > item)
			blanks = item;
		range = strcspn(header + blanks, ";, \t");
		close = fit(header + blanks, range, type, length);
		if (close > closest) {
			closest = close;
			best = quality(header + blanks + range, item - blanks - range);
		}
		header += item + (header[item] == ',');
	}
	return best;
}

const char *
accept_choose(const char *header, const char *types)
{
	const char *best = NULL;
	double most = 0;

	while (*types != '\0') {
		size_t length = strcspn(types, " ");
		double like = header == NULL || *header == '\0' ? 1 : liking(header, types, length);

		if (like > most) {
			most = like;
			best = written(types, length);
		}
		types += length + (types[length] == ' ');
	}
	return best;
}
