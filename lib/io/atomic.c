#include "io/atomic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

/* Hand the disk what was written every 8 MB, so that the fsync at the end finds little left. */
enum { FLUSH_BYTES = 8 << 20 };

enum { RANDOM_DIGITS = 16 };

struct atomic {
	int folder;
	char *path;
	char *temporary;
	int fd;
	uint64_t written;
	uint64_t flushed;
	bool visible;
};

/* `path` is "" where it is the caller's own. */
static int
failed(struct err *e, int number, const char *what, const char *path)
{
	const char *blank = path[0] != '\0' ? " " : "";

	if (number == ENOSPC || number == EDQUOT)
		return err_set(e, ERR_IO, "%s%s%s: %s; hint: make room there or store elsewhere, then try again", what,
		    blank, path, strerror(number));
	/* What is missing for writing is no missing input. */
	if (number == ENOENT || number == ENOTDIR)
		return err_set(e, ERR_IO, "%s%s%s: %s", what, blank, path, strerror(number));
	return err_errno(e, number, "%s%s%s", what, blank, path);
}

/* The folder that holds path; "." if it is `folder` itself. The caller frees. */
static char *
parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return buf_strdup(".");
	return buf_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int
sync_folder(int folder, const char *path, struct err *e)
{
	int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = 0;

	/* Some network file systems know no fsync of a folder (EINVAL). */
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
		status = failed(e, errno, "cannot flush folder", path);
	if (fd >= 0)
		close(fd);
	return status;
}

int
atomic_sync(int folder, const char *path, struct err *e)
{
	char *up = parent(path);
	int status;

	while ((status = sync_folder(folder, up, e)) == 0 && strcmp(up, ".") != 0 && strcmp(up, "/") != 0) {
		char *next = parent(up);

		free(up);
		up = next;
	}
	free(up);
	return status;
}

int
atomic_mkdir(int folder, const char *path, struct err *e)
{
	char *up = parent(path);
	int status = 0;

	for (int tries = 0; status == 0 && mkdirat(folder, path, 0700) != 0; tries++) {
		if (errno == EEXIST)
			goto done;
		/* What is above it is there, and still: nothing can be made in it (/proc), or somebody removes it as fast. */
		if (errno != ENOENT || strchr(path, '/') == NULL || tries == 3)
			status = failed(e, errno, "cannot make folder", path);
		else
			status = atomic_mkdir(folder, up, e);
	}
	if (status == 0)
		status = sync_folder(folder, up, e);

done:
	free(up);
	return status;
}

static int
make_parent(int folder, const char *path, struct err *e)
{
	char *up = parent(path);
	int status = strcmp(up, ".") == 0 ? 0 : atomic_mkdir(folder, up, e);

	free(up);
	return status;
}

/* Create and lock the temporary file. A sweep may have come in between: then it has no name any more. */
static int
create(struct atomic *a, const char *temporary, struct err *e)
{
	struct stat st;

	for (;;) {
		uint64_t random;

		if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
			return failed(e, errno, "no random bits for", temporary);
		free(a->temporary);
		a->temporary = buf_format("%s.%0*" PRIx64, temporary, RANDOM_DIGITS, random);
		a->fd = openat(a->folder, a->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (a->fd < 0 && errno == EEXIST)
			continue;
		if (a->fd < 0 || flock(a->fd, LOCK_EX) != 0 || fstat(a->fd, &st) != 0)
			return failed(e, errno, "cannot create", a->temporary);
		if (st.st_nlink > 0)
			return 0;
		close(a->fd);
		a->fd = -1;
	}
}

struct atomic *
atomic_open(int folder, const char *path, const char *temporary, struct err *e)
{
	struct atomic *a = buf_calloc(1, sizeof *a);

	a->folder = folder;
	a->fd = -1;
	a->path = buf_strdup(path);
	if (make_parent(folder, temporary, e) != 0 || create(a, temporary, e) != 0) {
		atomic_close(a);
		return NULL;
	}
	return a;
}

int
atomic_write(struct atomic *a, const void *bytes, size_t length, struct err *e)
{
	const char *p = bytes;

	while (length > 0) {
		ssize_t n = write(a->fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(e, errno, "cannot write", "");
		p += n;
		length -= (size_t)n;
		a->written += (uint64_t)n;
	}
	if (a->written - a->flushed >= FLUSH_BYTES) {
		/* Only a start: an error shows again at fsync. */
		sync_file_range(a->fd, (off_t)a->flushed, (off_t)(a->written - a->flushed), SYNC_FILE_RANGE_WRITE);
		a->flushed = a->written;
	}
	return 0;
}

/* Rename without replacing; by link(2) on file systems that cannot (NFS). */
static int
rename_new(struct atomic *a)
{
	if (renameat2(a->folder, a->temporary, a->folder, a->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(a->folder, a->temporary, a->folder, a->path, 0) != 0)
		return -1;
	unlinkat(a->folder, a->temporary, 0);
	return 0;
}

int
atomic_commit(struct atomic *a, struct err *e)
{
	if (fsync(a->fd) != 0)
		return failed(e, errno, "cannot flush", "");
	if (make_parent(a->folder, a->path, e) != 0)
		return -1;
	if (rename_new(a) != 0) {
		if (errno == EEXIST)
			return err_set(e, ERR_DATA, "exists");
		return failed(e, errno, "cannot name", "");
	}
	a->visible = true;
	if (atomic_sync(a->folder, a->path, e) == 0)
		return 0;
	unlinkat(a->folder, a->path, 0);
	return -1;
}

void
atomic_close(struct atomic *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0 && !a->visible)
		unlinkat(a->folder, a->temporary, 0);
	if (a->fd >= 0)
		close(a->fd);
	free(a->temporary);
	free(a->path);
	free(a);
}

/* "NAME." and RANDOM_DIGITS hex digits? */
static bool
is_temporary(const char *entry, const char *name)
{
	size_t length = strlen(name);

	return strncmp(entry, name, length) == 0 && entry[length] == '.' &&
	       strlen(entry + length + 1) == RANDOM_DIGITS &&
	       strspn(entry + length + 1, "0123456789abcdef") == RANDOM_DIGITS;
}

/* Whoever holds its lock still writes it. */
static int
remove_dead(int folder, const char *name, struct err *e)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int status = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : failed(e, errno, "cannot open", name);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
			status = failed(e, errno, "cannot remove", name);
	} else if (errno != EWOULDBLOCK) {
		status = failed(e, errno, "cannot lock", name);
	}
	close(fd);
	return status;
}

int
atomic_sweep(int folder, const char *temporary, struct err *e)
{
	const char *slash = strrchr(temporary, '/');
	const char *name = slash != NULL ? slash + 1 : temporary;
	char *up = parent(temporary);
	int fd = openat(folder, up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	int status = 0;

	if (entries == NULL) {
		if (errno != ENOENT)
			status = failed(e, errno, "cannot read folder", up);
		if (fd >= 0)
			close(fd);
		goto done;
	}
	while (status == 0) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(entries);
		if (entry == NULL && errno != 0)
			status = failed(e, errno, "cannot read folder", up);
		if (entry == NULL)
			break;
		if (is_temporary(entry->d_name, name))
			status = remove_dead(dirfd(entries), entry->d_name, e);
	}
	closedir(entries);
done:
	free(up);
	return status;
}
