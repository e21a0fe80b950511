#include "flow/doctor.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/sig.h"
#include "cli/config.h"
#include "db/pg.h"
#include "flow/doctor_internal.h"
#include "flow/site.h"

/* In this order: what later ones need comes first. */
static const struct {
	const char *service;
	doctor_check *check;
	bool needed; /* before work can be done: the others are about what will go wrong one day */
} checks[] = {
    {"home", doctor_home, false},
    {"database", doctor_database, true},
    {"database", doctor_database_settings, false},
    {"database", doctor_database_sessions, false},
    {"store", doctor_store, true},
    {"queue", doctor_queue, true},
    {"search", doctor_search, true},
    {"cache", doctor_cache, true},
    {"work", doctor_work, false},
};

const char *
doctor_grade_name(enum doctor_grade grade)
{
	static const char *const names[] = {"ok", "warn", "FAIL"};

	return names[grade];
}

void
doctor_say(struct doctor *d, enum doctor_grade grade, enum err_code code, const char *hint, const char *format, ...)
{
	struct doctor_finding finding = {.grade = grade, .service = d->service, .hint = hint};
	struct buf what = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&what, format, ap);
	va_end(ap);
	finding.what = what.bytes;
	if (grade == DOCTOR_FAIL)
		d->worst = err_worse(d->worst, code);
	d->each(d->ctx, &finding);
	buf_fini(&what);
}

void
doctor_say_error(struct doctor *d, const char *hint, const struct err *why)
{
	static const char mark[] = "; hint: ";
	const char *own = strstr(why->message, mark);
	int length = (int)(own != NULL ? own - why->message : (ptrdiff_t)strlen(why->message));
	bool configuration = why->code == ERR_CONFIG || why->code == ERR_PERMISSION || why->code == ERR_NOINPUT ||
			     why->code == ERR_USAGE;

	/* The signal is told by the exit status. */
	if (sig_pending())
		return;
	doctor_say(d, DOCTOR_FAIL, configuration ? ERR_CONFIG : ERR_UNAVAILABLE,
	    own != NULL ? own + sizeof mark - 1 : hint, "%.*s", length, why->message);
}

static void
run_checks(struct doctor *d, bool all)
{
	for (size_t i = 0; i < sizeof checks / sizeof *checks && !sig_pending(); i++) {
		if (!all && !checks[i].needed)
			continue;
		d->service = checks[i].service;
		checks[i].check(d);
	}
	pg_close(d->pg);
}

enum err_code
doctor_ready(const struct site *site, void (*each)(void *ctx, const struct doctor_finding *finding), void *ctx)
{
	struct doctor d = {.each = each, .ctx = ctx, .site = site, .hasty = true};
	struct err e;

	run_checks(&d, false);
	return sig_check(&e) != 0 ? e.code : d.worst;
}

static void
say_unknown(void *ctx, const char *name, const char *near)
{
	char *hint = near != NULL ? buf_format("did you mean %s", near) : NULL;

	doctor_say(ctx, DOCTOR_WARN, ERR_NONE, hint != NULL ? hint : "csvp-admin config lists the names",
	    "unknown name %s in the environment", name);
	free(hint);
}

enum err_code
doctor_examine(void (*each)(void *ctx, const struct doctor_finding *finding), void *ctx)
{
	struct doctor d = {.each = each, .ctx = ctx};
	struct site *site = NULL;
	struct err e;

	d.service = "configuration";
	if (config_load(&e) != 0) {
		doctor_say_error(&d, NULL, &e);
		return d.worst;
	}
	config_unknown(say_unknown, &d);
	if (site_check_rates(&e) != 0) {
		doctor_say_error(&d, "csvp-admin config", &e);
		return d.worst;
	}
	d.service = "database";
	/* The private database migrates itself, here as with any program. */
	site = site_database_named() ? site_open_unmigrated(&e) : site_open(&e);
	if (site == NULL) {
		doctor_say_error(&d, "csvp-admin config", &e);
		return d.worst;
	}
	d.site = site;
	run_checks(&d, true);
	site_close(site);
	if (sig_check(&e) != 0)
		d.worst = e.code;
	return d.worst;
}
