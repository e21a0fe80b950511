/* A first load ends: the table gets its key, whoever finds that nothing is to come. */
#include "flow/finalise.h"
#include "jobs.h"
#include "table/copyin.h"

#define ROWS "SELECT code, note, _version >> 39 FROM public.things ORDER BY code, _version"
#define DATASET                                                                                                        \
	"SELECT state, (SELECT count(*) FROM pg_index WHERE indrelid = 'public.things'::regclass) FROM csvp.dataset"

static int64_t job;

/* The first job's chunks of a hundred bytes each, this is one of them. */
static void
copy(const char *csv)
{
	things_records(1, csv);
	batch_group_each(&batch);
	OK(pg_begin(pg, &e));
	OK(copyin_groups(pg, &batch, 0, batch.group_count, "COPY public.things FROM STDIN", &e));
	OK(pg_commit(pg, &e));
}

static void
begin(void)
{
	things_begin();
	things_building("code text,note text", 1);
	job = job_row(NULL);
	things_seq(1);
	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET builder = %lld", (long long)job));
}

static int
finalise(bool now)
{
	int result = finalise_dataset(pg, things.id, now, &e);

	ck_assert_msg(result >= 0, "%s", e.message);
	ck_assert(!pg_in_transaction(pg));
	return result;
}

START_TEST(while_chunks_are_to_come_nothing_is_built)
{
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "pending");
	ck_assert_int_eq(finalise(false), 0);
	expect(DATASET, "building,0");
}
END_TEST

START_TEST(once_all_are_loaded_failed_or_cancelled_the_key_is_built)
{
	copy("a,x\nb,y\n");
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "failed");
	ck_assert_int_eq(finalise(false), 1);
	expect(DATASET, "ready,1");
	/* Again: it is ready. */
	ck_assert_int_eq(finalise(false), 1);
	expect(ROWS, "a,x,1 b,y,1");
}
END_TEST

START_TEST(what_is_cancelled_is_not_waited_for)
{
	chunk_row(job, 0, "pending");
	OK(job_set_cancelled(pg, job, &e));
	ck_assert_int_eq(finalise(false), 1);
}
END_TEST

START_TEST(chunks_of_other_jobs_are_not_waited_for)
{
	int64_t later = job_row(NULL);

	chunk_row(later, 0, "pending");
	chunk_row(job, 0, "loaded");
	ck_assert_int_eq(finalise(false), 1);
}
END_TEST

START_TEST(early_is_right_too)
{
	copy("a,x\n");
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "pending");
	ck_assert_int_eq(finalise(true), 1);
	expect(DATASET, "ready,1");
	expect("SELECT state FROM csvp.chunk ORDER BY number", "loaded pending");
}
END_TEST

START_TEST(a_new_dataset_has_nothing_to_finalise)
{
	sql(pg, "UPDATE csvp.dataset SET state = 'new'");
	ck_assert_int_eq(finalise(true), 0);
	expect(DATASET, "new,0");
}
END_TEST

START_TEST(of_doubled_keys_the_newest_stays_and_the_books_of_their_chunks_say_so)
{
	/* Records of 20 bytes: five of a chunk. */
	copy("a,12345678901234567\nb,12345678901234567\na,12345678901234567\nc,12345678901234567\nd,12345678901234567\n"
	     "a,last 901234567890\nb,last 901234567890\n");
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "loaded");
	ck_assert_int_eq(finalise(false), 1);
	expect("SELECT code, substr(note, 1, 4) FROM public.things ORDER BY 1", "a,last b,last c,1234 d,1234");
	expect("SELECT number, inserted, superseded FROM csvp.chunk ORDER BY 1", "0,7,3 1,10,0");
}
END_TEST

START_TEST(the_last_of_a_key_may_stand_before_others_in_the_table)
{
	copy("a,x\na,y\na,z\n");
	sql(pg, "UPDATE public.things SET note = note");
	chunk_row(job, 0, "loaded");
	ck_assert_int_eq(finalise(false), 1);
	expect(ROWS, "a,z,1");
	expect("SELECT inserted, superseded FROM csvp.chunk", "8,2");
}
END_TEST

START_TEST(a_deleted_key_is_not_brought_back_by_a_chunk_that_came_later)
{
	copy("a,x\nb,y\n");
	sql(person, "DELETE FROM public.things WHERE code = 'a'");
	copy("a,x\n");
	chunk_row(job, 0, "loaded");
	ck_assert_int_eq(finalise(false), 1);
	expect(ROWS, "b,y,1");
	expect("SELECT inserted, superseded FROM csvp.chunk", "9,1");
}
END_TEST

START_TEST(a_persons_insert_may_double_a_key_that_is_proven_unique)
{
	sql(pg, "UPDATE csvp.job SET unique_keys = true");
	copy("a,x\nb,y\n");
	sql(person, "INSERT INTO public.things VALUES ('a', 'mine')");
	chunk_row(job, 0, "loaded");
	ck_assert_int_eq(finalise(false), 1);
	expect(ROWS, "a,mine,1 b,y,1");
	expect("SELECT inserted, superseded FROM csvp.chunk", "9,1");
	expect("SELECT key, deleted FROM csvp.change", "{a},f");
}
END_TEST

START_TEST(an_edit_that_is_beaten_is_in_no_chunks_books)
{
	copy("b,y\n");
	sql(person, "INSERT INTO public.things VALUES ('a', 'first'), ('a', 'second')");
	chunk_row(job, 0, "loaded");
	ck_assert_int_eq(finalise(false), 1);
	expect(ROWS, "a,second,1 b,y,1");
	expect("SELECT inserted, superseded FROM csvp.chunk", "10,0");
}
END_TEST

START_TEST(of_two_at_once_one_builds_and_both_find_it_ready)
{
	pid_t children[2];

	copy("a,x\na,y\n");
	chunk_row(job, 0, "loaded");
	/* Both have found that nothing is to come, and wait for the table. */
	OK(pg_begin(person, &e));
	OK(pg_exec(person, "LOCK TABLE public.things IN ROW EXCLUSIVE MODE", &e));
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0) {
			pg = session_open("application_name=meanwhile");
			ck_assert_int_eq(finalise(false), 1);
			pg_close(pg);
			_exit(0);
		}
	}
	session_wait_until(pg, "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'meanwhile'"
			       " AND wait_event_type = 'Lock') = 2");
	OK(pg_commit(person, &e));
	session_join(children[0]);
	session_join(children[1]);
	expect(DATASET, "ready,1");
	expect("SELECT inserted, superseded FROM csvp.chunk", "9,1");
}
END_TEST

START_TEST(a_table_that_was_dropped_is_said_to_be)
{
	sql(person, "DROP TABLE public.things");
	FAILS(ERR_DATA, finalise_dataset(pg, things.id, false, &e));
	ck_assert_msg(strstr(e.message, "was dropped") != NULL, "%s", e.message);
	ck_assert(!pg_in_transaction(pg));
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {while_chunks_are_to_come_nothing_is_built,
	    once_all_are_loaded_failed_or_cancelled_the_key_is_built, what_is_cancelled_is_not_waited_for,
	    chunks_of_other_jobs_are_not_waited_for, early_is_right_too, a_new_dataset_has_nothing_to_finalise,
	    of_doubled_keys_the_newest_stays_and_the_books_of_their_chunks_say_so,
	    the_last_of_a_key_may_stand_before_others_in_the_table,
	    a_deleted_key_is_not_brought_back_by_a_chunk_that_came_later,
	    a_persons_insert_may_double_a_key_that_is_proven_unique, an_edit_that_is_beaten_is_in_no_chunks_books,
	    of_two_at_once_one_builds_and_both_find_it_ready, a_table_that_was_dropped_is_said_to_be};

	return session_run("finalise", begin, things_end, tests, sizeof tests / sizeof *tests);
}
