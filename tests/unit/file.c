/* What is the file store's own: folders, permissions, a full disk, other people's files. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../mounts.h"
#include "base/buf.h"
#include "base/err.h"
#include "scratch.h"
#include "store/store.h"

static struct err e;

static struct store *
open_at(const char *path)
{
	char *url = buf_format("file://%s/%s", scratch, path);
	struct store *store = store_open(&(struct store_options){.url = url}, &e);

	free(url);
	return store;
}

/* Zeros. */
static ssize_t
zeros(void *ctx, void *bytes, size_t capacity, struct err *err)
{
	size_t *left = ctx;
	size_t n = *left < capacity ? *left : capacity;

	(void)err;
	memset(bytes, 0, n);
	*left -= n;
	return (ssize_t)n;
}

static int
put(struct store *store, const char *key, size_t length)
{
	uint64_t size;

	return store_put(store, key, zeros, &length, &size, &e);
}

static void
expect_error(int status, enum err_code code, const char *part)
{
	ck_assert_int_eq(status, -1);
	ck_assert_msg(e.code == code, "%d: %s", e.code, e.message);
	ck_assert_msg(strstr(e.message, part) != NULL, "'%s' does not say '%s'", e.message, part);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
expect_no_files(const char *folder)
{
	char *command = buf_format("test -z \"$(find %s -type f)\"", folder);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

START_TEST(the_folder_is_made_for_its_owner_only)
{
	struct store *store = open_at("new/deep/store");

	ck_assert_ptr_nonnull(store);
	ck_assert_int_eq(put(store, "a/b", 10), 0);
	ck_assert_uint_eq(mode_of("new"), 0700);
	ck_assert_uint_eq(mode_of("new/deep/store"), 0700);
	ck_assert_uint_eq(mode_of("new/deep/store/a"), 0700);
	ck_assert_uint_eq(mode_of("new/deep/store/a/b"), 0600);
	store_close(store);
	/* One that is there keeps its mode. */
	ck_assert_int_eq(mkdir("mine", 0755), 0);
	ck_assert_int_eq(chmod("mine", 0755), 0);
	store = open_at("mine/");
	ck_assert_ptr_nonnull(store);
	ck_assert_int_eq(put(store, "a", 10), 0);
	ck_assert_uint_eq(mode_of("mine"), 0755);
	store_close(store);
}
END_TEST

START_TEST(a_url_is_an_absolute_folder)
{
	static const char *const bad[] = {"file:", "file:relative", "file://host/folder", "file://folder"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_ptr_null(store_open(&(struct store_options){.url = bad[i]}, &e));
		expect_error(-1, ERR_CONFIG, "file:///srv/csvp");
	}
	scratch_write("plain", "x", 1);
	ck_assert_ptr_null(open_at("plain"));
	expect_error(-1, ERR_CONFIG, "is not a folder");
	ck_assert_ptr_null(open_at("plain/below"));
	expect_error(-1, ERR_IO, "Not a directory");
}
END_TEST

START_TEST(a_folder_that_may_not_be_written_is_told)
{
	struct store *store;

	ck_assert_int_eq(mkdir("closed", 0755), 0);
	ck_assert_int_eq(chmod("closed", 0555), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	scratch_drop_root();
	store = open_at("closed");
	ck_assert_ptr_nonnull(store);
	expect_error(put(store, "a", 10), ERR_PERMISSION, "closed: a: cannot make folder .tmp: Permission denied");
	store_close(store);
	ck_assert_ptr_null(open_at("closed/below"));
	expect_error(-1, ERR_PERMISSION, "Permission denied");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_failed_write_leaves_no_file)
{
	struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
	struct store *store = open_at("store");

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_error(put(store, "a/b", 5 << 20), ERR_IO, "a/b: cannot write: File too large");
	expect_no_files("store");
	ck_assert_int_eq(put(store, "a/b", 1000), 0);
	store_close(store);
}
END_TEST

/* In a file system of 1 MB of our own; where that is not allowed, the child says 2. */
static int
fill_disk(void)
{
	struct store *store;

	if (!mounts_own() || mkdir("small", 0700) != 0 || mount("tmpfs", "small", "tmpfs", 0, "size=1m") != 0)
		return 2;
	store = open_at("small/store");
	if (store == NULL || put(store, "a", 5 << 20) == 0)
		return 3;
	if (e.code != ERR_IO || strstr(e.message, "No space left on device; hint: make room") == NULL)
		return 4;
	if (system("test -z \"$(find small -type f)\"") != 0)
		return 5;
	/* And there is room again. */
	return put(store, "a", 500000) == 0 ? 0 : 6;
}

START_TEST(a_full_disk_is_told_with_a_hint_and_leaves_no_file)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(fill_disk());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		printf("skip - file/a_full_disk_is_told_with_a_hint_and_leaves_no_file: no file system may be mounted "
		       "here\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(a_key_below_another_key_is_refused)
{
	struct store *store = open_at("store");

	ck_assert_int_eq(put(store, "a", 10), 0);
	expect_error(put(store, "a/b", 10), ERR_IO, "a/b: cannot");
	ck_assert_int_eq(put(store, "c/d", 10), 0);
	expect_error(put(store, "c", 10), ERR_DATA, "c: exists");
	ck_assert_int_eq(system("test -z \"$(ls -A store/.tmp)\""), 0);
	store_close(store);
}
END_TEST

static int
gather(void *ctx, const char *key, struct err *err)
{
	(void)err;
	buf_printf(ctx, "%s ", key);
	return 0;
}

START_TEST(files_of_others_are_not_listed)
{
	struct store *store = open_at("store");
	struct buf listed = {0};

	ck_assert_int_eq(put(store, "a/b", 10), 0);
	scratch_write("store/README", "x", 1);
	scratch_write("store/.hidden", "x", 1);
	scratch_write("store/.tmp/a+c.0123456789abcdef", "x", 1);
	ck_assert_int_eq(mkdir("store/lost+found", 0700), 0);
	ck_assert_int_eq(symlink("b", "store/a/link"), 0);
	ck_assert_int_eq(store_list(store, "", gather, &listed, &e), 0);
	ck_assert_str_eq(listed.bytes, "a/b ");
	buf_fini(&listed);
	store_close(store);
}
END_TEST

START_TEST(removing_a_key_clears_only_its_own_remains)
{
	struct store *store = open_at("store");

	ck_assert_int_eq(put(store, "z", 10), 0);
	scratch_write("store/.tmp/a+b.0123456789abcdef", "x", 1);
	scratch_write("store/.tmp/a+b.0123456789abcde0", "x", 1);
	scratch_write("store/.tmp/a+bc.0123456789abcdef", "x", 1);
	scratch_write("store/.tmp/a+b.csv.0123456789abcdef", "x", 1);
	ck_assert_int_eq(store_remove(store, "a/b", &e), 0);
	ck_assert_int_eq(access("store/.tmp/a+b.0123456789abcdef", F_OK), -1);
	ck_assert_int_eq(access("store/.tmp/a+b.0123456789abcde0", F_OK), -1);
	ck_assert_int_eq(access("store/.tmp/a+bc.0123456789abcdef", F_OK), 0);
	ck_assert_int_eq(access("store/.tmp/a+b.csv.0123456789abcdef", F_OK), 0);
	store_close(store);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    the_folder_is_made_for_its_owner_only,
	    a_url_is_an_absolute_folder,
	    a_folder_that_may_not_be_written_is_told,
	    a_failed_write_leaves_no_file,
	    a_full_disk_is_told_with_a_hint_and_leaves_no_file,
	    a_key_below_another_key_is_refused,
	    files_of_others_are_not_listed,
	    removing_a_key_clears_only_its_own_remains,
	};

	return scratch_run("file store", tests, sizeof tests / sizeof *tests);
}
