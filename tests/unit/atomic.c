#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/atomic.h"
#include "scratch.h"

static struct err e;

/* The entries of a folder, dots left out, one blank behind each. */
static const char *
entries(const char *path)
{
	static char text[1000];
	DIR *folder = opendir(path);
	struct dirent *entry;

	ck_assert_ptr_nonnull(folder);
	text[0] = '\0';
	while ((entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strcat(strcat(text, entry->d_name), " ");
	closedir(folder);
	return text;
}

static struct atomic *
begin_file(const char *path)
{
	struct atomic *a = atomic_open(AT_FDCWD, path, "tmp/file", &e);

	ck_assert_msg(a != NULL, "%s", e.message);
	ck_assert_int_eq(atomic_write(a, "one,", 4, &e), 0);
	ck_assert_int_eq(atomic_write(a, "two\n", 4, &e), 0);
	return a;
}

static const char *
content(const char *path)
{
	static char text[100];
	FILE *stream = fopen(path, "r");

	ck_assert_ptr_nonnull(stream);
	text[fread(text, 1, sizeof text - 1, stream)] = '\0';
	fclose(stream);
	return text;
}

START_TEST(a_file_appears_at_the_commit_and_whole)
{
	struct atomic *a = begin_file("a/b/file");

	ck_assert_str_eq(entries("."), "tmp ");
	ck_assert_int_eq(atomic_commit(a, &e), 0);
	ck_assert_str_eq(content("a/b/file"), "one,two\n");
	atomic_close(a);
	ck_assert_str_eq(content("a/b/file"), "one,two\n");
	ck_assert_str_eq(entries("tmp"), "");
	ck_assert_str_eq(entries("a/b"), "file ");
}
END_TEST

START_TEST(what_is_not_committed_is_gone)
{
	atomic_close(begin_file("file"));
	ck_assert_str_eq(entries("."), "tmp ");
	ck_assert_str_eq(entries("tmp"), "");
	atomic_close(NULL);
}
END_TEST

START_TEST(a_file_that_exists_is_not_replaced)
{
	struct atomic *a = begin_file("file");

	scratch_write("file", "old", 3);
	ck_assert_int_eq(atomic_commit(a, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_str_eq(e.message, "exists");
	atomic_close(a);
	ck_assert_str_eq(content("file"), "old");
	ck_assert_str_eq(entries("tmp"), "");
}
END_TEST

START_TEST(two_may_write_one_name_and_the_first_gets_it)
{
	struct atomic *first = begin_file("file"), *second = begin_file("file");

	ck_assert_int_eq(atomic_write(second, "more", 4, &e), 0);
	ck_assert_int_eq(atomic_commit(second, &e), 0);
	ck_assert_int_eq(atomic_commit(first, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	atomic_close(first);
	atomic_close(second);
	ck_assert_str_eq(content("file"), "one,two\nmore");
}
END_TEST

START_TEST(a_sweep_clears_the_dead_and_leaves_the_living)
{
	struct atomic *a = begin_file("file");

	scratch_write("tmp/file.00112233445566aa", "dead", 4);
	scratch_write("tmp/file.00112233445566aab", "longer", 6);
	scratch_write("tmp/file.00112233445566aG", "no hex", 6);
	scratch_write("tmp/other.00112233445566aa", "other", 5);
	ck_assert_int_eq(atomic_sweep(AT_FDCWD, "tmp/file", &e), 0);
	ck_assert_int_eq(access("tmp/file.00112233445566aa", F_OK), -1);
	ck_assert_int_eq(access("tmp/file.00112233445566aab", F_OK), 0);
	ck_assert_int_eq(access("tmp/file.00112233445566aG", F_OK), 0);
	ck_assert_int_eq(access("tmp/other.00112233445566aa", F_OK), 0);
	ck_assert_int_eq(atomic_commit(a, &e), 0);
	atomic_close(a);
	ck_assert_int_eq(atomic_sweep(AT_FDCWD, "no/such/folder", &e), 0);
}
END_TEST

START_TEST(paths_are_relative_to_the_folder_given)
{
	struct atomic *a;
	int folder;

	ck_assert_int_eq(atomic_mkdir(AT_FDCWD, "x/y/z", &e), 0);
	ck_assert_int_eq(atomic_mkdir(AT_FDCWD, "x/y/z", &e), 0);
	folder = open("x/y", O_RDONLY | O_DIRECTORY);
	a = atomic_open(folder, "f/g", "t", &e);
	ck_assert_ptr_nonnull(a);
	ck_assert_int_eq(atomic_commit(a, &e), 0);
	atomic_close(a);
	close(folder);
	ck_assert_str_eq(content("x/y/f/g"), "");
	ck_assert_int_eq(atomic_mkdir(AT_FDCWD, "x/y/f/g/h", &e), -1);
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_str_eq(e.message, "cannot make folder x/y/f/g/h: Not a directory");
	/* What is above it is there, and no folder can be made in it. */
	ck_assert_int_eq(atomic_mkdir(AT_FDCWD, "/proc/x/y", &e), -1);
	ck_assert_str_eq(e.message, "cannot make folder /proc/x: No such file or directory");
}
END_TEST

START_TEST(long_files_come_out_whole)
{
	enum { BLOCK = 3000001 };
	struct atomic *a = atomic_open(AT_FDCWD, "long", "t", &e);
	char *bytes = buf_malloc(BLOCK);
	FILE *stream;

	for (int i = 0; i < 10; i++) {
		memset(bytes, 'a' + i, BLOCK);
		ck_assert_int_eq(atomic_write(a, bytes, BLOCK, &e), 0);
	}
	ck_assert_int_eq(atomic_commit(a, &e), 0);
	atomic_close(a);
	stream = fopen("long", "r");
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(fread(bytes, 1, BLOCK, stream), BLOCK);
		for (size_t at = 0; at < BLOCK; at += 999)
			ck_assert_int_eq(bytes[at], 'a' + i);
	}
	ck_assert_int_eq(getc(stream), EOF);
	fclose(stream);
	free(bytes);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_file_appears_at_the_commit_and_whole,
	    what_is_not_committed_is_gone,
	    a_file_that_exists_is_not_replaced,
	    two_may_write_one_name_and_the_first_gets_it,
	    a_sweep_clears_the_dead_and_leaves_the_living,
	    paths_are_relative_to_the_folder_given,
	    long_files_come_out_whole,
	};

	return scratch_run("atomic", tests, sizeof tests / sizeof *tests);
}
