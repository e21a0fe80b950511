#include "db/conninfo.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

static void
append_parameter(struct buf *out, const PQconninfoOption *option)
{
	buf_printf(out, "%s%s='", out->length > 0 ? " " : "", option->keyword);
	for (const char *p = option->val; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\')
			buf_byte(out, '\\');
		buf_byte(out, *p);
	}
	buf_byte(out, '\'');
}

static int
export_option(const PQconninfoOption *option, struct buf *rest, struct err *e)
{
	if (option->envvar != NULL) {
		if (setenv(option->envvar, option->val, 1) != 0)
			return err_errno(e, errno, "cannot set %s", option->envvar);
		return 0;
	}
	/* libpq marks with * what must not be shown. */
	if (strcmp(option->dispchar, "*") == 0)
		return err_set(e, ERR_CONFIG,
		    "the database URL holds %s, which would be seen by everybody who lists processes; hint: run psql "
		    "yourself",
		    option->keyword);
	append_parameter(rest, option);
	return 0;
}

int
conninfo_export(const char *conninfo, struct buf *rest, struct err *e)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	int result = 0;

	/* libpq's own words may quote the password. */
	if (options == NULL)
		return err_set(e, ERR_CONFIG, "not a PostgreSQL URL; hint: postgresql://user@host:5432/database");
	for (const PQconninfoOption *o = options; result == 0 && o->keyword != NULL; o++)
		if (o->val != NULL && o->val[0] != '\0')
			result = export_option(o, rest, e);
	PQconninfoFree(options);
	return result;
}
