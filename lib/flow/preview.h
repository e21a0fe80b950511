#ifndef FLOW_PREVIEW_H
#define FLOW_PREVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/reject.h"
#include "schema/shape.h"

struct err;
struct site;
struct upload;

/* What a file would become. */
struct preview {
	bool is_new; /* its dataset */
	bool unique_keys;
	uint64_t records, blank_lines;
	uint64_t rejected;
	uint64_t bytes;             /* of text, inflated and in UTF-8 */
	struct reject_list rejects; /* the first PREVIEW_REJECTS of them */
	struct shape shape;
};
#define PREVIEW_REJECTS 10

/*
 * Read a file as upload and split would, count what load would reject, and store nothing. Errors as theirs. What only the
 * server refuses is not known before it is tried.
 */
int preview_file(const struct site *site, const struct upload *u, struct preview *p, struct err *e)
    __attribute__((warn_unused_result));
void preview_fini(struct preview *p);

#endif
