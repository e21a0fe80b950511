#ifndef SEARCH_PGSQL_H
#define SEARCH_PGSQL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The pieces of SQL that the PostgreSQL driver is made of. A dataset's
 * documents are the table csvp.doc_<dataset>: the key columns by their own
 * names and types, the row's `_version`, `_body`, the words of its text
 * columns as a tsvector, and `_numbers`, the values of its bigint columns as
 * an array in the columns' order, so that a condition on them costs no look
 * into the users' table. (No header gives a column such a name.) Hits are
 * joined from the users' table, so they are typed and current. All functions
 * append to `sql`.
 */
struct buf;
struct search_index;

/* csvp.doc_N; the users' table. */
void pgsql_documents(struct buf *sql, const struct search_index *index);
void pgsql_records(struct buf *sql, const struct search_index *index);

/* A part of the key (shape_key_parts): its name, and its SQL type. */
void pgsql_key_name(struct buf *sql, const struct search_index *index, size_t part);
void pgsql_key_type(struct buf *sql, const struct search_index *index, size_t part);
bool pgsql_key_is_text(const struct search_index *index, size_t part);

/* `PREFIX"k1", PREFIX"k2"`: all key columns, each behind the prefix. */
void pgsql_key_names(struct buf *sql, const struct search_index *index, const char *prefix);

/* `a."k1" = b."k1" AND a."k2" = b."k2"`: the same key in two tables. */
void pgsql_same_key(struct buf *sql, const struct search_index *index, const char *a, const char *b);

/*
 * The text expression, only its words left, apart by blanks. PostgreSQL's
 * parser makes one token of a URL, an e-mail address, a path, a hyphenated
 * word, a signed or fractional number, and none of a tag. Without the seven
 * characters it takes these by, every token is a run of letters and digits
 * (600,000 random strings; each of the seven is needed): `rubber` finds `plastic/rubber`. Nested
 * replace() costs a tenth of to_tsvector(); a regular expression doubles it.
 */
void pgsql_words(struct buf *sql, const char *expression);
/* The same of a text that we have, so that the server need not parse it; freed by the caller. */
char *pgsql_words_of(const char *text);

/*
 * A column's value as an expression over documents `d`, if they have it, else over records `t`; of a text with
 * collation "C". Which of both: true, documents.
 */
bool pgsql_column(struct buf *sql, const struct search_index *index, size_t column);

/* The array of a record of table alias t: its bigint columns, NULL for the others. */
void pgsql_numbers(struct buf *sql, const struct search_index *index);

/* The tsvector of a record of table alias t: its text columns, in order. */
void pgsql_body(struct buf *sql, const struct search_index *index);

/* Are all words of this value of the column sure to be in that tsvector? Long values, and too many, are cut. */
bool pgsql_body_holds(const struct search_index *index, size_t column, const char *value);

#endif
