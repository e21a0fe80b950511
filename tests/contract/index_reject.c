/* The rows that a search engine refuses: kept, forgotten, counted for their jobs, never both at once. */
#include "ledger/index_reject.h"
#include "jobs.h"

static int64_t job;

static void
begin(void)
{
	things_begin();
	things_ready("code text,amount numeric", 1);
	job_row(NULL);
	job = job_row(NULL);
}

static void
keep(const char *key, int64_t version, const char *reason)
{
	OK(pg_begin(pg, &e));
	OK(index_reject_begin(pg, things.id, true, &e));
	OK(index_reject_keep(pg, things.id, &key, 1, version, reason, &e));
	OK(pg_commit(pg, &e));
}

static int
note(void *ctx, const struct index_reject *reject, struct err *err)
{
	(void)err;
	buf_printf(ctx, "%s %s %s %lld %s;", reject->key, reject->parts, reject->job == job ? "job" : "-",
	    reject->job != 0 ? (long long)reject->byte : -1, reject->reason);
	return 0;
}

static void
listed(const char *expected)
{
	struct buf text = {0};

	buf_string(&text, "");
	OK(index_reject_list(pg, things.id, note, &text, &e));
	ck_assert_str_eq(text.bytes, expected);
	buf_fini(&text);
}

START_TEST(a_reject_is_known_by_key_job_byte_and_reason)
{
	keep("it's \"b\\", ledger_version(2, 70), "too long");
	keep("a", ledger_version(2, 7), "no 'date'");
	listed("a [\"a\"] job 7 no 'date';it's \"b\\ [\"it's \\\"b\\\\\"] job 70 too long;");
}
END_TEST

START_TEST(one_of_an_edit_has_no_job)
{
	keep("a", ledger_version(2, LEDGER_EDIT_BIT + 5), "no");
	listed("a [\"a\"] - -1 no;");
}
END_TEST

START_TEST(refused_again_it_is_the_newer_one)
{
	keep("a", ledger_version(1, 7), "old");
	keep("a", ledger_version(2, 9), "new");
	listed("a [\"a\"] job 9 new;");
}
END_TEST

START_TEST(what_is_sent_again_is_forgotten_and_nothing_else)
{
	const char *const pairs[] = {"x", "1", "a,\"b\\", "2", "y", "3"};

	keep("x", 1, "of another key");
	OK(pg_begin(pg, &e));
	OK(index_reject_begin(pg, things.id, true, &e));
	for (size_t i = 0; i < 6; i += 2)
		OK(index_reject_keep(pg, things.id, pairs + i, 2, (int64_t)i, "no", &e));
	OK(index_reject_forget(pg, things.id, pairs, 2, 2, &e));
	OK(pg_commit(pg, &e));
	expect("SELECT key FROM csvp.index_reject ORDER BY version", "{x} {y,3}");
	ck_assert_int_eq(index_reject_count(pg, things.id, &e), 2);
}
END_TEST

/* Could others forget at this moment? */
static void
expect_free(const char *yes)
{
	char *query = buf_format("SELECT pg_try_advisory_xact_lock_shared(%lld)",
	    (long long)ledger_lock_key(LEDGER_LOCK_INDEX, things.id, LEDGER_INDEX_REJECTS));

	expect(query, yes);
	free(query);
}

START_TEST(who_forgets_waits_for_who_keeps_only)
{
	OK(pg_begin(person, &e));
	OK(index_reject_begin(person, things.id, false, &e));
	expect_free("t");
	OK(pg_commit(person, &e));
	OK(pg_begin(person, &e));
	OK(index_reject_begin(person, things.id, true, &e));
	expect_free("f");
	OK(pg_commit(person, &e));
	expect_free("t");
}
END_TEST

START_TEST(a_job_that_is_done_has_rejects_until_they_are_forgotten)
{
	const char *key = "a";
	struct job_verdict v;

	chunk_row(job, 0, "indexed");
	keep("b", ledger_version(1, 7), "of the job before");
	keep("c", ledger_version(2, LEDGER_EDIT_BIT), "of an edit");
	OK(job_verdict(pg, job, &v, &e));
	ck_assert_int_eq(v.code, ERR_NONE);
	keep(key, ledger_version(2, 0), "of this job");
	OK(job_verdict(pg, job, &v, &e));
	ck_assert_str_eq(v.state, "done");
	ck_assert_int_eq(v.unindexed, 1);
	ck_assert_int_eq(v.code, ERR_REJECTS);
	OK(index_reject_forget(pg, things.id, &key, 1, 1, &e));
	OK(job_verdict(pg, job, &v, &e));
	ck_assert_int_eq(v.code, ERR_NONE);
}
END_TEST

START_TEST(a_table_that_is_gone_has_none)
{
	keep("a", 1, "no");
	OK(dataset_renew(pg, things.id, &e));
	ck_assert_int_eq(index_reject_count(pg, things.id, &e), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {a_reject_is_known_by_key_job_byte_and_reason, one_of_an_edit_has_no_job,
	    refused_again_it_is_the_newer_one, what_is_sent_again_is_forgotten_and_nothing_else,
	    who_forgets_waits_for_who_keeps_only, a_job_that_is_done_has_rejects_until_they_are_forgotten,
	    a_table_that_is_gone_has_none};

	return session_run("index_reject", begin, things_end, tests, sizeof tests / sizeof *tests);
}
