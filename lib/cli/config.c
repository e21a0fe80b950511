#include "cli/config.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/edits.h"
#include "base/err.h"
#include "cli/nearest.h"

#define SYSTEM_FILE "/etc/csvp/csvp.conf"

static const char *const names[] = {
    "CSVP_DATABASE_URL",
    "CSVP_STORE_URL",
    "CSVP_QUEUE_URL",
    "CSVP_SEARCH_URL",
    "CSVP_CACHE_URL",
    "CSVP_HOME",
    "CSVP_SCHEMA",
    "CSVP_AUTOSTART",
    "CSVP_LOAD_RATE",
    "CSVP_INDEX_RATE",
    "CSVP_VISIBILITY",
    "CSVP_API_HOST",
    "CSVP_API_PORT",
    "CSVP_API_ANONYMOUS",
    "CSVP_API_ORIGIN",
    "CSVP_API_MAX_UPLOAD",
    "CSVP_CONFIG",
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_S3_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    NULL,
};

static const char *const meanings[] = {
    "the PostgreSQL to use, postgresql://...; without one (and without PGHOST and the like) a private one is started",
    "where uploads are kept for ever, file:///dir, s3://bucket/prefix or s3+v2://...; default: a folder under "
    "CSVP_HOME",
    "the message queue, pg: or sqs+http://host:9324/; default pg:, inside the database",
    "the search index; default pg:, inside the database",
    "the cache of search answers, redis://host:port/0; default: none",
    "folder of the private PostgreSQL and the file store; default $XDG_DATA_HOME/csvp, /var/lib/csvp as root",
    "schema of the datasets' tables; default public",
    "no: never start the private PostgreSQL; default yes",
    "at most so many records a second are loaded, at first; default: no limit",
    "at most so many records a second are indexed, at first; default: no limit",
    "how long a queued message stays hidden while it is worked on; default 30s",
    "address the HTTP API is served on; default 127.0.0.1",
    "port the HTTP API is served on; default 8000",
    "what the HTTP API allows without a token, none, read or write; default none",
    "the one other origin whose pages may use the HTTP API, https://host; default: none",
    "the longest body of an upload by the HTTP API, 500M or 2G; default: no limit",
    "file with these settings, NAME=value lines; default ~/.config/csvp/csvp.conf, else " SYSTEM_FILE,
    "PostgreSQL: host or socket folder",
    "PostgreSQL: address of the host",
    "PostgreSQL: port",
    "PostgreSQL: database",
    "PostgreSQL: user",
    "PostgreSQL: password (PGPASSFILE is safer)",
    "PostgreSQL: file of passwords",
    "PostgreSQL: service of the service file",
    "PostgreSQL: the service file",
    "PostgreSQL: how TLS is required",
    "PostgreSQL: file of trusted certificates",
    "object store or queue: access key",
    "object store or queue: secret key",
    "object store or queue: session token",
    "object store or queue: region",
    "object store or queue: endpoint of every service",
    "object store: endpoint",
    "queue: endpoint",
    "object store: endpoint (older spelling)",
    "object store or queue: file of trusted certificates",
    NULL,
};

_Static_assert(sizeof names == sizeof meanings, "every name has its meaning");

/* A setting the file gave and the environment did not. */
struct setting {
	char *name;
	char *value;
	size_t line;
};

static struct {
	char *path;
	struct setting *settings;
	size_t count;
	struct buf origin;
} file;

static void
forget(void)
{
	for (size_t i = 0; i < file.count; i++) {
		free(file.settings[i].name);
		free(file.settings[i].value);
	}
	free(file.settings);
	free(file.path);
	file.settings = NULL;
	file.path = NULL;
	file.count = 0;
}

static struct setting *
find(const char *name)
{
	for (size_t i = 0; i < file.count; i++)
		if (strcmp(file.settings[i].name, name) == 0)
			return &file.settings[i];
	return NULL;
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
foreign(const char *name)
{
	return starts_with(name, "PG") || starts_with(name, "AWS_");
}

/* The known name that a typing mistake would explain, NULL: none. */
static const char *
nearest(const char *name)
{
	const char *near = NULL;

	for (const char *const *known = names; *known != NULL; known++)
		if (nearest_plausible(name, *known) &&
		    (near == NULL || edits_between(name, *known) < edits_between(name, near)))
			near = *known;
	return near;
}

static bool
known_name(const char *name)
{
	for (const char *const *known = names; *known != NULL; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}

/*
 * An EnvironmentFile may hold variables of other programs: they are none of
 * ours. But a setting lost to a typing mistake would silently mean another
 * database, so what looks like one of our names is not passed over.
 */
static int
check_name(const char *name, struct err *e)
{
	const char *near;

	if (strcmp(name, "CSVP_CONFIG") == 0)
		return err_set(e, ERR_CONFIG, "CSVP_CONFIG names the file to read; hint: set it in the environment");
	if (known_name(name) || foreign(name))
		return 1;
	near = nearest(name);
	if (near != NULL)
		return err_set(e, ERR_CONFIG, "unknown name %s; hint: did you mean %s", name, near);
	if (starts_with(name, "CSVP_"))
		return err_set(e, ERR_CONFIG, "unknown name %s; hint: csvp-admin config lists the names", name);
	return 0;
}

static bool
blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

static int
parse_quoted(const char *text, struct buf *value, struct err *e)
{
	char quote = *text++;

	for (; *text != quote; text++) {
		/* In double quotes a backslash protects what a shell would expand, as systemd reads it. */
		if (quote == '"' && *text == '\\' && text[1] != '\0' && strchr("\"\\$`", text[1]) != NULL)
			text++;
		if (*text == '\0')
			return err_set(e, ERR_CONFIG, "the %c quote is not closed on its line", quote);
		buf_byte(value, *text);
	}
	if (!blank(text + 1))
		return err_set(e, ERR_CONFIG, "text after the closing %c quote", quote);
	return 0;
}

static int
parse_value(const char *text, struct buf *value, struct err *e)
{
	text += strspn(text, " \t\r");
	if (*text == '"' || *text == '\'')
		return parse_quoted(text, value, e);
	for (; !blank(text); text++) {
		if (*text == '\\' && blank(++text))
			return err_set(e, ERR_CONFIG, "a line that continues on the next one is not supported");
		buf_byte(value, *text);
	}
	return 0;
}

static void
keep(const char *name, char *value, size_t line)
{
	struct setting *s = find(name);

	if (s == NULL) {
		file.settings = buf_realloc(file.settings, file.count + 1, sizeof *file.settings);
		s = &file.settings[file.count++];
		*s = (struct setting){.name = buf_strdup(name)};
	}
	free(s->value);
	s->value = value;
	s->line = line;
}

/* Messages name the place and never the text: a line that cannot be read may still hold a password. */
static int
parse_line(char *line, size_t number, struct err *e)
{
	char *name = line + strspn(line, " \t");
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	struct buf value = {0};
	int known;

	if (blank(name) || *name == '#' || *name == ';')
		return 0;
	if (length == 0 || isdigit((unsigned char)*name) || name[length] != '=')
		return err_set(e, ERR_CONFIG, "not a NAME=value line%s",
		    starts_with(name, "export ") ? "; hint: without export" : "");
	name[length] = '\0';
	if ((known = check_name(name, e)) <= 0)
		return known;
	if (parse_value(name + length + 1, &value, e) != 0) {
		buf_fini(&value);
		return err_prefix(e, "%s", name);
	}
	keep(name, buf_detach(&value), number);
	return 0;
}

static int
read_lines(FILE *stream, struct err *e)
{
	char *line = NULL;
	size_t capacity = 0, number = 0;
	ssize_t length;
	int result = 0;

	while (result == 0 && (length = getline(&line, &capacity, stream)) >= 0) {
		number++;
		if (strlen(line) != (size_t)length)
			result = err_set(e, ERR_CONFIG, "a NUL byte; this is not a text file");
		else
			result = parse_line(line, number, e);
	}
	if (result != 0)
		err_prefix(e, "%s:%zu", file.path, number);
	else if (ferror(stream))
		result = err_set(e, ERR_CONFIG, "cannot read configuration file %s: %s", file.path, strerror(errno));
	free(line);
	return result;
}

/* The person's own file: below $XDG_CONFIG_HOME, else the home folder, cron's missing HOME looked up. NULL: no home. */
static char *
personal_path(void)
{
	const char *base = environment("XDG_CONFIG_HOME"), *home = environment("HOME");
	struct passwd *user;

	if (base != NULL && *base == '/')
		return buf_format("%s/csvp/csvp.conf", base);
	if (home == NULL && (user = getpwuid(geteuid())) != NULL)
		home = user->pw_dir;
	return home != NULL ? buf_format("%s/.config/csvp/csvp.conf", home) : NULL;
}

/* Open the first file there is; 1, or 0 if there is none. file.path names the one tried last. */
static int
open_file(FILE **stream, struct err *e)
{
	const char *named = environment("CSVP_CONFIG");
	char *paths[] = {
	    named != NULL ? buf_strdup(named) : personal_path(), named != NULL ? NULL : buf_strdup(SYSTEM_FILE)};
	int result = 0;

	*stream = NULL;
	for (size_t i = 0; i < 2 && result == 0; i++) {
		if (paths[i] == NULL)
			continue;
		free(file.path);
		file.path = paths[i];
		paths[i] = NULL;
		*stream = fopen(file.path, "re");
		if (*stream != NULL)
			result = 1;
		else if (named != NULL)
			result =
			    err_set(e, ERR_CONFIG, "cannot read configuration file %s: %s; hint: CSVP_CONFIG names it",
				file.path, strerror(errno));
		else if (errno != ENOENT && errno != ENOTDIR)
			result = err_errno(e, errno, "cannot read configuration file %s", file.path);
	}
	free(paths[0]);
	free(paths[1]);
	return result;
}

int
config_load(struct err *e)
{
	FILE *stream;
	int found;

	forget();
	if ((found = open_file(&stream, e)) <= 0)
		return found;
	found = read_lines(stream, e);
	fclose(stream);
	if (found != 0)
		return -1;
	for (size_t i = 0; i < file.count; i++) {
		struct setting *s = &file.settings[i];

		if (environment(s->name) != NULL) {
			/* The environment wins; a value set to "" marks the line as having none. */
			s->value[0] = '\0';
		} else if (foreign(s->name) && setenv(s->name, s->value, 1) != 0) {
			return err_set(e, ERR_AGAIN, "out of memory");
		}
	}
	return 0;
}

const char *
config_get(const char *name)
{
	const char *value = environment(name);
	struct setting *s = value == NULL ? find(name) : NULL;

	return s != NULL && s->value[0] != '\0' ? s->value : value;
}

const char *
config_origin(const char *name)
{
	const char *value = environment(name);
	struct setting *s = find(name);

	/* A name handed to libpq through the environment still came from the file. */
	if (s != NULL && s->value[0] != '\0' && (value == NULL || strcmp(value, s->value) == 0)) {
		buf_reset(&file.origin);
		buf_printf(&file.origin, "%s:%zu", file.path, s->line);
		return file.origin.bytes;
	}
	return value != NULL ? "environment" : "default";
}

const char *const *
config_names(void)
{
	return names;
}

const char *
config_meaning(const char *name)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return meanings[i];
	return NULL;
}

/* Of the scripts and tests of csvp's own source. */
static bool
developers(const char *name)
{
	return starts_with(name, "CSVP_TEST_") || starts_with(name, "CSVP_SERVICES_") ||
	       starts_with(name, "CSVP_CACHE_DIR=");
}

void
config_unknown(void (*each)(void *ctx, const char *name, const char *near), void *ctx)
{
	for (char **variable = environ; *variable != NULL; variable++) {
		char *name;

		if (!starts_with(*variable, "CSVP_") || developers(*variable))
			continue;
		name = buf_strndup(*variable, strcspn(*variable, "="));
		if (!known_name(name))
			each(ctx, name, nearest(name));
		free(name);
	}
}
