#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <stddef.h>

struct err;
struct pg;

/* One step of the schema's history. Versions count up from 1 without a gap; a step once released never changes. */
struct migration {
	int version;
	const char *name;
	const char *sql; /* one or more statements, run in one transaction with the record of it */
};

/*
 * Bring the database to the last of the `count` migrations: those not yet
 * recorded in csvp.migration(version, name, applied_at) are run in order, each
 * in a transaction of its own, one program at a time (the others wait).
 * Returns how many were run, or -1: 78 if a newer csvp has been here, 77 if the
 * user may not create, else what the failing statement gives, named.
 */
int migrate_run(struct pg *pg, const struct migration *list, size_t count, struct err *e)
    __attribute__((warn_unused_result));

/* How many are still to be run; -1 as above. Changes nothing, and needs no right but to read. */
int migrate_pending(struct pg *pg, const struct migration *list, size_t count, struct err *e)
    __attribute__((warn_unused_result));

#endif
