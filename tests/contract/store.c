/* What every driver of an object store must do. */
#include <sys/wait.h>

#include "base/sig.h"
#include "stores.h"

START_TEST(what_is_put_is_got_back)
{
	static const size_t lengths[] = {0, 1, 1048575, 1048576, 1048577, 5000011, 8388608, 8388609, 20000011};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		char *name = buf_format("n%zu", lengths[i]);
		uint64_t size = 1;

		ck_assert_int_eq(put(name, lengths[i], 3), 0);
		ck_assert_int_eq(store_size(store, key(name), &size, &e), 0);
		ck_assert_uint_eq(size, lengths[i]);
		ck_assert_int_eq(get(name, 0, lengths[i], 3), 0);
		free(name);
	}
}
END_TEST

START_TEST(who_opens_the_store_later_sees_it)
{
	ck_assert_int_eq(put("shared", 100, 3), 0);
	store_close(store);
	store = open_store();
	ck_assert_int_eq(get("shared", 0, 100, 3), 0);
}
END_TEST

START_TEST(a_range_is_given_from_its_start_to_its_end)
{
	ck_assert_int_eq(put("ranges", 3000000, 9), 0);
	ck_assert_int_eq(get("ranges", 0, 1, 9), 0);
	ck_assert_int_eq(get("ranges", 1, 2, 9), 0);
	ck_assert_int_eq(get("ranges", 999999, 1048577, 9), 0);
	ck_assert_int_eq(get("ranges", 2999999, 1, 9), 0);
	ck_assert_int_eq(get("ranges", 1000, 0, 9), 0);
	ck_assert_int_eq(get("ranges", 3000000, 0, 9), 0);
}
END_TEST

START_TEST(a_range_past_the_end_is_an_error)
{
	ck_assert_int_eq(put("short", 1000, 9), 0);
	expect_code(get("short", 0, 1001, 9), ERR_IO);
	expect_code(get("short", 999, 2, 9), ERR_IO);
	expect_code(get("short", 1000, 1, 9), ERR_IO);
	expect_code(get("short", 5000, 10, 9), ERR_IO);
	ck_assert_int_eq(put("empty", 0, 9), 0);
	expect_code(get("empty", 0, 1, 9), ERR_IO);
}
END_TEST

START_TEST(several_objects_can_be_read_at_once)
{
	char one[10], two[10];
	struct object *first, *second;

	ck_assert_int_eq(put("one", 100, 1), 0);
	ck_assert_int_eq(put("two", 100, 2), 0);
	first = store_get(store, key("one"), 5, 10, &e);
	second = store_get(store, key("two"), 7, 10, &e);
	ck_assert_int_eq(store_read(first, one, 1, &e), 1);
	ck_assert_int_eq(store_read(second, two, 1, &e), 1);
	ck_assert_int_eq(one[0], made_byte(1, 5));
	ck_assert_int_eq(two[0], made_byte(2, 7));
	store_release(first);
	store_release(second);
}
END_TEST

START_TEST(what_is_not_there_is_no_input)
{
	uint64_t size;

	expect_code(get("nothing", 0, 10, 0), ERR_NOINPUT);
	expect_code(get("nothing", 0, 0, 0), ERR_NOINPUT);
	expect_code(store_size(store, key("nothing"), &size, &e), ERR_NOINPUT);
	ck_assert_int_eq(store_remove(store, key("nothing"), &e), 0);
	ck_assert_int_eq(store_remove(store, key("no/such/folder"), &e), 0);
	/* Nor is what other keys have in common. */
	ck_assert_int_eq(put("folder/key", 10, 1), 0);
	expect_code(get("folder", 0, 10, 0), ERR_NOINPUT);
	expect_code(store_size(store, key("folder"), &size, &e), ERR_NOINPUT);
	ck_assert_int_eq(store_remove(store, key("folder"), &e), 0);
	ck_assert_int_eq(get("folder/key", 0, 10, 1), 0);
}
END_TEST

START_TEST(a_key_that_exists_is_refused_and_unchanged)
{
	ck_assert_int_eq(put("taken", 2000000, 1), 0);
	expect_code(put("taken", 100, 2), ERR_DATA);
	expect_code(put("taken", 0, 2), ERR_DATA);
	ck_assert_ptr_nonnull(strstr(e.message, key("taken")));
	ck_assert_int_eq(get("taken", 0, 2000000, 1), 0);
}
END_TEST

START_TEST(a_source_that_fails_leaves_nothing)
{
	static const size_t lengths[] = {0, 1000, 5000000};
	uint64_t size;

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct made made = {.length = lengths[i], .half = break_off};

		expect_code(store_put(store, key("failed"), made_read, &made, &size, &e), ERR_AGAIN);
		ck_assert_str_eq(e.message, "the source fails");
		expect_invisible("failed");
	}
	ck_assert_int_eq(put("failed", 1000, 1), 0);
	ck_assert_int_eq(get("failed", 0, 1000, 1), 0);
}
END_TEST

static int
terminate(struct err *err)
{
	(void)err;
	if (!sig_pending())
		raise(SIGTERM);
	return 0;
}

START_TEST(a_signal_ends_a_put_and_leaves_nothing)
{
	struct made made = {.length = 20000000, .half = terminate};
	uint64_t size;

	sig_init();
	expect_code(store_put(store, key("stopped"), made_read, &made, &size, &e), ERR_SIGTERM);
	store_shield(store, true);
	expect_invisible("stopped");
}
END_TEST

static int
die(struct err *err)
{
	(void)err;
	raise(SIGKILL);
	return -1;
}

START_TEST(a_killed_put_leaves_nothing_visible_and_can_be_done_again)
{
	struct made made = {.length = 5000000, .half = die};
	uint64_t size;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(store_put(store, key("killed"), made_read, &made, &size, &e) + 2);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect_invisible("killed");
	ck_assert_int_eq(put("killed", 1000, 1), 0);
	ck_assert_int_eq(store_remove(store, key("killed"), &e), 0);
	expect_invisible("killed");
	/* What is left over is nobody's key either. */
	if (given == NULL)
		ck_assert_int_eq(system("test -z \"$(find . -type f)\""), 0);
}
END_TEST

START_TEST(a_removed_key_is_free_again)
{
	ck_assert_int_eq(put("once", 1000, 1), 0);
	ck_assert_int_eq(store_remove(store, key("once"), &e), 0);
	expect_invisible("once");
	ck_assert_int_eq(store_remove(store, key("once"), &e), 0);
	ck_assert_int_eq(put("once", 2000, 2), 0);
	ck_assert_int_eq(get("once", 0, 2000, 2), 0);
}
END_TEST

static int ready[2], go[2];

/* Say that half is given, and wait until everybody has come so far. */
static int
wait_for_all(struct err *err)
{
	static bool waited;
	char byte;

	if (waited)
		return 0;
	waited = true;
	if (write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) != 0)
		return err_set(err, ERR_BUG, "the barrier broke");
	return 0;
}

enum { WON = 10, LOST = 11 }; /* not 1, with which a failed assertion ends a child */

/* One of those who race: won, lost to a whole object, or something is wrong. */
static int
race(unsigned seed)
{
	struct made made = {.length = 3000000, .seed = seed, .half = wait_for_all};
	uint64_t size;

	store = open_store();
	if (store_put(store, key("raced"), made_read, &made, &size, &e) == 0)
		return !store_exclusive(store) || get("raced", 0, 3000000, seed) == 0 ? WON : 2;
	if (e.code != ERR_DATA)
		return 3;
	return store_size(store, key("raced"), &size, &e) == 0 && size == 3000000 ? LOST : 4;
}

/* Whose the object is: seeds are small, and what was made begins with its seed. */
static int
owner(void)
{
	struct object *object = store_get(store, key("raced"), 0, 1, &e);
	char byte = -1;

	ck_assert_msg(object != NULL && store_read(object, &byte, 1, &e) == 1, "%s", e.message);
	store_release(object);
	return byte;
}

START_TEST(of_concurrent_puts_of_one_key_one_wins_and_all_see_a_whole_object)
{
	enum { RACERS = 4 };
	pid_t children[RACERS];
	bool won[RACERS] = {false};
	int winners = 0;
	int winner;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
	for (unsigned i = 0; i < RACERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(go[1]);
			_exit(race(i));
		}
	}
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(go[1]);
	for (int i = 0; i < RACERS; i++) {
		int status;

		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert(WIFEXITED(status));
		ck_assert_msg(WEXITSTATUS(status) >= WON, "a racer ended with %d", WEXITSTATUS(status));
		won[i] = WEXITSTATUS(status) == WON;
		winners += won[i];
	}
	ck_assert_int_ge(winners, 1);
	if (store_exclusive(store))
		ck_assert_int_eq(winners, 1);
	winner = owner();
	ck_assert(winner >= 0 && winner < RACERS && won[winner]);
	ck_assert_int_eq(get("raced", 0, 3000000, (unsigned)winner), 0);
}
END_TEST

static int
gather(void *ctx, const char *name, struct err *err)
{
	(void)err;
	buf_printf(ctx, "%s\n", name + strlen(folder) + 1);
	return 0;
}

static int
stop_at_second(void *ctx, const char *name, struct err *err)
{
	return ++*(int *)ctx < 2 ? 0 : err_set(err, ERR_REJECTS, "enough at %s", name);
}

START_TEST(keys_are_listed_by_prefix_in_byte_order)
{
	static const char *const names[] = {"l/b", "l/a/b", "l/a-b", "l/a0", "l/a.b", "l/a_", "l/aa", "l/a/a/a", "m/a"};
	struct buf listed = {0};
	int count = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_int_eq(put(names[i], 1, 1), 0);
	ck_assert_int_eq(store_list(store, key("l"), gather, &listed, &e), 0);
	ck_assert_str_eq(listed.bytes, "l/a-b\nl/a.b\nl/a/a/a\nl/a/b\nl/a0\nl/a_\nl/aa\nl/b\n");
	buf_reset(&listed);
	ck_assert_int_eq(store_list(store, key("l/a/"), gather, &listed, &e), 0);
	ck_assert_str_eq(listed.bytes, "l/a/a/a\nl/a/b\n");
	buf_reset(&listed);
	ck_assert_int_eq(store_list(store, key("l/aa"), gather, &listed, &e), 0);
	ck_assert_str_eq(listed.bytes, "l/aa\n");
	buf_reset(&listed);
	ck_assert_int_eq(store_list(store, key("none"), gather, &listed, &e), 0);
	ck_assert_uint_eq(listed.length, 0);
	/* Whoever has seen enough ends it, with an error of its own. */
	expect_code(store_list(store, key("l"), stop_at_second, &count, &e), ERR_REJECTS);
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(strncmp(e.message, "enough at ", 10), 0);
	buf_fini(&listed);
}
END_TEST

START_TEST(the_longest_key_is_a_key)
{
	char name[256];
	size_t length = 200 - strlen(folder) - 1;

	memset(name, 'k', length);
	name[length] = '\0';
	name[3] = '/';
	ck_assert_int_eq(put(name, 1000, 1), 0);
	ck_assert_int_eq(get(name, 0, 1000, 1), 0);
	ck_assert_int_eq(store_remove(store, key(name), &e), 0);
}
END_TEST

START_TEST(what_is_no_key_is_a_bug)
{
	static const char *const bad[] = {"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/./b", ".tmp/a", "a/.b",
	    "A", "a b", "a\nb", "a%41", "a+b", "\xc3\xa9", "a\\b"};
	char long_key[202];
	uint64_t size;

	memset(long_key, 'k', 201);
	long_key[201] = '\0';
	for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
		const char *name = i < sizeof bad / sizeof *bad ? bad[i] : long_key;
		struct made made = {.length = 1};

		expect_code(store_put(store, name, made_read, &made, &size, &e), ERR_BUG);
		expect_code(store_get(store, name, 0, 1, &e) == NULL ? -1 : 0, ERR_BUG);
		expect_code(store_size(store, name, &size, &e), ERR_BUG);
		expect_code(store_remove(store, name, &e), ERR_BUG);
	}
	expect_code(store_get(store, "a", UINT64_MAX, 2, &e) == NULL ? -1 : 0, ERR_BUG);
	expect_code(store_get(store, "a", 1, INT64_MAX, &e) == NULL ? -1 : 0, ERR_BUG);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    what_is_put_is_got_back,
	    who_opens_the_store_later_sees_it,
	    a_range_is_given_from_its_start_to_its_end,
	    a_range_past_the_end_is_an_error,
	    several_objects_can_be_read_at_once,
	    what_is_not_there_is_no_input,
	    a_key_that_exists_is_refused_and_unchanged,
	    a_source_that_fails_leaves_nothing,
	    a_signal_ends_a_put_and_leaves_nothing,
	    a_killed_put_leaves_nothing_visible_and_can_be_done_again,
	    a_removed_key_is_free_again,
	    of_concurrent_puts_of_one_key_one_wins_and_all_see_a_whole_object,
	    keys_are_listed_by_prefix_in_byte_order,
	    the_longest_key_is_a_key,
	    what_is_no_key_is_a_bug,
	};

	return stores_run(tests, sizeof tests / sizeof *tests);
}
