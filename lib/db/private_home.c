#include "db/private_internal.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/private.h"

static const char socket_name[] = "/.s.PGSQL." PRIVATE_PORT;

int
private_home_default(struct buf *home, struct err *e)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *user = getenv("HOME");
	struct passwd *entry;

	if (geteuid() == 0) {
		buf_string(home, "/var/lib/csvp");
		return 0;
	}
	/* The XDG Base Directory Specification: relative paths are to be ignored. */
	if (data != NULL && data[0] == '/') {
		buf_printf(home, "%s/csvp", data);
		return 0;
	}
	if (user == NULL || user[0] != '/') {
		entry = getpwuid(geteuid());
		user = entry != NULL ? entry->pw_dir : "/nonexistent";
	}
	if (strcmp(user, "/") == 0 || strcmp(user, "/nonexistent") == 0)
		return err_set(
		    e, ERR_CONFIG, "this user has no home folder; hint: set CSVP_HOME to a folder of its own");
	buf_printf(home, "%s/.local/share/csvp", user);
	return 0;
}

/* What is wrong with the path itself is configuration (78), not missing input (66). */
static int
path_error(struct err *e, int number, const char *what, const char *path)
{
	err_errno(e, number, "%s %s", what, path);
	if (number == ENOENT || number == ENOTDIR || number == ELOOP || number == ENAMETOOLONG || number == EEXIST)
		e->code = ERR_CONFIG;
	return -1;
}

static char *
user_name(uid_t uid)
{
	struct passwd *entry = getpwuid(uid);

	return entry != NULL ? buf_strdup(entry->pw_name) : buf_format("uid %u", (unsigned)uid);
}

static int
foreign(struct err *e, const char *path, uid_t owner, uid_t wanted)
{
	char *has = user_name(owner);
	char *needs = user_name(wanted);

	err_set(e, ERR_PERMISSION, "%s belongs to %s, not to %s; hint: set CSVP_HOME to a folder of your own", path,
	    has, needs);
	free(has);
	free(needs);
	return -1;
}

/* PostgreSQL refuses to run as root. */
static int
choose_user(struct private_home *h, struct err *e)
{
	struct passwd *entry;

	h->uid = geteuid();
	h->gid = getegid();
	if (h->uid != 0)
		return 0;
	entry = getpwnam("postgres");
	if (entry == NULL)
		return err_set(e, ERR_UNAVAILABLE,
		    "PostgreSQL does not run as root, and there is no user postgres; hint: apt-get install postgresql");
	h->uid = entry->pw_uid;
	h->gid = entry->pw_gid;
	h->user = buf_strdup(entry->pw_name);
	return 0;
}

/*
 * A socket's path must fit sun_path, and a comma in it would make libpq see
 * two hosts. The folder in /tmp is named by HOME, so that every program finds it.
 */
static void
choose_sockets(struct private_home *h)
{
	struct sockaddr_un address;
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	h->sockets = buf_format("%s/run", h->folder);
	if (strlen(h->sockets) + sizeof socket_name <= sizeof address.sun_path && strchr(h->sockets, ',') == NULL)
		return;
	free(h->sockets);
	for (const unsigned char *p = (const unsigned char *)h->path; *p != '\0'; p++)
		hash = (hash ^ *p) * 1099511628211u;
	h->sockets = buf_format("/tmp/csvp-%u-%016llx", (unsigned)h->uid, (unsigned long long)hash);
	h->outside = true;
}

int
private_home_find(const char *home, struct private_home *h, struct err *e)
{
	struct stat st;

	*h = (struct private_home){0};
	h->path = realpath(home, NULL);
	if (h->path == NULL && errno == ENOENT)
		return 0;
	if (h->path == NULL)
		return path_error(e, errno, "cannot use CSVP_HOME", home);
	if (stat(h->path, &st) != 0) {
		path_error(e, errno, "cannot use CSVP_HOME", home);
		goto fail;
	}
	if (!S_ISDIR(st.st_mode)) {
		path_error(e, ENOTDIR, "cannot use CSVP_HOME", home);
		goto fail;
	}
	if (st.st_uid != geteuid()) {
		foreign(e, h->path, st.st_uid, geteuid());
		goto fail;
	}
	if (choose_user(h, e) != 0)
		goto fail;
	h->folder = buf_format("%s/postgres", h->path);
	h->data = buf_format("%s/data", h->folder);
	choose_sockets(h);
	return 1;
fail:
	private_home_fini(h);
	return -1;
}

/* mkdir -p: folders on the way as the XDG specification has them, as root as the rest of the system has them. */
static int
make_path(const char *home, struct err *e)
{
	char *path = buf_strdup(home);
	mode_t way = geteuid() == 0 ? 0755 : 0700;
	int rc = 0;

	for (char *p = strchr(path + 1, '/'); p != NULL && rc == 0; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, way) != 0 && errno != EEXIST && access(path, F_OK) != 0)
			rc = path_error(e, errno, "cannot make", path);
		*p = '/';
	}
	/* As root the server's user has to pass through. */
	if (rc == 0 && mkdir(path, geteuid() == 0 ? 0711 : 0700) != 0 && errno != EEXIST)
		rc = path_error(e, errno, "cannot make CSVP_HOME", path);
	free(path);
	return rc;
}

static int
make_folder(const struct private_home *h, struct err *e)
{
	struct stat st;

	if (mkdir(h->folder, 0700) != 0 && errno != EEXIST)
		return path_error(e, errno, "cannot make", h->folder);
	if (lstat(h->folder, &st) != 0)
		return path_error(e, errno, "cannot use", h->folder);
	if (!S_ISDIR(st.st_mode))
		return path_error(e, ENOTDIR, "cannot use", h->folder);
	/* As root it was ours until here, perhaps since an earlier attempt that was killed. */
	if (st.st_uid == geteuid() && st.st_uid != h->uid && lchown(h->folder, h->uid, h->gid) != 0)
		return path_error(e, errno, "cannot hand over", h->folder);
	if (st.st_uid != geteuid() && st.st_uid != h->uid)
		return foreign(e, h->folder, st.st_uid, h->uid);
	return 0;
}

int
private_home_make(const char *home, struct private_home *h, struct err *e)
{
	*h = (struct private_home){0};
	if (home[0] == '\0')
		return err_set(e, ERR_CONFIG, "CSVP_HOME is empty");
	if (make_path(home, e) != 0)
		return -1;
	switch (private_home_find(home, h, e)) {
	case 1:
		break;
	case 0:
		return path_error(e, ENOENT, "cannot use CSVP_HOME", home);
	default:
		return -1;
	}
	if (make_folder(h, e) == 0)
		return 0;
	private_home_fini(h);
	return -1;
}

int
private_home_sockets(const struct private_home *h, struct err *e)
{
	struct stat st;

	if (lstat(h->sockets, &st) != 0)
		return errno == ENOENT ? 0 : path_error(e, errno, "cannot use", h->sockets);
	if (!S_ISDIR(st.st_mode))
		return path_error(e, ENOTDIR, "cannot use", h->sockets);
	if (st.st_uid != h->uid)
		return foreign(e, h->sockets, st.st_uid, h->uid);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_PERMISSION,
		    "%s is open to others, who could be the database's superuser; hint: chmod 700 it", h->sockets);
	return 1;
}

void
private_home_fini(struct private_home *h)
{
	free(h->path);
	free(h->folder);
	free(h->data);
	free(h->sockets);
	free(h->user);
	*h = (struct private_home){0};
}
