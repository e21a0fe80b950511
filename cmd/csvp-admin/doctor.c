#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

#include "admin.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/options.h"
#include "flow/doctor.h"

static void
print_json(const struct doctor_finding *f)
{
	cJSON *object = cJSON_CreateObject();
	struct err e;

	cJSON_AddStringToObject(object, "grade", doctor_grade_name(f->grade));
	cJSON_AddStringToObject(object, "service", f->service);
	cJSON_AddStringToObject(object, "what", f->what);
	if (f->hint != NULL)
		cJSON_AddStringToObject(object, "hint", f->hint);
	else
		cJSON_AddNullToObject(object, "hint");
	if (admin_print_json(object, &e) != 0)
		log_error("%s", e.message);
}

static void
print_finding(void *ctx, const struct doctor_finding *f)
{
	if (*(const bool *)ctx)
		print_json(f);
	else if (f->grade > DOCTOR_OK || log_level() != LOG_QUIET)
		printf("%-4s %s: %s%s%s\n", doctor_grade_name(f->grade), f->service, f->what,
		    f->hint != NULL ? "; hint: " : "", f->hint != NULL ? f->hint : "");
	/* Some checks take their time. */
	fflush(stdout);
}

static int
examine(void *ctx, struct err *e)
{
	*e = (struct err){.code = doctor_examine(print_finding, ctx)};
	return e->code == ERR_NONE ? 0 : -1;
}

int
admin_doctor(int argc, char **argv)
{
	bool json = false;
	const struct option table[] = {
	    {"json", '\0', NULL, OPTION_FLAG, &json, "one JSON object a line: grade, service, what, hint"},
	    {.name = NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_QUEUE_URL",
	    "CSVP_SEARCH_URL", "CSVP_CACHE_URL", "CSVP_HOME", "CSVP_SCHEMA", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-admin doctor", "[--json]",
	    "Ask every service of the configuration what stands in the way of csvp, or will: one line a finding, ok, "
	    "warn "
	    "or FAIL, and what to do. Exit 69 or 78 if anything has failed. With -q only what is not ok.",
	    table, environment};

	return admin_plain(&program, argc, argv, examine, &json);
}
