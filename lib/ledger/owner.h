#ifndef LEDGER_OWNER_H
#define LEDGER_OWNER_H

struct err;
struct pg;

/*
 * Whose are the objects in the store? Their keys hold the name of a site
 * (csvp.site.id), which a copy of its database has, too: one restored from a
 * dump or to an earlier time, a standby that was promoted, a cluster that was
 * upgraded. What one of them no longer refers to, the other may. So the site
 * also keeps which database may remove objects: system identifier, database
 * and timeline. Only a cold copy of all the server's files looks the same.
 */

/* Is it this database? 1, 0 or -1. */
int owner_here(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

/* The same, where it must be: 0, or -1 with 78, saying what that means. */
int owner_check(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

/* From now on it is this one. */
int owner_adopt(struct pg *pg, struct err *e) __attribute__((warn_unused_result));

#endif
