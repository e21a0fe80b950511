#ifndef FLOW_DOCTOR_H
#define FLOW_DOCTOR_H

#include "base/err.h"

/*
 * What stands in the way of csvp, or will: every service of the configuration
 * is asked, one after the other, whatever the one before said. A check changes
 * nothing that lasts; the private PostgreSQL is started if it does not run.
 */
enum doctor_grade { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_finding {
	enum doctor_grade grade;
	const char *service; /* "database", "store", ... */
	const char *what;
	const char *hint; /* what to do; NULL: nothing */
};

/* "ok", "warn", "FAIL". */
const char *doctor_grade_name(enum doctor_grade grade);

/*
 * Examine everything; `each` gets each finding as it is made, its texts valid
 * during the call. ERR_NONE if nothing has failed, else the worst of 69 (a
 * service is not there), 78 (configuration, permissions) and 130/143.
 */
enum err_code doctor_examine(void (*each)(void *ctx, const struct doctor_finding *finding), void *ctx);

/* The same of what must answer before work can be done, in an open site; from any thread. */
struct site;
enum err_code doctor_ready(
    const struct site *site, void (*each)(void *ctx, const struct doctor_finding *finding), void *ctx);

#endif
