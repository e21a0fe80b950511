#ifndef DB_PG_PREPARED_H
#define DB_PG_PREPARED_H

#include <stddef.h>

struct err;
struct pg;
struct pg_rows;

/*
 * As pg_query: part of db/pg.h, which is what to include. For the few statements that a session asks again and again,
 * and whose best plan is the same whatever the parameters are: the server parses and plans each once. `sql` is known by
 * its address, and stays there.
 */
int pg_prepared(struct pg *pg, struct pg_rows **rows, struct err *e, const char *sql, size_t count,
    const char *const *params) __attribute__((warn_unused_result));

#endif
