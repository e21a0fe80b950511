#ifndef FLOW_DOCTOR_INTERNAL_H
#define FLOW_DOCTOR_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/doctor.h"

struct pg;
struct pg_rows;
struct site;

/* An examination under way. */
struct doctor {
	void (*each)(void *ctx, const struct doctor_finding *finding);
	void *ctx;
	const char *service; /* whose turn it is */
	enum err_code worst;
	const struct site *site;
	struct pg *pg; /* a session; NULL: the database is not there */
	bool migrated; /* the tables of csvp are there */
	bool hasty;    /* somebody waits for the answer */
};

/* Say what was found. `code` counts with DOCTOR_FAIL only; `hint` may be NULL. */
void doctor_say(struct doctor *d, enum doctor_grade grade, enum err_code code, const char *hint, const char *format,
    ...) ERR_PRINTF(5, 6);

/* A call has failed: that is a finding, told by its error, whose own hint is used if it has one. */
void doctor_say_error(struct doctor *d, const char *hint, const struct err *why);

/*
 * The checks, one or more a service (doctor.c has the table): each says what
 * it finds, with at least one line if all is well. A check of a service whose
 * session is missing says nothing.
 */
typedef void doctor_check(struct doctor *d);
doctor_check doctor_home;
doctor_check doctor_database;
doctor_check doctor_database_settings;
doctor_check doctor_database_sessions;
doctor_check doctor_store;
doctor_check doctor_queue;
doctor_check doctor_search;
doctor_check doctor_cache;
doctor_check doctor_work;

#endif
