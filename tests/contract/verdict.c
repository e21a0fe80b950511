/* What the end of a load or index stage has to tell of its jobs: DESIGN 2, "Failure travels down the pipe". */
#include "flow/verdict.h"
#include "flow/site.h"
#include "jobs.h"

static struct site *site;
static int64_t job;

static void
begin(void)
{
	char *folder = buf_format("%s/site", session_folder);

	things_begin();
	things_ready("code text,amount numeric", 1);
	job = job_row(NULL);
	setenv("CSVP_DATABASE_URL", session_conninfo.bytes, 1);
	setenv("CSVP_CONFIG", "/dev/null", 1);
	setenv("CSVP_HOME", folder, 1);
	site = site_open(&e);
	ck_assert_msg(site != NULL, "%s", e.message);
	free(folder);
}

static void
end(void)
{
	site_close(site);
	things_end();
}

/* The codes that load and index end with. */
static void
concludes(enum err_code load, enum err_code index)
{
	const long long jobs[] = {job};

	e.code = ERR_NONE;
	ck_assert_int_eq(verdict_after_load(site, jobs, 1, true, &e), load == ERR_NONE ? 0 : -1);
	ck_assert_int_eq(e.code, load);
	e.code = ERR_NONE;
	ck_assert_int_eq(verdict_after_index(site, jobs, 1, true, &e), index == ERR_NONE ? 0 : -1);
	ck_assert_int_eq(e.code, index);
}

START_TEST(a_job_that_is_not_split_is_75)
{
	OK(pg_execf(pg, &e, "UPDATE csvp.job SET state = 'stored'"));
	concludes(ERR_AGAIN, ERR_AGAIN);
}
END_TEST

START_TEST(a_chunk_pending_that_nobody_holds_is_75_for_index)
{
	chunk_row(job, 0, "pending");
	chunk_row(job, 1, "loaded");
	concludes(ERR_NONE, ERR_AGAIN);
}
END_TEST

START_TEST(once_nothing_is_pending_it_is_the_jobs_verdict)
{
	chunk_row(job, 0, "indexed");
	concludes(ERR_NONE, ERR_NONE);
	reject_rows(job, 1);
	concludes(ERR_DATA, ERR_DATA);
	OK(job_set_limit(pg, job, "1", &e));
	concludes(ERR_REJECTS, ERR_REJECTS);
}
END_TEST

START_TEST(a_chunk_loaded_that_nobody_indexes_is_75_for_index)
{
	struct pg *other = session_open("");

	chunk_row(job, 0, "indexed");
	chunk_row(job, 1, "loaded");
	concludes(ERR_NONE, ERR_AGAIN);
	OK(pg_lock(other, ledger_lock_key(LEDGER_LOCK_CHUNK, job, 1), &e));
	concludes(ERR_NONE, ERR_NONE);
	pg_close(other);
}
END_TEST

START_TEST(failed_chunks_are_65)
{
	chunk_row(job, 0, "failed");
	concludes(ERR_DATA, ERR_DATA);
}
END_TEST

START_TEST(a_key_that_nobody_built_is_built)
{
	things_end();
	things_begin();
	things_building("code text,amount numeric", 1);
	job = job_row(NULL);
	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET builder = %lld", (long long)job));
	chunk_row(job, 0, "loaded");
	concludes(ERR_NONE, ERR_AGAIN);
	expect("SELECT state FROM csvp.dataset", "ready");
}
END_TEST

START_TEST(the_worst_of_several_jobs_counts)
{
	int64_t bad = job_row(NULL), open = job_row("state = 'stored'");
	const long long jobs[] = {bad, job, open};

	chunk_row(job, 0, "indexed");
	chunk_row(bad, 0, "indexed");
	reject_rows(bad, 1);
	ck_assert_int_eq(verdict_after_load(site, jobs, 2, true, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_int_eq(verdict_after_load(site, jobs, 3, true, &e), -1);
	ck_assert_int_eq(e.code, ERR_AGAIN);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {a_job_that_is_not_split_is_75, a_chunk_pending_that_nobody_holds_is_75_for_index,
	    once_nothing_is_pending_it_is_the_jobs_verdict, a_chunk_loaded_that_nobody_indexes_is_75_for_index,
	    failed_chunks_are_65, a_key_that_nobody_built_is_built, the_worst_of_several_jobs_counts};

	return session_run("verdict", begin, end, tests, sizeof tests / sizeof *tests);
}
