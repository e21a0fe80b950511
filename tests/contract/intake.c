/* What an upload becomes, when its object is whole: DESIGN 5, "The same bytes again", row by row. */
#include "ledger/intake.h"
#include "jobs.h"

static int64_t job; /* of the last upload */
static struct intake_result result;

static void
begin(void)
{
	things_begin();
	things_ready("code text,note text", 1);
}

/* The same with a table whose records are appended. */
static void
begin_appended(void)
{
	things_end();
	things_begin();
	things_ready("note text", 0);
}

/* The upload of a file, for which a text stands, read by these options. */
static int
upload_with(const char *bytes, const char *options, struct intake in)
{
	unsigned char sha[32] = {0};
	char *object;

	memcpy(sha, bytes, strlen(bytes));
	in.sha256 = sha;
	in.bytes = strlen(bytes);
	OK(job_open(
	    pg, things.id, bytes, options, in.max_rejects != NULL ? in.max_rejects : "0", false, &in.job, &object, &e));
	free(object);
	job = in.job;
	return intake_store(pg, &things, &in, &result, &e);
}

static int
upload(const char *bytes)
{
	return upload_with(bytes, "{}", (struct intake){.force = false});
}

/* ... gives a job of its own. */
static int64_t
upload_new(const char *bytes)
{
	OK(upload(bytes));
	ck_assert_msg(!result.reused && !result.finished && result.job == job, "'%s'", result.notice);
	return job;
}

/* ... is that job once more; whether it still is to be worked on, and what is said of it. */
static void
upload_again(const char *bytes, int64_t same, bool finished, const char *notice)
{
	OK(upload(bytes));
	ck_assert(result.reused);
	ck_assert_int_eq(result.job, same);
	ck_assert_int_eq(result.finished, finished);
	ck_assert_msg(strstr(result.notice, notice) != NULL, "'%s'", result.notice);
	OK(job_discard(pg, job, &e));
}

/* ... is refused, and leaves nothing. */
static void
upload_refused(const char *bytes, enum err_code code, const char *message)
{
	FAILS(code, upload(bytes));
	ck_assert_msg(strstr(e.message, message) != NULL, "%s", e.message);
	expect("SELECT state FROM csvp.job WHERE id = (SELECT max(id) FROM csvp.job)", "uploading");
	OK(job_discard(pg, job, &e));
}

static void
set(int64_t id, const char *assignments)
{
	OK(pg_execf(pg, &e, "UPDATE csvp.job SET %s WHERE id = %lld", assignments, (long long)id));
}

/* It is split, and its one chunk in this state. */
static void
work(int64_t id, const char *chunk)
{
	set(id, "state = 'split', records = 10");
	chunk_row(id, 0, chunk);
}

static int64_t
upload_done(const char *bytes)
{
	int64_t id = upload_new(bytes);

	work(id, "indexed");
	return id;
}

START_TEST(an_unfinished_job_is_continued)
{
	int64_t first = upload_new("A");

	upload_again("A", first, false, "waiting: continued");
	work(first, "pending");
	upload_again("A", first, false, "loading: continued");
	sql(pg, "UPDATE csvp.chunk SET state = 'loaded'");
	upload_again("A", first, false, "indexing: continued");
	ck_assert_ptr_null(strstr(result.notice, "--force"));
}
END_TEST

START_TEST(a_job_with_failed_chunks_is_continued)
{
	int64_t first = upload_new("A");

	work(first, "failed");
	upload_again("A", first, false, "failed: continued");
}
END_TEST

START_TEST(a_job_with_failed_chunks_is_continued_whatever_its_rejects)
{
	int64_t first = upload_new("A");

	work(first, "loaded");
	reject_rows(first, 1);
	chunk_row(first, 1, "failed");
	upload_again("A", first, false, "failed: continued");
	set(first, "max_rejects = '5'");
	upload_again("A", first, false, "failed: continued");
}
END_TEST

START_TEST(a_job_whose_split_failed_is_continued)
{
	struct err why = {.code = ERR_DATA, .message = "no CSV"};
	int64_t first = upload_new("A");

	OK(job_set_error(pg, first, &why, &e));
	upload_again("A", first, false, "failed: continued");
}
END_TEST

START_TEST(who_is_continued_behind_a_later_job_hears_of_force)
{
	int64_t first = upload_new("A");

	upload_done("B");
	upload_again("A", first, false, "--force");
}
END_TEST

START_TEST(a_done_job_is_all_there_is_to_do)
{
	int64_t first = upload_done("A");

	upload_again("A", first, true, "nothing to do");
	expect("SELECT count(*), max(d.seq) FROM csvp.job j JOIN csvp.dataset d ON d.id = dataset", "1,1");
}
END_TEST

START_TEST(files_a_b_a_are_three_jobs)
{
	upload_done("A");
	upload_done("B");
	upload_done("A");
	upload_again("A", job, true, "nothing to do");
	expect("SELECT file, seq FROM csvp.job ORDER BY seq", "A,1 B,2 A,3");
}
END_TEST

START_TEST(after_an_edit_the_same_bytes_are_a_new_job)
{
	upload_done("A");
	sql(person, "INSERT INTO public.things VALUES ('a', 'x')");
	upload_done("A");
	/* The edit is older than that. */
	upload_again("A", job, true, "nothing to do");
}
END_TEST

START_TEST(an_edit_counts_even_if_only_a_cancelled_job_came_after_it)
{
	upload_done("A");
	sql(person, "INSERT INTO public.things VALUES ('a', 'x')");
	OK(job_set_cancelled(pg, upload_new("B"), &e));
	upload_new("A");
}
END_TEST

START_TEST(a_later_job_that_has_changed_nothing_is_none)
{
	struct err why = {.code = ERR_DATA, .message = "no CSV"};
	int64_t first = upload_done("A"), cancelled;

	OK(job_set_error(pg, upload_new("B"), &why, &e));
	cancelled = upload_new("C");
	work(cancelled, "pending");
	OK(job_set_cancelled(pg, cancelled, &e));
	upload_again("A", first, true, "nothing to do");
	/* Cancelled halfway. */
	chunk_row(cancelled, 1, "loaded");
	upload_new("A");
}
END_TEST

START_TEST(bytes_are_appended_again_only_by_force)
{
	int64_t first;

	begin_appended();
	first = upload_done("A");
	upload_again("A", first, true, "nothing to do");
	upload_done("B");
	upload_refused("A", ERR_DATA, "--force appends them once more");
	sql(pg, "UPDATE csvp.job SET cancelled = true WHERE file = 'B'; UPDATE csvp.chunk SET state = 'pending'"
		" FROM csvp.job WHERE id = job AND file = 'B'");
	upload_again("A", first, true, "nothing to do");
	sql(person, "INSERT INTO public.things VALUES ('x')");
	upload_refused("A", ERR_DATA, "which has changed since");
	OK(upload_with("A", "{}", (struct intake){.force = true}));
	ck_assert_int_eq(result.job, job);
}
END_TEST

START_TEST(a_job_that_failed_by_its_rejects_fails_again)
{
	int64_t first = upload_done("A");

	reject_rows(first, 1);
	FAILS(ERR_DATA, upload("A"));
	ck_assert(result.reused && result.finished);
	ck_assert_int_eq(result.job, first);
	ck_assert_msg(strstr(e.message, "failed by its rejects (1)") != NULL, "%s", e.message);
}
END_TEST

START_TEST(another_limit_of_rejects_only_changes_the_verdict)
{
	int64_t first = upload_done("A");

	reject_rows(first, 2);
	OK(upload_with("A", "{}", (struct intake){.max_rejects = "2"}));
	ck_assert(result.reused && result.finished);
	ck_assert_int_eq(result.job, first);
	/* It is kept, and so is one that makes it fail. */
	upload_again("A", first, true, "nothing to do");
	FAILS(ERR_DATA, upload_with("A", "{}", (struct intake){.max_rejects = "1"}));
	FAILS(ERR_DATA, upload("A"));
	ck_assert_int_eq(result.job, first);
}
END_TEST

START_TEST(other_options_of_reading_make_other_bytes)
{
	upload_done("A");
	OK(upload_with("A", "{\"pad\":true}", (struct intake){.force = false}));
	ck_assert(!result.reused);
}
END_TEST

START_TEST(a_paused_job_is_to_be_resumed)
{
	int64_t first = upload_new("A");

	OK(job_set_paused(pg, first, true, &e));
	upload_refused("A", ERR_AGAIN, "csvp-admin resume");
	OK(job_set_paused(pg, first, false, &e));
	upload_again("A", first, false, "continued");
}
END_TEST

START_TEST(the_bytes_of_a_cancelled_job_are_a_new_one)
{
	int64_t first = upload_new("A");

	OK(job_set_cancelled(pg, first, &e));
	upload_new("A");
}
END_TEST

START_TEST(a_table_that_is_dropped_at_this_moment_is_to_be_forgotten_first)
{
	upload_done("A");
	sql(person, "DROP TABLE public.things");
	upload_refused("A", ERR_AGAIN, "was dropped at this moment");
	upload_refused("B", ERR_AGAIN, "was dropped at this moment");
}
END_TEST

START_TEST(force_always_makes_a_new_job)
{
	upload_done("A");
	OK(upload_with("A", "{}", (struct intake){.force = true}));
	ck_assert_int_eq(result.job, job);
	OK(job_set_paused(pg, job, true, &e));
	OK(upload_with("A", "{}", (struct intake){.force = true}));
	ck_assert_int_eq(result.job, job);
}
END_TEST

START_TEST(jobs_are_numbered_by_the_end_of_their_uploads)
{
	char *object;
	int64_t open;

	OK(job_open(pg, things.id, "open.csv", "{}", "0", false, &open, &object, &e));
	upload_new("A");
	upload_new("B");
	expect("SELECT file, seq, bytes, state FROM csvp.job ORDER BY seq",
	    "A,1,1,stored B,2,1,stored open.csv,-,-,uploading");
	free(object);
}
END_TEST

START_TEST(edits_come_after_the_newest_job_and_before_the_next)
{
	static const char newest[] = "SELECT _version >> 39, _version & (1::bigint << 38) > 0 FROM public.things"
				     " ORDER BY _version DESC LIMIT 1";

	upload_new("A");
	sql(person, "INSERT INTO public.things VALUES ('a', 'x')");
	expect(newest, "1,t");
	upload_new("B");
	sql(person, "UPDATE public.things SET note = 'y'");
	expect(newest, "2,t");
}
END_TEST

START_TEST(a_number_whose_edits_exist_already_is_passed_over)
{
	upload_new("A");
	/* An upload that failed in its commit had raised the sequence: setval stays. */
	OK(pg_execf(pg, &e, "SELECT setval('csvp.version_%lld', %lld)", (long long)things.id,
	    (long long)ledger_version(2, (uint64_t)LEDGER_EDIT_BIT)));
	sql(person, "INSERT INTO public.things VALUES ('a', 'x')");
	upload_new("B");
	expect("SELECT file, seq FROM csvp.job ORDER BY seq", "A,1 B,3");
}
END_TEST

START_TEST(the_first_live_job_fixes_the_key)
{
	const char *code[] = {"code"}, *both[] = {"Big Note", "code"}, *other[] = {"code", "big_note"};
	const char *note[] = {"note"};

	sql(pg, "DELETE FROM csvp.dataset_column; UPDATE csvp.dataset SET state = 'new', key = '{}'");
	OK(upload_with("A", "{}", (struct intake){.key = note, .key_count = 1}));
	OK(intake_check_key(pg, &things, note, 1, &e));
	OK(intake_check_key(pg, &things, NULL, 0, &e));
	FAILS(ERR_DATA, intake_check_key(pg, &things, code, 1, &e));
	ck_assert_msg(strstr(e.message, "is note, not code") != NULL, "%s", e.message);
	FAILS(ERR_DATA, upload_with("B", "{}", (struct intake){.key = code, .key_count = 1}));
	/* It is cancelled, or no CSV: the next one may say. */
	sql(pg, "UPDATE csvp.job SET cancelled = true");
	OK(upload_with("B", "{}", (struct intake){.key = both, .key_count = 2}));
	expect("SELECT key FROM csvp.dataset", "{\"Big Note\",code}");
	/* In any order, by header or by name. */
	OK(pg_execf(
	    pg, &e, "INSERT INTO csvp.dataset_column VALUES (%lld, 0, 'Big Note', 'big_note')", (long long)things.id));
	OK(intake_check_key(pg, &things, other, 2, &e));
}
END_TEST

START_TEST(a_dataset_that_is_appended_to_stays_so)
{
	const char *key[] = {"note"};

	begin_appended();
	upload_new("A");
	FAILS(ERR_DATA, upload_with("B", "{}", (struct intake){.key = key, .key_count = 1}));
	ck_assert_msg(strstr(e.message, "has no key") != NULL, "%s", e.message);
}
END_TEST

START_TEST(there_are_limits)
{
	FAILS(ERR_DATA, upload_with("A", "{}", (struct intake){.object_bytes = LEDGER_MAX_OBJECT + 1}));
	OK(upload_with("A", "{}", (struct intake){.object_bytes = LEDGER_MAX_OBJECT}));
	sql(pg, "UPDATE csvp.dataset SET seq = (1 << 24) - 2");
	upload_new("B");
	FAILS(ERR_DATA, upload("C"));
	ck_assert_msg(strstr(e.message, "has had 16777215 jobs") != NULL, "%s", e.message);
}
END_TEST

/* In a process of its own. */
static pid_t
upload_meanwhile(const char *bytes)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	pg = session_open("application_name=meanwhile");
	OK(upload(bytes));
	_exit(result.reused ? 1 : 0);
}

START_TEST(two_uploads_of_the_same_bytes_at_once_are_one_job)
{
	int status, reused = 0;

	/* Both have moved their bytes, and wait for the dataset. */
	OK(pg_begin(person, &e));
	OK(pg_exec(person, "SELECT FROM csvp.dataset FOR NO KEY UPDATE", &e));
	upload_meanwhile("A");
	upload_meanwhile("A");
	session_wait_until(pg, "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'meanwhile'"
			       " AND wait_event_type = 'Lock') = 2");
	OK(pg_commit(person, &e));
	for (int i = 0; i < 2; i++) {
		while (wait(&status) < 0)
			continue;
		reused += WEXITSTATUS(status);
	}
	ck_assert_int_eq(reused, 1);
	expect("SELECT state, seq FROM csvp.job ORDER BY seq", "stored,1 uploading,-");
}
END_TEST

/* The upload of bytes that the caller calls by a name. */
static int
upload_named(const char *bytes, const char *name)
{
	return upload_with(bytes, "{}", (struct intake){.request = name});
}

START_TEST(a_name_stands_for_the_same_job_whatever_became_of_it)
{
	int64_t first;

	OK(upload_named("A", "one"));
	first = job;
	ck_assert(!result.reused);
	OK(upload_named("A", "one"));
	ck_assert(result.reused);
	ck_assert_int_eq(result.job, first);
	OK(job_discard(pg, job, &e));
	/* The same bytes without it would be a new job now, and with force in any case. */
	OK(job_set_cancelled(pg, first, &e));
	OK(upload_with("A", "{}", (struct intake){.request = "one", .force = true}));
	ck_assert_int_eq(result.job, first);
	OK(job_discard(pg, job, &e));
	OK(upload_named("A", "two"));
	ck_assert_int_eq(result.job, job);
}
END_TEST

START_TEST(a_name_stands_for_one_file_and_one_way_to_read_it)
{
	OK(upload_named("A", "one"));
	FAILS(ERR_DATA, upload_named("B", "one"));
	ck_assert_msg(strstr(e.message, "other bytes or options") != NULL, "%s", e.message);
	OK(job_discard(pg, job, &e));
	FAILS(ERR_DATA, upload_with("A", "{\"pad\":true}", (struct intake){.request = "one"}));
	OK(job_discard(pg, job, &e));
	/* What was refused has left no name behind. */
	FAILS(ERR_DATA,
	    upload_with("C", "{}", (struct intake){.request = "c", .key = (const char *[]){"note"}, .key_count = 1}));
	OK(job_discard(pg, job, &e));
	OK(upload_named("B", "c"));
	ck_assert_int_eq(result.job, job);
}
END_TEST

START_TEST(bytes_that_are_known_take_a_name_too)
{
	int64_t first = upload_done("A");

	OK(upload_named("A", "one"));
	ck_assert_int_eq(result.job, first);
	OK(job_discard(pg, job, &e));
	FAILS(ERR_DATA, upload_named("B", "one"));
	OK(job_discard(pg, job, &e));
	/* It goes with its job. */
	sql(pg, "DELETE FROM csvp.job");
	OK(upload_named("B", "one"));
	ck_assert_int_eq(result.job, job);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {an_unfinished_job_is_continued, a_job_with_failed_chunks_is_continued,
	    a_job_with_failed_chunks_is_continued_whatever_its_rejects, a_job_whose_split_failed_is_continued,
	    who_is_continued_behind_a_later_job_hears_of_force, a_done_job_is_all_there_is_to_do,
	    files_a_b_a_are_three_jobs, after_an_edit_the_same_bytes_are_a_new_job,
	    an_edit_counts_even_if_only_a_cancelled_job_came_after_it, a_later_job_that_has_changed_nothing_is_none,
	    bytes_are_appended_again_only_by_force, a_job_that_failed_by_its_rejects_fails_again,
	    another_limit_of_rejects_only_changes_the_verdict, other_options_of_reading_make_other_bytes,
	    a_paused_job_is_to_be_resumed, the_bytes_of_a_cancelled_job_are_a_new_one,
	    a_table_that_is_dropped_at_this_moment_is_to_be_forgotten_first, force_always_makes_a_new_job,
	    jobs_are_numbered_by_the_end_of_their_uploads, edits_come_after_the_newest_job_and_before_the_next,
	    a_number_whose_edits_exist_already_is_passed_over, the_first_live_job_fixes_the_key,
	    a_dataset_that_is_appended_to_stays_so, there_are_limits, two_uploads_of_the_same_bytes_at_once_are_one_job,
	    a_name_stands_for_the_same_job_whatever_became_of_it, a_name_stands_for_one_file_and_one_way_to_read_it,
	    bytes_that_are_known_take_a_name_too};

	return session_run("intake", begin, things_end, tests, sizeof tests / sizeof *tests);
}
