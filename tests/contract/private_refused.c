/* When there is no private PostgreSQL to be had: why, in words and in the exit code, with nothing half made. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "../mounts.h"
#include "home_up.h"

START_TEST(without_autostart_nothing_is_made)
{
	struct buf conninfo = {0};
	struct err e;

	FAILS(ERR_AGAIN, private_up(home, false, &conninfo, &e));
	ck_assert_ptr_nonnull(strstr(e.message, "csvp-admin up"));
	ck_assert_int_eq(access(home, F_OK), -1);
	buf_fini(&conninfo);
}
END_TEST

static void
expect_no_home(enum err_code code, const char *text)
{
	struct buf conninfo = {0};
	struct err e;

	FAILS(code, private_up(home, true, &conninfo, &e));
	ck_assert_msg(strstr(e.message, text) != NULL, "%s lacks '%s'", e.message, text);
	ck_assert_uint_eq(conninfo.length, 0);
	buf_fini(&conninfo);
}

START_TEST(a_home_that_cannot_be_written_is_77)
{
	home_drop_root();
	ck_assert_int_eq(chmod(home_folder, 0500), 0);
	expect_no_home(ERR_PERMISSION, "home");
	ck_assert_int_eq(chmod(home_folder, 0700), 0);
	ck_assert_int_eq(mkdir(home, 0500), 0);
	expect_no_home(ERR_PERMISSION, "home/postgres");
	ck_assert_int_eq(chmod(home, 0700), 0);
}
END_TEST

START_TEST(a_home_of_somebody_else_is_77)
{
	struct buf conninfo = {0};
	struct err e;

	free(home);
	if (geteuid() == 0) {
		home = buf_format("%s/home", home_folder);
		ck_assert_int_eq(mkdir(home, 0755), 0);
		ck_assert_int_eq(chown(home, ordinary, ordinary), 0);
		expect_no_home(ERR_PERMISSION, "belongs to nobody, not to root");
		FAILS(ERR_PERMISSION, private_running(home, &conninfo, &e));
		FAILS(ERR_PERMISSION, private_down(home, &e));
		free(home);
	}
	home_drop_root();
	home = buf_strdup("/usr");
	expect_no_home(ERR_PERMISSION, "belongs to root, not to ");
	FAILS(ERR_PERMISSION, private_down(home, &e));
	free(home);
	home = buf_format("%s/home", home_folder);
	ck_assert_int_eq(system("true"), 0);
}
END_TEST

START_TEST(a_home_that_is_no_folder_is_78)
{
	int fd = open(home_folder, O_RDONLY | O_DIRECTORY);
	int file = openat(fd, "file", O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(file, 0);
	close(file);
	close(fd);
	home_rename("file");
	expect_no_home(ERR_CONFIG, "file");
	home_rename("file/home");
	expect_no_home(ERR_CONFIG, "file");
	free(home);
	home = buf_strdup("");
	expect_no_home(ERR_CONFIG, "CSVP_HOME");
	home_rename("home");
}
END_TEST

START_TEST(a_socket_folder_that_others_may_enter_is_refused)
{
	char *run = buf_format("%s/postgres/run", home);
	struct err e;

	home_up();
	ck_assert_int_eq(private_down(home, &e), 1);
	ck_assert_int_eq(chmod(run, 0755), 0);
	expect_no_home(ERR_PERMISSION, "chmod 700");
	ck_assert_int_eq(chmod(run, 0700), 0);
	free(run);
}
END_TEST

START_TEST(data_of_a_postgresql_that_is_not_installed_is_69)
{
	char *path = buf_format("%s/postgres/data/PG_VERSION", home);
	struct err e;
	FILE *file;

	home_up();
	ck_assert_int_eq(private_down(home, &e), 1);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "9\n");
	ck_assert_int_eq(fclose(file), 0);
	expect_no_home(ERR_UNAVAILABLE, "hint: apt-get install postgresql-9");
	free(path);
}
END_TEST

/* A view of the file system that only this process has, to change as a test needs it. */
static bool
own_mounts(const char *name)
{
	if (mounts_own())
		return true;
	printf("skip - %s: no mount namespace: %s\n", name, strerror(errno));
	return false;
}

START_TEST(a_machine_without_postgresql_is_69)
{
	static const char *const places[] = {"/usr/lib/postgresql", "/usr/bin"};

	if (!own_mounts("a_machine_without_postgresql_is_69"))
		return;
	/* Of /usr/bin nothing is needed here but pg_config and the wrappers, which must not be found. */
	setenv("PATH", "/bin.none", 1);
	ck_assert_int_eq(mount("none", places[0], "tmpfs", 0, "size=1m"), 0);
	expect_no_home(ERR_UNAVAILABLE, "hint: apt-get install postgresql");
	ck_assert_int_eq(umount(places[0]), 0);
	setenv("PATH", "/usr/bin:/bin", 1);
}
END_TEST

START_TEST(a_full_disk_is_74_and_leaves_nothing_half_made)
{
	char *pattern = buf_format("%s/disk/home/postgres/[dt]*", home_folder);
	glob_t found;

	if (!own_mounts("a_full_disk_is_74_and_leaves_nothing_half_made"))
		return;
	home_rename("disk");
	ck_assert_int_eq(mkdir(home, 0755), 0);
	ck_assert_int_eq(mount("none", home, "tmpfs", 0, "size=20m"), 0);
	home_rename("disk/home");
	expect_no_home(ERR_IO, "No space left on device");
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
	free(pattern);
	home_rename("disk");
	ck_assert_int_eq(umount(home), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    without_autostart_nothing_is_made,
	    a_home_that_cannot_be_written_is_77,
	    a_home_of_somebody_else_is_77,
	    a_home_that_is_no_folder_is_78,
	    a_socket_folder_that_others_may_enter_is_refused,
	    data_of_a_postgresql_that_is_not_installed_is_69,
	    a_machine_without_postgresql_is_69,
	    a_full_disk_is_74_and_leaves_nothing_half_made,
	};

	return cases_run("private_refused", home_begin, home_end, tests, sizeof tests / sizeof *tests);
}
