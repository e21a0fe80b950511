/*
 * How fast record boundaries and fields are found, timed inside the process:
 *   scan FILE...          best path, boundaries and fields
 *   scan -p PATH FILE...  avx512, avx2, sse2, swar or exact
 * Prints MB/s of the best of five runs, the bare read(2) of the same file
 * beside it. Compare with `time wc -l FILE`.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "csv/dialect.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "csv/scan.h"

#define RUNS 5

static char sink[256 << 10];

static ssize_t
from_file(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	ssize_t n = read(*(int *)ctx, bytes, capacity);

	if (n < 0)
		err_set(e, ERR_IO, "read failed");
	return n;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum what { WHAT_READ, WHAT_BOUNDS, WHAT_FIELDS };

/* Seconds for one pass over the file; negative if it could not be read. */
static double
pass(const char *file, enum what what, enum scan_path path, uint64_t *records, uint64_t *bytes)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), n = 0;
	struct dialect d = dialect_default();
	struct reader *reader;
	struct record r;
	struct err e;
	double begin = now(), seconds;

	if (fd < 0)
		return -1;
	*records = 0;
	reader = reader_new(&d, 0, 1, from_file, &fd);
	reader_tune(reader, path, 0);
	if (what == WHAT_READ)
		while (read(fd, sink, sizeof sink) > 0)
			;
	else
		while ((n = reader_next(reader, &r, what == WHAT_FIELDS, &e)) > 0)
			++*records;
	*bytes = reader_offset(reader);
	reader_free(reader);
	seconds = now() - begin;
	close(fd);
	if (n < 0)
		fprintf(stderr, "scan: %s: %s\n", file, e.message);
	return n < 0 ? -1 : seconds;
}

static int
report(const char *file, const char *name, enum scan_path path)
{
	static const char *const whats[] = {"read", "bounds", "fields"};
	uint64_t records = 0, bytes = 0;

	for (int what = WHAT_FIELDS; what >= WHAT_READ; what--) {
		double best = -1;
		uint64_t size = bytes;

		for (int i = 0; i < RUNS; i++) {
			double s = pass(file, (enum what)what, path, &records, &bytes);

			if (s < 0)
				return -1;
			if (best < 0 || s < best)
				best = s;
		}
		if (what == WHAT_READ)
			bytes = size;
		printf("%s\t%s\t%s\t%.0f MB/s\t%.1f ms\t%llu records\n", file, name, whats[what],
		    (double)bytes / 1e6 / best, best * 1e3, (unsigned long long)records);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static const char *const paths[] = {"best", "avx512", "avx2", "sse2", "swar", "exact"};
	enum scan_path path = SCAN_BEST;
	int i = 1;

	if (argc > 2 && strcmp(argv[1], "-p") == 0) {
		while (path < SCAN_EXACT && strcmp(argv[2], paths[path]) != 0)
			path++;
		i = 3;
	}
	if (i >= argc || !scan_has(path)) {
		fprintf(stderr, "usage: scan [-p avx512|avx2|sse2|swar|exact] FILE...\n");
		return ERR_USAGE;
	}
	for (; i < argc; i++)
		if (report(argv[i], paths[path], path) < 0)
			return ERR_NOINPUT;
	return 0;
}
