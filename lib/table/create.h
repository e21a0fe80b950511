#ifndef TABLE_CREATE_H
#define TABLE_CREATE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct pg;
struct target;

/*
 * Make the dataset's table, without its key (csvp.dataset is `building`), with
 * the triggers that version and record edits made outside jobs. Inside the
 * caller's transaction. 65 if there is such a table: one that csvp did not
 * make is never adopted or overwritten.
 */
int create_table(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/*
 * Make it ready, inside a transaction that holds the table's exclusive lock:
 * remove rows that a tombstone beats and, of rows with the same key, all but
 * the newest (their offsets in the job's object go to the temporary table
 * pg_temp.superseded, column byte); add the key; record the edits made so far
 * in csvp.change. `unique`: the keys are proven unique, so look only if the
 * key cannot be built.
 */
int create_key(struct pg *pg, const struct target *t, bool unique, struct err *e) __attribute__((warn_unused_result));

/*
 * Both inside a transaction that holds the table's exclusive lock. Add a column that came with a later file; 65 if the
 * table has one of its name, as a person may have added it.
 */
int create_column(struct pg *pg, const struct target *t, size_t column, struct err *e)
    __attribute__((warn_unused_result));

/* Give a column without any value its type. 0 done, 1 it has values by now and stays as it is, -1. */
int create_type(struct pg *pg, const struct target *t, size_t column, struct err *e)
    __attribute__((warn_unused_result));

#endif
