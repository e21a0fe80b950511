#ifndef TABLE_READING_H
#define TABLE_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "csv/dialect.h"

struct buf;
struct err;

/* A pair given as COL=VALUE on the command line. */
struct reading_pair {
	char *header;
	char *value;
};

/*
 * How a job's file becomes records: every option of csvp-upload that changes
 * what is loaded. Two jobs of the same bytes are "the same" only if these are
 * equal too, so it is stored with the job as JSON in one fixed spelling.
 */
struct reading {
	struct dialect dialect;
	char *encoding; /* NULL: UTF-8 */
	char **nulls;   /* spellings of NULL in every column, besides the unquoted empty field */
	size_t null_count;
	struct reading_pair *nulls_in; /* spellings in one column */
	size_t null_in_count;
	struct reading_pair *types; /* column types by the user's word */
	size_t type_count;
	bool pad;          /* a short record is filled with NULL */
	bool truncate;     /* fields beyond the header are dropped */
	bool add_columns;  /* an unknown column is added to the table */
	bool missing_null; /* a column the file lacks becomes NULL */
};

void reading_init(struct reading *r); /* RFC 4180, UTF-8, nothing forgiven */
void reading_fini(struct reading *r);

/* Add "COL=VALUE" to a list of pairs; 64 naming `option` when there is no `=`. */
int reading_add_pair(struct reading_pair **pairs, size_t *count, const char *option, const char *text, struct err *e)
    __attribute__((warn_unused_result));
void reading_add_null(struct reading *r, const char *spelling);

void reading_to_json(const struct reading *r, struct buf *json);
int reading_from_json(struct reading *r, const char *json, struct err *e) __attribute__((warn_unused_result));

#endif
