#include "db/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "db/private_internal.h"

/* In HOME/postgres: a person has stopped it. */
#define STOPPED "stopped"

enum { RAN = 0, STARTED = 1, MADE = 2 };

static void
append_conninfo(const struct private_home *h, struct buf *conninfo)
{
	buf_string(conninfo, "host='");
	for (const char *p = h->sockets; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\')
			buf_byte(conninfo, '\\');
		buf_byte(conninfo, *p);
	}
	buf_string(conninfo, "' port=" PRIVATE_PORT " user=" PRIVATE_SUPERUSER " dbname=postgres");
}

int
private_running(const char *home, struct buf *conninfo, struct err *e)
{
	struct private_home h;
	int rc = private_home_find(home, &h, e);

	if (rc == 1)
		rc = private_home_sockets(&h, e);
	if (rc == 1)
		rc = private_server_ready(&h);
	if (rc == 1)
		append_conninfo(&h, conninfo);
	private_home_fini(&h);
	return rc;
}

/* One program at a time makes, starts or stops it. The lock is on the folder itself; its end is the process's end. */
static int
lock(const struct private_home *h, struct err *e)
{
	int fd = open(h->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "cannot open %s", h->folder);
	while (flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR && sig_check(e) == 0)
			continue;
		if (errno != EINTR)
			err_errno(e, errno, "cannot lock %s", h->folder);
		close(fd);
		return -1;
	}
	return fd;
}

static int
bring_up(const struct private_home *h, struct err *e)
{
	int done = STARTED;
	struct stat st;

	unlink(STOPPED);
	switch (private_server_settle(h, e)) {
	case 1:
		return RAN;
	case 0:
		break;
	default:
		return -1;
	}
	if (stat(h->data, &st) != 0) {
		if (errno != ENOENT)
			return err_errno(e, errno, "cannot use %s/data", h->folder);
		if (private_cluster_make(h, e) != 0)
			return -1;
		done = MADE;
	}
	return private_server_start(h, e) == 0 ? done : -1;
}

int
private_up(const char *home, bool autostart, struct buf *conninfo, struct err *e)
{
	struct private_home h;
	int rc = private_running(home, conninfo, e);
	int fd;

	if (rc != 0)
		return rc == 1 ? 0 : -1;
	if (!autostart)
		return err_set(e, ERR_AGAIN,
		    "the private PostgreSQL in %s does not run, and CSVP_AUTOSTART=no; hint: csvp-admin up", home);
	if (private_home_make(home, &h, e) != 0)
		return -1;
	rc = -1;
	fd = lock(&h, e);
	if (fd < 0)
		goto done;
	rc = private_child_run(&h, bring_up, e);
	close(fd);
	if (rc < 0)
		goto done;
	if (rc != RAN)
		log_notice("%s the private PostgreSQL in %s/postgres; `csvp-admin down` stops it",
		    rc == MADE ? "made and started" : "started", h.path);
	append_conninfo(&h, conninfo);
done:
	private_home_fini(&h);
	return rc < 0 ? -1 : 0;
}

static int
take_down(const struct private_home *h, struct err *e)
{
	int mark = open(STOPPED, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), rc;

	/* On a full disk it is stopped all the same. */
	if (mark >= 0)
		close(mark);
	rc = private_server_stop(h, e);

	/* In /tmp nothing is left behind. */
	if (rc >= 0 && h->outside)
		rmdir(h->sockets);
	return rc;
}

bool
private_died(const char *home)
{
	struct private_home h;
	struct stat st;
	struct err e;
	char *mark;
	bool died;

	if (private_home_find(home, &h, &e) != 1)
		return false;
	mark = buf_format("%s/" STOPPED, h.folder);
	died = stat(h.data, &st) == 0 && access(mark, F_OK) != 0 && !private_server_ready(&h);
	free(mark);
	private_home_fini(&h);
	return died;
}

int
private_down(const char *home, struct err *e)
{
	struct private_home h;
	struct stat st;
	int rc = private_home_find(home, &h, e);
	int fd;

	if (rc != 1)
		return rc;
	rc = 0;
	if (lstat(h.folder, &st) != 0 && errno == ENOENT)
		goto done;
	rc = -1;
	fd = lock(&h, e);
	if (fd < 0)
		goto done;
	rc = private_child_run(&h, take_down, e);
	close(fd);
done:
	private_home_fini(&h);
	return rc;
}
