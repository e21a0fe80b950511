#include "db/private_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"

/*
 * Nothing here weakens durability: what was committed survives a power cut.
 * The log is written with little beyond the data (nobody replicates from here)
 * and checkpoints are rare, since each makes the pages touched after it go to
 * the log as a whole.
 */
static const char settings[] = "\n# csvp: reached through its socket only\n"
			       "listen_addresses = ''\n"
			       "unix_socket_permissions = 0700\n"
			       "\n# csvp: loading in bulk\n"
			       "shared_buffers = 256MB\n"
			       "maintenance_work_mem = 256MB\n"
			       "wal_level = minimal\n"
			       "max_wal_senders = 0\n"
			       "max_wal_size = 4GB\n"
			       "wal_buffers = 16MB\n"
			       "checkpoint_timeout = 15min\n"
			       "jit = off\n"
			       "max_logical_replication_workers = 0\n"
			       "\n# csvp: a week of logs, without the users' data\n"
			       "cluster_name = 'csvp'\n"
			       "logging_collector = on\n"
			       "log_directory = '../log'\n"
			       "log_filename = 'postgresql-%a.log'\n"
			       "log_rotation_age = 1d\n"
			       "log_rotation_size = 0\n"
			       "log_truncate_on_rotation = on\n"
			       "log_min_error_statement = panic\n"
			       "log_line_prefix = '%m [%p] %a '\n";

/* Left over by a process that was killed; nobody else is here, the caller has the lock. */
static int
remove_folder(const char *name, struct err *e)
{
	char *path = buf_format("/proc/self/fd/3/%s", name);
	struct buf output = {0};
	int status = private_child_output(".", (const char *const[]){"rm", "-rf", "--", path, NULL}, &output, e);

	if (status > 0)
		err_set(
		    e, ERR_IO, "cannot remove postgres/%s: %s", name, output.length > 0 ? output.bytes : "rm failed");
	buf_fini(&output);
	free(path);
	return status == 0 ? 0 : -1;
}

static int
remove_leftovers(struct err *e)
{
	glob_t found;
	int rc = 0;

	if (glob("tmp-*", 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
			rc = remove_folder(found.gl_pathv[i], e);
	globfree(&found);
	return rc;
}

/* What initdb said last before it began to tidy up: the line with its "error:", or the server's. */
static int
initdb_error(struct buf *output, struct err *e)
{
	static const char *const marks[] = {"No space left on device", "FATAL:", "error:"};
	char *line = NULL;

	buf_byte(output, '\n');
	for (size_t i = 0; i < sizeof marks / sizeof *marks && line == NULL; i++)
		line = strstr(output->bytes, marks[i]);
	if (line == NULL)
		return err_set(e, ERR_AGAIN, "initdb failed without saying why");
	while (line > output->bytes && line[-1] != '\n')
		line--;
	line[strcspn(line, "\n")] = '\0';
	return err_set(e, strstr(line, "No space left on device") != NULL ? ERR_IO : ERR_AGAIN, "%s", line);
}

static int
run_initdb(const struct private_home *h, const char *folder, struct err *e)
{
	/* Byte order is what csvp sorts by, and it is the fastest; but upper() should know letters beyond ASCII. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	char *data = buf_format("%s/%s", h->folder, folder);
	struct buf binaries = {0};
	struct buf output = {0};
	char *program = NULL;
	int rc = -1;
	int version;

	if (private_binaries_find(0, &binaries, &version, e) != 0 || sig_check(e) != 0)
		goto done;
	program = buf_format("%s/initdb", binaries.bytes);
	rc = private_child_output(folder,
	    (const char *const[]){program, "-D", private_child_folder(data), "--username=" PRIVATE_SUPERUSER,
		"--encoding=UTF8", "--locale=C", utf8 != (locale_t)0 ? "--lc-ctype=C.UTF-8" : "--lc-ctype=C",
		"--auth-local=trust", "--auth-host=reject", NULL},
	    &output, e);
	if (rc > 0 && sig_check(e) == 0)
		initdb_error(&output, e);
done:
	if (utf8 != (locale_t)0)
		freelocale(utf8);
	free(program);
	free(data);
	buf_fini(&output);
	buf_fini(&binaries);
	return rc == 0 ? 0 : -1;
}

static int
write_settings(const char *folder, struct err *e)
{
	char *path = buf_format("%s/postgresql.conf", folder);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ssize_t length = fd >= 0 ? write(fd, settings, sizeof settings - 1) : -1;
	int rc = 0;

	if (length != (ssize_t)sizeof settings - 1 || fsync(fd) != 0)
		rc = err_errno(e, length >= 0 ? ENOSPC : errno, "cannot write %s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

int
private_cluster_make(const struct private_home *h, struct err *e)
{
	char folder[] = "tmp-XXXXXX";
	struct err ignored;
	int here = -1;

	if (remove_leftovers(e) != 0)
		return -1;
	if (mkdtemp(folder) == NULL)
		return err_errno(e, errno, "cannot make a folder in %s", h->folder);
	if (run_initdb(h, folder, e) != 0 || write_settings(folder, e) != 0)
		goto fail;
	/* initdb has synced what it made. A folder called data is a whole cluster, always. */
	here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (here < 0 || rename(folder, "data") != 0 || fsync(here) != 0) {
		err_errno(e, errno, "cannot rename %s to data in %s", folder, h->folder);
		goto fail;
	}
	close(here);
	return 0;
fail:
	if (here >= 0)
		close(here);
	if (remove_folder(folder, &ignored) != 0)
		err_prefix(e, "%s is left over", folder);
	return err_prefix(e, "cannot make a database in %s", h->folder);
}
