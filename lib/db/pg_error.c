#include "db/pg_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"

/* The first row whose prefix fits decides, so exceptions stand before their class. */
static const struct {
	const char *prefix;
	enum err_code code;
} classes[] = {
    {"53100", ERR_IO},         /* disk full */
    {"53", ERR_AGAIN},         /* out of memory, too many connections */
    {"08", ERR_AGAIN},         /* connection */
    {"40", ERR_AGAIN},         /* serialization failure, deadlock */
    {"55P03", ERR_AGAIN},      /* lock_timeout, NOWAIT */
    {"55006", ERR_AGAIN},      /* object in use */
    {"57", ERR_AGAIN},         /* statement_timeout, shutdown, starting up */
    {"28", ERR_PERMISSION},    /* authentication */
    {"42501", ERR_PERMISSION}, /* privilege */
    {"3D000", ERR_CONFIG},     /* no such database */
    {"25006", ERR_CONFIG},     /* read-only: a standby */
    {"22", ERR_DATA},          /* a value */
    {"23", ERR_DATA},          /* a constraint */
    {"P0001", ERR_DATA},       /* RAISE in somebody's trigger */
    {"54000", ERR_DATA},       /* a row too big for an index */
    {"0A000", ERR_DATA},       /* what a table as somebody has made it does not allow: a view on a column */
    {"2BP01", ERR_DATA},       /* what somebody has made depends on it */
    {"58", ERR_IO},            /* a system call failed in the server */
    {"XX001", ERR_IO},         /* corrupted data */
    {"XX002", ERR_IO},         /* corrupted index */
};

static enum err_code
code_of(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (strncmp(sqlstate, classes[i].prefix, strlen(classes[i].prefix)) == 0)
			return classes[i].code;
	return ERR_BUG;
}

void
pg_error_line(struct buf *line, const char *text)
{
	const char *scheme = strstr(text, "//");
	const char *at = scheme != NULL ? strchr(scheme, '@') : NULL;
	const char *colon = at != NULL ? memchr(scheme, ':', (size_t)(at - scheme)) : NULL;
	bool blank = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (colon != NULL && p > colon && p < at)
			continue;
		if (p == at && colon != NULL)
			buf_string(line, "***");
		if (isspace((unsigned char)*p)) {
			blank = line->length > 0;
			continue;
		}
		if (blank)
			buf_byte(line, ' ');
		blank = false;
		buf_byte(line, *p);
	}
}

int
pg_error_cancelled(struct pg *pg, struct err *e)
{
	if (!pg->shielded && sig_check(e) != 0)
		return -1;
	return err_set(e, ERR_AGAIN, "the database did not answer in time");
}

int
pg_error_connection(struct pg *pg, struct err *e)
{
	struct buf line = {0};

	pg->lost = true;
	if (pg->cancelled)
		return pg_error_cancelled(pg, e);
	pg_error_line(&line, PQerrorMessage(pg->conn));
	err_set(e, ERR_AGAIN, "the connection to the database is lost: %s",
	    line.length > 0 ? line.bytes : "no reason given");
	buf_fini(&line);
	return -1;
}

int
pg_error_result(struct pg *pg, const PGresult *result, struct err *e)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	struct buf line = {0};
	struct buf clean = {0};

	if (PQstatus(pg->conn) == CONNECTION_BAD)
		pg->lost = true;
	if (sqlstate == NULL || primary == NULL)
		return pg_error_connection(pg, e);
	memcpy(pg->sqlstate, sqlstate, strnlen(sqlstate, sizeof pg->sqlstate - 1));
	/* Our own cancel: what the caller needs to know is why we cancelled. */
	if (pg->cancelled && strcmp(sqlstate, "57014") == 0)
		return pg_error_cancelled(pg, e);
	buf_printf(&line, "postgresql: %s", primary);
	if (detail != NULL)
		buf_printf(&line, " (%s)", detail);
	/* Of a COPY it names line and column; of a function it is a page of SQL. */
	if (context != NULL && strncmp(context, "COPY ", 5) == 0)
		buf_printf(&line, " (%.*s)", (int)strcspn(context, "\n"), context);
	if (code_of(sqlstate) == ERR_BUG)
		buf_printf(&line, " [%s]", sqlstate);
	if (hint != NULL)
		buf_printf(&line, "; hint: %s", hint);
	pg_error_line(&clean, line.bytes);
	err_set(e, code_of(sqlstate), "%s", clean.bytes);
	buf_fini(&line);
	buf_fini(&clean);
	return -1;
}

/*
 * libpq gives no result for a refused connection. In verbose mode its text
 * reads "...: FATAL:  3D000: database "x" does not exist": cut the state out.
 */
static void
take_sqlstate(struct pg *pg, char *message)
{
	char *location = strstr(message, "\nLOCATION:");

	if (location != NULL)
		*location = '\0';
	for (char *p = strstr(message, ":  "); p != NULL; p = strstr(p + 1, ":  ")) {
		if (strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 || p[8] != ':')
			continue;
		memcpy(pg->sqlstate, p + 3, 5);
		memmove(p + 2, p + 10, strlen(p + 10) + 1);
		return;
	}
}

int
pg_error_connect(struct pg *pg, struct err *e)
{
	static const struct {
		const char *text;
		enum err_code code;
	} local[] = {
	    {"Name or service not known", ERR_CONFIG},
	    {"Permission denied", ERR_PERMISSION},
	    {"no password supplied", ERR_PERMISSION},
	    {"server does not support SSL", ERR_CONFIG},
	    {"certificate", ERR_CONFIG},
	};
	char *message = buf_strdup(PQerrorMessage(pg->conn));
	bool tried = strstr(message, "connection to server") != NULL || strstr(message, "translate host name") != NULL;
	/* Without an attempt to connect it can only be an option that makes no sense (port=x). */
	enum err_code code = tried ? ERR_AGAIN : ERR_CONFIG;
	struct buf line = {0};

	take_sqlstate(pg, message);
	if (pg->sqlstate[0] != '\0')
		code = code_of(pg->sqlstate);
	else
		for (size_t i = 0; i < sizeof local / sizeof *local; i++)
			if (strstr(message, local[i].text) != NULL)
				code = local[i].code;
	pg_error_line(&line, message);
	err_set(e, code, "cannot connect to the database: %s", line.length > 0 ? line.bytes : "no reason given");
	buf_fini(&line);
	free(message);
	return -1;
}
