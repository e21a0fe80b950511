#ifndef FLOW_UPLOAD_OPTIONS_H
#define FLOW_UPLOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "csv/dialect.h"

struct err;
struct reading;

/* The options of csvp-upload, which csvp-run takes too and hands on: one table for both. */
struct upload_settings {
	const char *dataset, *encoding, *max_rejects, *missing;
	struct option_list keys, types, nulls, nulls_in;
	bool existing, no_header, pad, truncate, add_columns, fail_fast, force;
	uint64_t skip_lines, max_record;
	struct dialect dialect;
};

#define UPLOAD_OPTIONS_COUNT 21

/* Set the defaults, and write the rows that fill `s` to options[0..UPLOAD_OPTIONS_COUNT-1]. */
void upload_options_init(struct upload_settings *s, struct option *options);

/* Check what was given against the number of files, and fill `r`, which reading_init made. 64. */
int upload_options_check(const struct upload_settings *s, char *const *files, size_t count, struct reading *r,
    struct err *e) __attribute__((warn_unused_result));

/* Can the ledger keep this name of a file? 65 if it is not UTF-8. */
int upload_check_name(const char *path, struct err *e) __attribute__((warn_unused_result));

#endif
