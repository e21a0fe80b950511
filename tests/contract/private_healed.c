/* What kills and removals leave behind does not keep the private PostgreSQL from coming up again. */
#include <glob.h>
#include <string.h>
#include <sys/wait.h>

#include "base/sig.h"
#include "home_up.h"

START_TEST(a_killed_server_is_started_again)
{
	home_drop_root();
	home_up();
	home_kill();
	ck_assert(!home_running());
	home_up();
}
END_TEST

START_TEST(the_number_of_a_killed_server_may_by_now_be_another_programs)
{
	char *path = buf_format("%s/postgres/data/postmaster.pid", home);
	char rest[4096], line[4096];
	struct err e;
	size_t length;
	FILE *file;

	/* Ours, for example: it lives, and belongs to the same user. */
	home_drop_root();
	home_up();
	home_kill();
	file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	length = fread(rest, 1, sizeof rest, file);
	rewind(file);
	fprintf(file, "%d\n%.*s", (int)getpid(), (int)length, rest);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(private_down(home, &e), 0);
	home_up();
	free(path);
}
END_TEST

START_TEST(a_server_whose_socket_was_removed_is_started_anew)
{
	char *remove = buf_format("rm -rf '%s/postgres/run'", home);

	home_up();
	ck_assert_int_eq(system(remove), 0);
	ck_assert(!home_running());
	home_up();
	free(remove);
}
END_TEST

START_TEST(a_home_deleted_under_its_server_can_be_made_again)
{
	char *remove = buf_format("rm -rf '%s'", home);
	pid_t orphan;

	home_up();
	orphan = home_pid();
	ck_assert_int_eq(system(remove), 0);
	ck_assert(!home_running());
	home_up();
	/* By itself it looks only once a minute whether its folder is still there. */
	ck_assert_int_eq(kill(orphan, SIGQUIT), 0);
	home_wait_gone(orphan);
	free(remove);
}
END_TEST

START_TEST(a_signal_ends_the_making_and_leaves_nothing_half_made)
{
	char *making = buf_format("%s/postgres/tmp-*/base", home);
	char *pattern = buf_format("%s/postgres/[dt]*", home);
	glob_t found;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct buf conninfo = {0};
		struct err e = {.code = ERR_NONE};

		sig_init();
		_exit(private_up(home, true, &conninfo, &e) == 0 ? 0 : e.code);
	}
	while (glob(making, 0, NULL, &found) != 0)
		continue;
	globfree(&found);
	kill(pid, SIGTERM);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), ERR_SIGTERM);
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
	home_up();
	free(making);
	free(pattern);
}
END_TEST

START_TEST(what_a_killed_program_left_half_made_is_removed)
{
	char *left = buf_format("mkdir -p '%s/postgres/tmp-killed/base'", home);
	char *path = buf_format("%s/postgres/tmp-killed", home);

	home_drop_root();
	ck_assert_int_eq(system(left), 0);
	home_up();
	ck_assert_int_eq(access(path, F_OK), -1);
	free(left);
	free(path);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_killed_server_is_started_again,
	    the_number_of_a_killed_server_may_by_now_be_another_programs,
	    a_server_whose_socket_was_removed_is_started_anew,
	    a_home_deleted_under_its_server_can_be_made_again,
	    a_signal_ends_the_making_and_leaves_nothing_half_made,
	    what_a_killed_program_left_half_made_is_removed,
	};

	return cases_run("private_healed", home_begin, home_end, tests, sizeof tests / sizeof *tests);
}
