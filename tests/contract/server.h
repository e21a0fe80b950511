#ifndef CONTRACT_SERVER_H
#define CONTRACT_SERVER_H

#include <glob.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

/*
 * A PostgreSQL to throw away, for tests that ask the real server: a cluster in
 * a folder of its own (in TEST_TMP), without TCP, as the system user
 * `postgres` if the test runs as root.
 */
struct server {
	char *folder;       /* also holds the socket, and room for the test's files */
	char *binaries;     /* the folder of initdb */
	const char *prefix; /* in front of commands that must not run as root */
};

/* The output of a shell command with stderr in it, and its exit status. */
static int
server_shell(const char *command, struct buf *out)
{
	char *line = buf_format("{ %s\n} 2>&1", command);
	FILE *pipe = popen(line, "r");
	char bytes[4096];
	size_t n;

	free(line);
	if (pipe == NULL)
		abort();
	buf_reserve(out, 0)[0] = '\0';
	while ((n = fread(bytes, 1, sizeof bytes, pipe)) > 0)
		buf_append(out, bytes, n);
	return pclose(pipe);
}

/* Write a file into the server's folder; its path, which the caller frees. */
static char *
server_file(const struct server *s, const char *name, const struct buf *content)
{
	char *path = buf_format("%s/%s", s->folder, name);
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(content->bytes, 1, content->length, file) != content->length || fclose(file) != 0)
		abort();
	return path;
}

/* Run psql on a script that sees the session settings of csvp; its output is appended. 0 if all of it worked. */
static int
server_psql(const struct server *s, const char *script, struct buf *out)
{
	struct buf content = {0};
	char *path, *command;
	int status;

	buf_string(&content, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_min_messages = warning;\n");
	buf_string(&content, script);
	path = server_file(s, "script.sql", &content);
	command = buf_format("psql -XAtq -v ON_ERROR_STOP=1 -h %s -U postgres -d postgres -f %s", s->folder, path);
	status = server_shell(command, out);
	free(command);
	free(path);
	buf_fini(&content);
	return status;
}

/* Start one. False, with the reason said as a skipped case, if PostgreSQL is not installed; else it runs. */
static bool
server_start(struct server *s, const char *name)
{
	const char *tmp = getenv("TEST_TMP");
	struct passwd *user = getpwnam("postgres");
	struct buf out = {0};
	char *command;
	glob_t found;

	if (glob("/usr/lib/postgresql/[0-9]*/bin/initdb", 0, NULL, &found) != 0 || (geteuid() == 0 && user == NULL)) {
		printf("skip - %s: PostgreSQL is not installed\n", name);
		return false;
	}
	s->binaries = buf_strdup(found.gl_pathv[found.gl_pathc - 1]);
	*strrchr(s->binaries, '/') = '\0';
	globfree(&found);
	s->prefix = geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : "";
	s->folder = buf_format("%s/csvp.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(s->folder) == NULL || (geteuid() == 0 && chown(s->folder, user->pw_uid, user->pw_gid) != 0))
		abort();
	command = buf_format("cd %s && %s%s/initdb -D data -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N && "
			     "%s%s/pg_ctl -D data -l log -w -o \"-k %s -c listen_addresses='' -c fsync=off\" start",
	    s->folder, s->prefix, s->binaries, s->prefix, s->binaries, s->folder);
	if (server_shell(command, &out) != 0) {
		fprintf(stderr, "%s\n", out.bytes);
		abort();
	}
	free(command);
	buf_fini(&out);
	return true;
}

static void
server_stop(struct server *s)
{
	struct buf out = {0};
	char *command = buf_format("cd %s && %s%s/pg_ctl -D data -m immediate stop; cd / && rm -rf %s", s->folder,
	    s->prefix, s->binaries, s->folder);

	if (server_shell(command, &out) != 0)
		fprintf(stderr, "%s\n", out.bytes);
	free(command);
	buf_fini(&out);
	free(s->folder);
	free(s->binaries);
}

/* The seed of this run, from SEED or the clock, printed so that a failure can be run again. */
static unsigned
server_seed(void)
{
	const char *text = getenv("SEED");
	unsigned seed = text != NULL && *text != '\0' ? (unsigned)strtoul(text, NULL, 10) : (unsigned)time(NULL);

	printf("# SEED=%u\n", seed);
	fflush(stdout);
	return seed;
}

#endif
