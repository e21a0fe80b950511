#ifndef LEDGER_RATE_H
#define LEDGER_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* So much a second: of records, or of their bytes. */
struct rate {
	uint64_t limit; /* 0: unlimited */
	bool bytes;
};

#define RATE_TEXT 32 /* bytes of the longest text of a rate */

/*
 * Parse "5000/s" (records), "2MB/s" (bytes: B, kB, MB, GB, TB or KiB, MiB, ...,
 * powers of 1024 both) or "unlimited": whole numbers from 1. Else 64, quoting the text.
 */
int rate_parse(const char *text, struct rate *out, struct err *e) __attribute__((warn_unused_result));

/* The same as text, in the largest unit that is exact. */
void rate_print(const struct rate *rate, char text[RATE_TEXT]);

#endif
