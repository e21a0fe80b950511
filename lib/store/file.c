/*
 * file:///folder: an object is the file folder/KEY. What is being written is in
 * folder/.tmp, under the key with each slash as a plus (no key holds one).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/atomic.h"
#include "net/url.h"
#include "store/store_driver.h"

struct file_store {
	int folder;
};

struct reader {
	int fd;
	uint64_t offset;
	uint64_t end;
};

static void
file_close(void *handle)
{
	struct file_store *store = handle;

	if (store->folder >= 0)
		close(store->folder);
	free(store);
}

static int
file_check(const struct store_options *options, const struct url *url, struct err *e)
{
	(void)options;
	if (url->path[0] != '/' || (url->host != NULL && url->host[0] != '\0' && strcmp(url->host, "localhost") != 0))
		return err_set(e, ERR_CONFIG, "no absolute folder; hint: three slashes, as in file:///srv/csvp");
	return 0;
}

static void *
file_open(const struct store_options *options, const struct url *url, struct err *e)
{
	struct file_store *store;

	(void)options;
	if (atomic_mkdir(AT_FDCWD, url->path, e) != 0)
		return NULL;
	store = buf_calloc(1, sizeof *store);
	store->folder = open(url->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->folder < 0) {
		if (errno == ENOTDIR)
			err_set(e, ERR_CONFIG, "is not a folder");
		else
			err_errno(e, errno, "cannot open the folder");
		file_close(store);
		return NULL;
	}
	return store;
}

/* The name of an unfinished object. The caller frees. */
static char *
temporary(const char *key)
{
	char *name = buf_format(".tmp/%s", key);

	for (char *p = name + strlen(".tmp/"); *p != '\0'; p++)
		if (*p == '/')
			*p = '+';
	return name;
}

static void *
file_create(void *handle, const char *key, const struct store_resume *resume, struct err *e)
{
	struct file_store *store = handle;
	struct atomic *writer;
	char *name;

	(void)resume; /* what a dead writer left is not told from what a live one writes */
	/* Only to save the work: the commit decides. */
	if (faccessat(store->folder, key, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		err_set(e, ERR_DATA, "exists");
		return NULL;
	}
	name = temporary(key);
	writer = atomic_open(store->folder, key, name, e);
	free(name);
	return writer;
}

static int
file_write(void *writer, const void *bytes, size_t length, struct err *e)
{
	return atomic_write(writer, bytes, length, e);
}

static int
file_commit(void *writer, struct err *e)
{
	return atomic_commit(writer, e);
}

static bool
file_end(void *writer, bool keep)
{
	(void)keep;
	atomic_close(writer);
	return false;
}

static int
no_object(int number, struct err *e)
{
	if (number == ENOENT || number == ENOTDIR || number == EISDIR)
		return err_set(e, ERR_NOINPUT, "no such object");
	return err_errno(e, number, "cannot read");
}

/* Open an object; its length too, if asked for. */
static int
open_object(struct file_store *store, const char *key, uint64_t *size, struct err *e)
{
	int fd = openat(store->folder, key, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int number;

	if (fd < 0)
		return no_object(errno, e);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (size != NULL)
			*size = (uint64_t)st.st_size;
		return fd;
	}
	number = S_ISDIR(st.st_mode) ? EISDIR : EIO;
	close(fd);
	return no_object(number, e);
}

static void *
file_get(void *handle, const char *key, uint64_t offset, uint64_t length, struct err *e)
{
	int fd = open_object(handle, key, NULL, e);
	struct reader *reader;

	if (fd < 0)
		return NULL;
	posix_fadvise(fd, (off_t)offset, (off_t)length, POSIX_FADV_SEQUENTIAL);
	reader = buf_malloc(sizeof *reader);
	*reader = (struct reader){.fd = fd, .offset = offset, .end = offset + length};
	return reader;
}

static ssize_t
file_read(void *handle, void *bytes, size_t capacity, struct err *e)
{
	struct reader *reader = handle;
	ssize_t n;

	if (capacity > reader->end - reader->offset)
		capacity = reader->end - reader->offset;
	do
		n = pread(reader->fd, bytes, capacity, (off_t)reader->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, errno, "cannot read at byte %llu", (unsigned long long)reader->offset);
	reader->offset += (uint64_t)n;
	return n;
}

static void
file_release(void *handle)
{
	struct reader *reader = handle;

	close(reader->fd);
	free(reader);
}

static int
file_size(void *handle, const char *key, uint64_t *size, struct err *e)
{
	int fd = open_object(handle, key, size, e);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int
file_remove(void *handle, const char *key, struct err *e)
{
	struct file_store *store = handle;
	char *name = temporary(key);
	int status = atomic_sweep(store->folder, name, e);

	free(name);
	if (status != 0)
		return -1;
	if (unlinkat(store->folder, key, 0) == 0)
		return atomic_sync(store->folder, key, e);
	if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
		return 0;
	return err_errno(e, errno, "cannot remove");
}

/* One listing: the walk's fixed part. */
struct walk {
	int folder;
	const char *prefix;
	const char *after;
	int (*each)(void *ctx, const char *key, struct err *e);
	void *ctx;
};

/* Names of one folder, sorted; folders end in a slash, which is how their keys sort. */
struct names {
	char **names;
	size_t count;
	size_t capacity;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_add(struct names *names, const char *name, bool folder)
{
	if (names->count == names->capacity) {
		names->capacity = names->capacity * 2 + 16;
		names->names = buf_realloc(names->names, names->capacity, sizeof *names->names);
	}
	names->names[names->count++] = buf_format("%s%s", name, folder ? "/" : "");
}

static void
names_fini(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
}

static int
names_read(struct names *names, int folder, const char *path, struct err *e)
{
	int fd = openat(folder, path[0] != '\0' ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;
	int number = errno;

	if (entries == NULL) {
		if (fd >= 0)
			close(fd);
		return number == ENOENT ? 0 : err_errno(e, number, "cannot read folder %s", path);
	}
	for (errno = 0; (entry = readdir(entries)) != NULL; errno = 0) {
		/* .tmp, and what is no key. */
		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
			names_add(names, entry->d_name, S_ISDIR(st.st_mode));
	}
	number = errno;
	closedir(entries);
	if (number != 0)
		return err_errno(e, number, "cannot read folder %s", path);
	if (names->count > 0)
		qsort(names->names, names->count, sizeof *names->names, compare);
	return 0;
}

/* Can a key that begins with `path` also begin with `prefix`? */
static bool
may_match(const char *path, const char *prefix)
{
	size_t path_length = strlen(path), prefix_length = strlen(prefix);

	return strncmp(path, prefix, path_length < prefix_length ? path_length : prefix_length) == 0;
}

/* `path` is "" or ends in a slash. */
static int
walk_folder(const struct walk *walk, const char *path, struct err *e)
{
	struct names names = {0};
	int status = names_read(&names, walk->folder, path, e);

	for (size_t i = 0; i < names.count && status == 0; i++) {
		char *key = buf_format("%s%s", path, names.names[i]);

		if (!may_match(key, walk->prefix))
			;
		else if (key[strlen(key) - 1] == '/')
			status = walk_folder(walk, key, e);
		else if (strlen(key) >= strlen(walk->prefix) && strcmp(key, walk->after) > 0)
			status = walk->each(walk->ctx, key, e) != 0 ? -1 : 0;
		free(key);
	}
	names_fini(&names);
	return status;
}

static int
file_list(void *handle, const char *prefix, const char *after, int (*each)(void *ctx, const char *key, struct err *e),
    void *ctx, struct err *e)
{
	struct file_store *store = handle;

	return walk_folder(&(struct walk){store->folder, prefix, after, each, ctx}, "", e);
}

const struct store_driver *
file_driver(void)
{
	static const struct store_driver driver = {
	    .scheme = "file",
	    .block = 1 << 20,
	    .check = file_check,
	    .open = file_open,
	    .close = file_close,
	    .create = file_create,
	    .write = file_write,
	    .commit = file_commit,
	    .end = file_end,
	    .get = file_get,
	    .read = file_read,
	    .release = file_release,
	    .size = file_size,
	    .remove = file_remove,
	    .list = file_list,
	};

	return &driver;
}
