#ifndef DB_PRIVATE_H
#define DB_PRIVATE_H

#include <stdbool.h>

struct buf;
struct err;

/*
 * The private PostgreSQL of a user who named none: a cluster under
 * HOME/postgres, unix socket only, in a short path; as root it runs as the
 * system user `postgres`. See DESIGN 4, "The embedded default".
 */

/*
 * Append the folder used if CSVP_HOME is not set: as root /var/lib/csvp, else
 * $XDG_DATA_HOME/csvp, else ~/.local/share/csvp (the home is the password
 * file's under cron without HOME). 78 if the user has no home folder.
 */
int private_home_default(struct buf *home, struct err *e) __attribute__((warn_unused_result));

/*
 * Make sure it runs and append its conninfo to *conninfo. It is made by initdb
 * into a temporary folder and renamed, under a lock file, so two programs that
 * start at once are safe; started detached (setsid, no inherited descriptor).
 * With autostart false a server that does not run is 75. Errors: 69 PostgreSQL
 * is not installed (naming the package), 77 home not writable or owned by
 * somebody else, 78 home not a folder, 74 disk full, 75 it did not come up
 * within 60 s (with its log's last words). A notice on stderr says that it was
 * started, where, and how to stop it.
 */
int private_up(const char *home, bool autostart, struct buf *conninfo, struct err *e)
    __attribute__((warn_unused_result));

/* Stop it (fast shutdown, waits); 1 stopped, 0 did not run, -1 error. */
int private_down(const char *home, struct err *e) __attribute__((warn_unused_result));

/* Is there one that runs no more, though private_down has not stopped it? */
bool private_died(const char *home);

/* Does it run and take connections? Appends its conninfo if so. 1, 0 or -1. A tenth of a millisecond. */
int private_running(const char *home, struct buf *conninfo, struct err *e) __attribute__((warn_unused_result));

#endif
