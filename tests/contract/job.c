/* What a job is said to be, and to end with: DESIGN 6, row by row. */
#include "jobs.h"

static int64_t job;

static void
begin(void)
{
	things_begin();
	things_ready("code text,amount numeric", 1);
	job = job_row(NULL);
}

/* "STATE CODE", as job_verdict tells it. */
static void
expect_verdict(const char *expected)
{
	struct job_verdict v;
	char text[40];

	OK(job_verdict(pg, job, &v, &e));
	snprintf(text, sizeof text, "%s %d", v.state, (int)v.code);
	ck_assert_str_eq(text, expected);
}

static void
set(const char *assignments)
{
	OK(pg_execf(pg, &e, "UPDATE csvp.job SET %s WHERE id = %lld", assignments, (long long)job));
}

START_TEST(the_first_state_that_fits_is_the_jobs)
{
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "failed");
	chunk_row(job, 2, "pending");
	/* From the last word to the first: each says more than all below it. */
	set("max_rejects = '0'");
	reject_rows(job, 1);
	expect_verdict("loading 75");
	set("fail_fast = true");
	expect_verdict("failed 65");
	set("state = 'stored'");
	expect_verdict("waiting 75");
	set("error = 'no CSV', error_code = 65");
	expect_verdict("failed 65");
	set("error = NULL, error_code = NULL, state = 'uploading'");
	expect_verdict("uploading 75");
	set("paused = true");
	expect_verdict("paused 75");
	set("cancelled = true");
	expect_verdict("cancelled 65");
}
END_TEST

START_TEST(a_job_with_a_chunk_pending_is_loading)
{
	chunk_row(job, 0, "indexed");
	chunk_row(job, 1, "pending");
	expect_verdict("loading 75");
}
END_TEST

START_TEST(a_chunk_whose_lock_is_held_is_running)
{
	struct job_verdict v;
	int64_t key = ledger_lock_key(LEDGER_LOCK_CHUNK, job, 1);

	chunk_row(job, 0, "pending");
	chunk_row(job, 1, "pending");
	chunk_row(job, 2, "loaded");
	OK(pg_lock(person, key, &e));
	OK(job_verdict(pg, job, &v, &e));
	ck_assert_int_eq(v.pending, 1);
	ck_assert_int_eq(v.held, 1);
	ck_assert_int_eq(v.to_index, 1);
	pg_unlock(person, key);
	OK(job_verdict(pg, job, &v, &e));
	ck_assert_int_eq(v.pending, 2);
	ck_assert_int_eq(v.held, 0);
}
END_TEST

START_TEST(what_is_loaded_is_loading_until_its_dataset_has_its_key)
{
	chunk_row(job, 0, "loaded");
	sql(pg, "UPDATE csvp.dataset SET state = 'building'");
	expect_verdict("loading 75");
	sql(pg, "UPDATE csvp.dataset SET state = 'ready'");
	expect_verdict("indexing 0");
}
END_TEST

START_TEST(a_failed_chunk_fails_the_job_once_nothing_is_pending)
{
	struct job_verdict v;

	chunk_row(job, 0, "failed");
	chunk_row(job, 1, "pending");
	expect_verdict("loading 75");
	sql(pg, "UPDATE csvp.chunk SET state = 'loaded' WHERE number = 1");
	expect_verdict("failed 65");
	OK(job_verdict(pg, job, &v, &e));
	ck_assert_int_eq(v.failed, 1);
}
END_TEST

START_TEST(the_error_of_a_split_is_the_jobs_code)
{
	struct err why = {.code = ERR_IO, .message = "the disk is full"};
	struct job row;

	set("state = 'stored'");
	expect_verdict("waiting 75");
	OK(job_set_error(pg, job, &why, &e));
	expect_verdict("failed 74");
	OK(job_load(pg, job, &row, &e));
	ck_assert_str_eq(row.error, "the disk is full");
	ck_assert_int_eq(row.error_code, ERR_IO);
	job_fini(&row);
}
END_TEST

START_TEST(rejects_within_the_limit_are_3_and_over_it_65)
{
	chunk_row(job, 0, "indexed");
	reject_rows(job, 2);
	OK(job_set_limit(pg, job, "2", &e));
	expect_verdict("done 3");
	OK(job_set_limit(pg, job, "1", &e));
	expect_verdict("failed 65");
}
END_TEST

START_TEST(a_limit_in_percent_is_of_the_records_split)
{
	chunk_row(job, 0, "indexed");
	reject_rows(job, 2);
	OK(job_set_limit(pg, job, "20%", &e));
	expect_verdict("done 3");
	OK(job_set_limit(pg, job, "19%", &e));
	expect_verdict("failed 65");
	FAILS(ERR_USAGE, job_set_limit(pg, job, "101%", &e));
	FAILS(ERR_USAGE, job_set_limit(pg, job, "some", &e));
}
END_TEST

START_TEST(a_replayed_reject_is_none_any_more)
{
	chunk_row(job, 0, "indexed");
	reject_rows(job, 2);
	expect_verdict("failed 65");
	sql(pg, "UPDATE csvp.reject SET replayed = true WHERE byte = 0");
	OK(job_set_limit(pg, job, "1", &e));
	expect_verdict("done 3");
	sql(pg, "UPDATE csvp.reject SET replayed = true");
	OK(job_set_limit(pg, job, "0", &e));
	expect_verdict("done 0");
}
END_TEST

START_TEST(a_limit_says_nothing_before_the_end_unless_it_is_to_fail_fast)
{
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "pending");
	reject_rows(job, 1);
	expect_verdict("loading 75");
	set("fail_fast = true");
	expect_verdict("failed 65");
}
END_TEST

START_TEST(a_job_is_done_when_all_its_chunks_are_indexed)
{
	chunk_row(job, 0, "indexed");
	chunk_row(job, 1, "loaded");
	expect_verdict("indexing 0");
	sql(pg, "UPDATE csvp.chunk SET state = 'indexed'");
	expect_verdict("done 0");
}
END_TEST

START_TEST(a_job_without_chunks_is_done_whatever_its_dataset)
{
	sql(pg, "UPDATE csvp.dataset SET state = 'building'");
	expect_verdict("done 0");
}
END_TEST

START_TEST(earlier_jobs_are_finished_when_nothing_of_theirs_can_come)
{
	int64_t earlier = job;
	struct job row;

	job = job_row(NULL);
	chunk_row(earlier, 0, "pending");
	OK(job_load(pg, job, &row, &e));
	ck_assert_int_eq(job_earlier_finished(pg, &row, &e), 0);
	sql(pg, "UPDATE csvp.chunk SET state = 'failed'");
	ck_assert_int_eq(job_earlier_finished(pg, &row, &e), 0);
	sql(pg, "UPDATE csvp.chunk SET state = 'loaded'");
	ck_assert_int_eq(job_earlier_finished(pg, &row, &e), 1);
	/* A reject may be replayed. */
	reject_rows(earlier, 1);
	ck_assert_int_eq(job_earlier_finished(pg, &row, &e), 0);
	OK(job_set_cancelled(pg, earlier, &e));
	ck_assert_int_eq(job_earlier_finished(pg, &row, &e), 1);
	job_fini(&row);
}
END_TEST

START_TEST(the_lowest_job_to_split_is_stored_and_alive)
{
	int64_t second = job_row("state = 'stored'"), third = job_row("state = 'stored'");

	ck_assert_int_eq(job_lowest_unsplit(pg, things.id, &e), second);
	OK(job_set_cancelled(pg, second, &e));
	ck_assert_int_eq(job_lowest_unsplit(pg, things.id, &e), third);
	sql(pg, "UPDATE csvp.job SET error = 'no CSV' WHERE NOT cancelled");
	ck_assert_int_eq(job_lowest_unsplit(pg, things.id, &e), 0);
}
END_TEST

START_TEST(a_split_keeps_its_columns_and_takes_back_an_earlier_error)
{
	struct err why = {.code = ERR_DATA, .message = "no CSV"};
	struct job row;

	set("state = 'stored'");
	OK(job_set_error(pg, job, &why, &e));
	OK(job_set_split(pg, job, (const int[]){2, -1, 0}, 3, true, 7, 1, &e));
	OK(job_load(pg, job, &row, &e));
	ck_assert_int_eq(row.state, JOB_SPLIT);
	ck_assert(row.unique_keys);
	ck_assert_ptr_null(row.error);
	ck_assert_uint_eq(row.column_count, 3);
	ck_assert_int_eq(row.columns[0], 2);
	ck_assert_int_eq(row.columns[1], -1);
	ck_assert_int_eq(row.columns[2], 0);
	job_fini(&row);
	expect("SELECT records, blank_lines, error, error_code, finished_at FROM csvp.job", "7,1,-,-,-");
}
END_TEST

START_TEST(a_job_starts_and_ends_once)
{
	static const char times[] = "SELECT started_at, finished_at FROM csvp.job";
	char *before;

	OK(job_set_started(pg, job, &e));
	OK(job_set_finished(pg, job, &e));
	before = answer(times);
	ck_assert_ptr_null(strstr(before, "-,"));
	OK(job_set_started(pg, job, &e));
	OK(job_set_finished(pg, job, &e));
	OK(job_set_cancelled(pg, job, &e));
	expect(times, before);
	free(before);
}
END_TEST

START_TEST(who_cancels_waits_for_the_worker_that_is_about_to_commit)
{
	pid_t child;
	char *cancel = buf_format("UPDATE csvp.job SET error = 'too early' WHERE id = %lld AND cancelled;"
				  "COMMIT",
	    (long long)job);

	/* The worker's last statement; it commits when somebody waits for it. */
	child = fork();
	if (child == 0) {
		struct pg *worker = session_open("application_name=meanwhile");

		OK(pg_begin(worker, &e));
		OK(pg_exec(worker, "SELECT FROM csvp.job FOR SHARE", &e));
		session_wait_until(worker, "EXISTS (SELECT FROM pg_locks WHERE NOT granted)");
		OK(pg_exec(worker, cancel, &e));
		pg_close(worker);
		_exit(0);
	}
	session_wait_until(person,
	    "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'meanwhile' AND query LIKE '%granted%')");
	OK(job_set_cancelled(pg, job, &e));
	session_join(child);
	expect("SELECT cancelled, error FROM csvp.job", "t,-");
	free(cancel);
}
END_TEST

START_TEST(an_upload_opens_a_job_that_only_it_can_discard)
{
	struct job row;
	int64_t id, *ids;
	char *object, *prefix;
	size_t count;

	OK(job_open(pg, things.id, "more.csv", "{}", "5", true, &id, &object, &e));
	OK(job_objects(pg, things.id, &prefix, &e));
	ck_assert_msg(strncmp(object, prefix, strlen(prefix)) == 0, "%s, %s", object, prefix);
	OK(job_load(pg, id, &row, &e));
	ck_assert_int_eq(row.state, JOB_UPLOADING);
	ck_assert_int_eq(row.seq, 0);
	ck_assert(row.fail_fast);
	ck_assert_str_eq(row.object, object);
	job_fini(&row);
	OK(job_uploading(pg, things.id, &ids, &count, &e));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(ids[0], id);
	OK(job_discard(pg, job, &e));
	OK(job_discard(pg, id, &e));
	FAILS(ERR_NOINPUT, job_load(pg, id, &row, &e));
	expect("SELECT count(*) FROM csvp.job", "1");
	free(ids);
	free(object);
	free(prefix);
}
END_TEST

START_TEST(there_is_no_job_of_that_number)
{
	struct job_verdict v;
	struct job row;

	FAILS(ERR_NOINPUT, job_load(pg, job + 1, &row, &e));
	FAILS(ERR_NOINPUT, job_verdict(pg, job + 1, &v, &e));
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {the_first_state_that_fits_is_the_jobs, a_job_with_a_chunk_pending_is_loading,
	    a_chunk_whose_lock_is_held_is_running, what_is_loaded_is_loading_until_its_dataset_has_its_key,
	    a_failed_chunk_fails_the_job_once_nothing_is_pending, the_error_of_a_split_is_the_jobs_code,
	    rejects_within_the_limit_are_3_and_over_it_65, a_limit_in_percent_is_of_the_records_split,
	    a_replayed_reject_is_none_any_more, a_limit_says_nothing_before_the_end_unless_it_is_to_fail_fast,
	    a_job_is_done_when_all_its_chunks_are_indexed, a_job_without_chunks_is_done_whatever_its_dataset,
	    earlier_jobs_are_finished_when_nothing_of_theirs_can_come, the_lowest_job_to_split_is_stored_and_alive,
	    a_split_keeps_its_columns_and_takes_back_an_earlier_error, a_job_starts_and_ends_once,
	    who_cancels_waits_for_the_worker_that_is_about_to_commit, an_upload_opens_a_job_that_only_it_can_discard,
	    there_is_no_job_of_that_number};

	return session_run("job", begin, things_end, tests, sizeof tests / sizeof *tests);
}
