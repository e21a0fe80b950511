#ifndef DB_CONNINFO_H
#define DB_CONNINFO_H

struct buf;
struct err;

/*
 * For a program that is to connect to the same database, and whose arguments
 * everybody on the machine can read: set libpq's environment (PGHOST,
 * PGPASSWORD, ...) from a URL or conninfo, and append to *rest, as a conninfo,
 * the parameters that libpq takes no variable for (keepalives, ...). 78 for a
 * malformed conninfo and for a secret that has no variable (sslpassword).
 */
int conninfo_export(const char *conninfo, struct buf *rest, struct err *e) __attribute__((warn_unused_result));

#endif
