#ifndef TABLE_EDIT_H
#define TABLE_EDIT_H

#include <stdint.h>

struct err;
struct pg;
struct target;

/*
 * Edits made outside jobs (a person in psql, the API). Triggers give them a
 * version from the dataset's sequence, leave a tombstone for a deleted key and
 * an entry in csvp.change for the search index; TRUNCATE is refused. Sessions
 * that said ledger_worker() and belong to the role that owns schema csvp pass.
 */

/* With the table: UPDATE, DELETE and TRUNCATE. INSERT has its version by the column's default. */
int edit_install(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/*
 * Enter all rows that no chunk can bring to the search index, as those that it does not have: edits, and rows of jobs that
 * gc has removed. How many, or -1.
 */
int64_t edit_enter(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/* The key has another type: its text, as the triggers write it, has another form. */
int edit_key_type(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

/*
 * When the table becomes ready: INSERT too, and what was inserted so far is
 * entered. Not earlier, since the trigger's test costs a first load time.
 */
int edit_watch_inserts(struct pg *pg, const struct target *t, struct err *e) __attribute__((warn_unused_result));

#endif
