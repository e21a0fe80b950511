#ifndef DB_PG_COPY_H
#define DB_PG_COPY_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/* COPY, in PostgreSQL's text format: part of db/pg.h, which is what to include. */

/*
 * COPY ... FROM STDIN. After a failed put or end the transaction (or savepoint)
 * is aborted and COPY is over. A refusal by the server may show only at the end.
 */
int pg_copy_begin(struct pg *pg, const char *sql, struct err *e) __attribute__((warn_unused_result));
int pg_copy_put(struct pg *pg, const char *bytes, size_t length, struct err *e) __attribute__((warn_unused_result));
int pg_copy_end(struct pg *pg, struct err *e) __attribute__((warn_unused_result));
/* Rows that the last COPY FROM which ended well has written: a trigger may have left some out. */
uint64_t pg_copied(const struct pg *pg);
void pg_copy_abort(struct pg *pg); /* end an unfinished COPY without its rows */

/* COPY ... TO STDOUT: `each` gets one row's text a call (with its newline); -1 from it ends the copy. */
int pg_copy_out(struct pg *pg, const char *sql, int (*each)(void *ctx, const char *row, size_t length, struct err *e),
    void *ctx, struct err *e) __attribute__((warn_unused_result));

#endif
