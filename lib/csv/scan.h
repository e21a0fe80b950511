#ifndef CSV_SCAN_H
#define CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csv/dialect.h"
#include "csv/exact.h"

/* How bytes are looked at; what is found never depends on it. */
enum scan_path {
	SCAN_BEST,   /* the widest this machine has */
	SCAN_AVX512, /* AVX-512 F and BW */
	SCAN_AVX2,
	SCAN_SSE2,  /* with PCLMULQDQ and POPCNT, as all of these: any x86-64 since 2010 */
	SCAN_SWAR,  /* 8 bytes a step, any machine */
	SCAN_EXACT, /* byte by byte */
};

/*
 * The structural index of a byte stream: for each end of a field or record
 * and each noteworthy byte inside a value its position, ascending. What a
 * position means is said at struct exact_marks; SCAN_INSIDE is set on those
 * inside a value. A plain struct; private to csv.
 */
#define SCAN_INSIDE 0x80000000u
#define SCAN_INDEX 4096u /* entries an index must have room for */

struct scan {
	struct dialect dialect;
	bool fields; /* mark the ends of fields, too, not of records only */
	bool fast;   /* this dialect can go 64 bytes a step */
	enum scan_path path;
	enum exact_state state; /* before the next byte */
};

/* At a record's start. A path that this machine lacks becomes SCAN_BEST. */
void scan_init(struct scan *s, const struct dialect *d, enum scan_path path);

/* Can this machine go this path? */
bool scan_has(enum scan_path path);

/*
 * Index bytes[from, to), from where the last call stopped: fill `index`
 * (SCAN_INDEX entries) and *count; return where it stopped: when the index is
 * full, or less than 65 bytes are left and `end` (no byte will follow) is
 * false: so much has to be seen at once. Positions are relative to `bytes`.
 */
size_t scan_run(struct scan *s, const char *bytes, size_t from, size_t to, bool end, uint32_t *index, size_t *count);

#endif
