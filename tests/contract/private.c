/* The private PostgreSQL: made, started, found and stopped; as root (it runs as `postgres` then) or not. */
#include <glob.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "home_up.h"

static void
life(void)
{
	struct err e;

	ck_assert(!home_running());
	ck_assert_int_eq(private_down(home, &e), 0);
	home_up();
	home_up();
	ck_assert_int_eq(private_down(home, &e), 1);
	ck_assert(!home_running());
	ck_assert_int_eq(private_down(home, &e), 0);
	home_up();
}

START_TEST(it_is_made_found_stopped_and_started_again)
{
	life();
}
END_TEST

START_TEST(an_ordinary_user_has_one_too)
{
	home_drop_root();
	life();
}
END_TEST

START_TEST(programs_that_need_it_at_once_make_one)
{
	pid_t pids[5];
	char *pattern = buf_format("%s/postgres/tmp-*", home);
	glob_t found;

	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			home_up();
			_exit(0);
		}
	}
	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
		int status = -1;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
	free(pattern);
}
END_TEST

START_TEST(a_long_path_puts_the_socket_elsewhere)
{
	struct buf conninfo = {0};
	char *remove;
	struct err e;

	home_drop_root();
	home_rename("a-rather-long-name/that-would-not-fit-into-the-address-of-a-socket/because-it-has-107-bytes/home");
	OK(private_up(home, true, &conninfo, &e));
	ck_assert_ptr_nonnull(strstr(conninfo.bytes, "host='/tmp/csvp-"));
	home_up();
	/* Deleted under its server, whose socket is still there. */
	remove = buf_format("rm -rf '%s'", home);
	ck_assert_int_eq(system(remove), 0);
	ck_assert(!home_running());
	home_up();
	ck_assert_int_eq(private_down(home, &e), 1);
	ck_assert(!home_running());
	free(remove);
	buf_fini(&conninfo);
}
END_TEST

START_TEST(a_path_may_hold_any_character_and_change)
{
	char *before;
	struct err e;

	home_rename("it's a \\ \"home\"");
	home_up();
	OK(private_down(home, &e) != 1);
	/* libpq would take this one for two hosts. */
	before = buf_strdup(home);
	home_rename("one,two");
	ck_assert_int_eq(rename(before, home), 0);
	home_up();
	free(before);
}
END_TEST

START_TEST(folders_above_need_not_be_open_to_the_servers_user)
{
	struct stat st;

	/* mkdtemp's folder is its owner's only: as root, `postgres` cannot pass. */
	ck_assert_int_eq(stat(home_folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	home_rename("a/b/home");
	home_up();
	home_kill();
	home_up();
}
END_TEST

START_TEST(the_server_holds_no_descriptor_of_the_program_that_started_it)
{
	struct pollfd end_of_file;
	struct buf conninfo = {0};
	struct err e;
	int fds[2];
	pid_t pid;
	int status;

	/* As `id=$(program)` and flock(1) wait: for the last copy of a descriptor to be closed. */
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		dup2(fds[1], 77);
		_exit(private_up(home, true, &conninfo, &e) == 0 ? 0 : 1);
	}
	close(fds[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	end_of_file = (struct pollfd){.fd = fds[0], .events = POLLIN};
	ck_assert_int_eq(poll(&end_of_file, 1, 0), 1);
	ck_assert_int_eq(read(fds[0], &status, 1), 0);
	ck_assert(home_running());
	close(fds[0]);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    it_is_made_found_stopped_and_started_again,
	    an_ordinary_user_has_one_too,
	    programs_that_need_it_at_once_make_one,
	    a_long_path_puts_the_socket_elsewhere,
	    a_path_may_hold_any_character_and_change,
	    folders_above_need_not_be_open_to_the_servers_user,
	    the_server_holds_no_descriptor_of_the_program_that_started_it,
	};

	return cases_run("private", home_begin, home_end, tests, sizeof tests / sizeof *tests);
}
