#ifndef SEARCH_PGWORDS_H
#define SEARCH_PGWORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf;
struct pg;
struct pg_rows;
struct query;
struct search_index;

/*
 * The words of a dataset's documents, so that a mistyped one finds its
 * neighbours: the table csvp.word_<dataset>, a row for each word that
 * spelling_edits() might lead to, with its spellings (spelling.h) under an
 * index. A word stays when its last document goes. Trigrams would need an
 * extension, and do not find all: `teh` has one of seven in common with `the`.
 */

/* Append the name; the statements that make the table, and its index. */
void pgwords_table(struct buf *sql, const struct search_index *index);
void pgwords_create(struct buf *sql, const struct search_index *index);

/* Append a SELECT of the words that are missing in the table, of a relation whose column `_body` holds tsvectors. */
void pgwords_missing(struct buf *sql, const struct search_index *index, const char *relation);

/* Put such words into the table: a column of `rows`, where NULL is none. In the transaction that writes the bodies. */
int pgwords_add(struct pg *pg, const struct search_index *index, const struct pg_rows *rows, size_t column,
    struct err *e) MUST_CHECK;

/*
 * For each term of the query that is a mistyped word (query.h says when), put into near[term] what it stands for: the
 * word and those near to it, apart by blanks, to be freed by the caller; others are left alone. A word of the table is
 * taken as well typed, unless `doubt`: then the documents are asked.
 */
int pgwords_near(struct pg *pg, const struct search_index *index, const struct query *query, bool doubt, char **near,
    struct err *e) MUST_CHECK;

#endif
