#ifndef SEARCH_QUERY_H
#define SEARCH_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct shape;

/* What a person asks of an index, checked against the columns. Errors of all here: 64, quoting what is wrong. */

enum query_operator {
	QUERY_EQUAL,
	QUERY_NOT_EQUAL, /* a value is there, and it is another one */
	QUERY_LESS,
	QUERY_LESS_EQUAL,
	QUERY_GREATER,
	QUERY_GREATER_EQUAL,
	QUERY_NULL /* no value */
};

/* A condition on one column. Text is compared byte by byte (C collation). */
struct query_filter {
	size_t column; /* of the shape */
	enum query_operator operator;
	char *value; /* valid for the column's type; NULL for QUERY_NULL */
};

/*
 * A word is a run of letters and digits, matched whatever its case; `foo-bar` is two words side by side.
 *
 * A QUERY_WORDS that is one word, and that no document has, is taken for mistyped: it stands for the words nearest to
 * it: one edit away (a letter inserted, left out or replaced, or two neighbours swapped) from a word of 3 to 5 letters,
 * one from a longer one, or two if there is none at one. A word with a digit, a phrase and a prefix are never mistyped.
 * An engine may leave it at the first 100 that are near, and may leave out those of more than 64 letters and those with
 * a digit. What a word stands for is found out for the first page, and stays for all pages.
 */
enum query_kind {
	QUERY_WORDS,  /* these words side by side */
	QUERY_PHRASE, /* the same, just as they are */
	QUERY_PREFIX  /* the same, and the last may go on */
};

/* A part of the text searched for, in any text column. One without letters and digits is passed over. */
struct query_term {
	enum query_kind kind;
	char *text;
};

#define QUERY_ALL UINT64_MAX
#define QUERY_MOST_FACETS 10
struct query {
	struct query_term *terms; /* all must match. No terms: every document; only terms without words: none */
	size_t term_count;
	struct query_filter *filters; /* all must hold */
	size_t filter_count;
	ssize_t sort;    /* column, records without a value last, ties by key; -1: by relevance or by key */
	bool descending; /* of the sort column; ties stay ascending */
	uint64_t limit;  /* hits at most; QUERY_ALL: no limit */
	bool total;      /* count all that match */
	char *cursor;    /* begin where this page ended (search_page.next); NULL: at the beginning */
	size_t *facets;  /* columns whose values are counted over all that match (facet.h) */
	size_t facet_count;
	char *marks[2]; /* what goes before and behind each word found, in search_hit.marked; NULL: nothing is marked */
};

/* Everything, by key, without limit. */
void query_init(struct query *q);
void query_fini(struct query *q);

/*
 * Add the terms of a text as a person types it: words apart by blanks, a "quoted phrase", a prefix*. A quote without its
 * partner is a blank; empty quotes and a * alone add no term. Fails only on text that is not UTF-8.
 */
int query_text(struct query *q, const char *text, struct err *e) MUST_CHECK;

/*
 * Add a filter: `COL=V`, or != < <= > >=, or `COL is null`. The leftmost operator counts; COL is a header or a column's
 * name. `COL=V` takes V as it is; if there are blanks before the operator, those after it are no part of V either
 * (`COL = V`). V must be valid for the column's type, but a date will do for a timestamp (its midnight), and a time
 * without offset is UTC.
 */
int query_where(struct query *q, const struct shape *shape, const char *expression, struct err *e) MUST_CHECK;

/* The same of a column and a value that are known apart: any name and any value will do. */
int query_filter(struct query *q, const struct shape *shape, const char *column, enum query_operator operator,
    const char * value, struct err *e) MUST_CHECK;

/* Set the sort: `COL`, `COL:asc` or `COL:desc`. */
int query_sort(struct query *q, const struct shape *shape, const char *text, struct err *e) MUST_CHECK;

/* Add a facet: a column, at most QUERY_MOST_FACETS different ones. */
int query_facet(struct query *q, const struct shape *shape, const char *column, struct err *e) MUST_CHECK;
/* Set the marks: `BEGIN,END`, taken as they are; NULL: `[` and `]`. */
int query_highlight(struct query *q, const char *marks, struct err *e) MUST_CHECK;

#endif
