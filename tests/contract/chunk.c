/* What the ledger keeps of chunks, their rejects, deliveries and of edits on their way to the index. */
#include "ledger/chunk.h"
#include "jobs.h"
#include "ledger/change.h"
#include "ledger/delivery.h"
#include "ledger/reject.h"

static int64_t job;

static void
begin(void)
{
	things_begin();
	things_ready("code text,number bigint", 2);
	job = job_row(NULL);
}

static struct chunk
chunk(int64_t number)
{
	struct chunk c;

	OK(chunk_load(pg, job, number, &c, &e));
	return c;
}

START_TEST(chunks_are_listed_in_the_files_order)
{
	const struct chunk two[] = {{.job = job, .number = 1, .byte = 100, .length = 50, .line = 9, .records = 4},
	    {.job = job, .number = 0, .length = 100, .line = 1, .records = 8}};
	struct chunk *list, none;
	size_t count;

	OK(chunk_add(pg, two, 2, &e));
	OK(chunk_list(pg, job, &list, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(list[0].number, 0);
	ck_assert_uint_eq(list[1].byte, 100);
	ck_assert_uint_eq(list[1].length, 50);
	ck_assert_uint_eq(list[1].line, 9);
	ck_assert_uint_eq(list[1].records, 4);
	ck_assert_int_eq(list[1].state, CHUNK_PENDING);
	FAILS(ERR_NOINPUT, chunk_load(pg, job, 2, &none, &e));
	free(list);
}
END_TEST

START_TEST(a_chunk_is_loaded_once)
{
	/* What each state is to a person's load and index: to load, to index; rows that set_loaded touches. */
	static const struct {
		const char *state;
		bool load, index;
		int touched;
	} cases[] = {{"pending", true, false, 1}, {"loaded", false, true, 0}, {"indexed", false, false, 0},
	    {"failed", true, false, 1}, {"failed loaded", false, true, 0}};
	const struct books books = {1, 2, 3, 4, 0};

	for (int64_t i = 0; i < 5; i++) {
		struct chunk c;

		chunk_row(job, i, cases[i].state);
		c = chunk(i);
		ck_assert_msg(chunk_to_load(&c) == cases[i].load, "%s", cases[i].state);
		ck_assert_msg(chunk_to_index(&c) == cases[i].index, "%s", cases[i].state);
		ck_assert_msg(chunk_set_loaded(pg, &c, &books, 5, &e) == cases[i].touched, "%s", cases[i].state);
		ck_assert_int_eq(chunk_set_loaded(pg, &c, &books, 5, &e), 0);
	}
	expect("SELECT number, state, inserted, updated, unchanged, superseded FROM csvp.chunk ORDER BY number",
	    "0,loaded,1,2,3,4 1,loaded,10,0,0,0 2,indexed,10,0,0,0 3,loaded,1,2,3,4 4,failed,10,0,0,0");
}
END_TEST

START_TEST(only_what_is_loaded_is_indexed)
{
	static const char *const states[] = {"pending", "loaded", "failed", "failed loaded"};

	for (int64_t i = 0; i < 4; i++) {
		struct chunk c;

		chunk_row(job, i, states[i]);
		c = chunk(i);
		ck_assert_int_eq(chunk_set_indexed(pg, &c, 7, &e), chunk_to_index(&c));
	}
	expect("SELECT state, indexed FROM csvp.chunk ORDER BY number", "pending,0 indexed,7 failed,0 indexed,7");
}
END_TEST

START_TEST(what_a_lost_index_had_is_to_be_indexed_again)
{
	static const char *const states[] = {"pending", "loaded", "indexed", "failed loaded"};
	/* `before` went into a table that was dropped since. */
	int64_t paused = job_row("seq = 9, finished_at = now(), paused = true"),
		before = job_row("finished_at = now()");
	struct chunk *list, c;
	uint64_t had;
	size_t count;

	sql(pg, "UPDATE csvp.dataset SET since = 8; UPDATE csvp.job SET seq = 8 WHERE seq = 1");
	for (int64_t i = 0; i < 4; i++)
		chunk_row(job, i, states[i]);
	chunk_row(paused, 0, "indexed");
	chunk_row(before, 0, "indexed");
	c = chunk(1);
	OK(chunk_unindex(pg, things.id, &had, &e));
	ck_assert_uint_eq(had, 2);
	expect("SELECT c.state, c.again, j.finished_at IS NULL FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
	       " ORDER BY j.seq, number",
	    "indexed,0,f pending,0,t loaded,1,t loaded,1,t failed,0,t loaded,1,t");
	OK(chunk_list_again(pg, things.id, false, &list, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(list[0].number, 1);
	ck_assert_int_eq(list[1].number, 2);
	free(list);
	/* Who had sent it to the index that was lost has to send it again. */
	ck_assert_int_eq(chunk_set_indexed(pg, &c, 7, &e), 0);
	c = chunk(1);
	ck_assert_int_eq(chunk_set_indexed(pg, &c, 7, &e), 1);
	OK(chunk_list_again(pg, things.id, false, &list, &count, &e));
	ck_assert_uint_eq(count, 1);
	free(list);
}
END_TEST

START_TEST(rejects_of_a_chunk_are_replaced_and_keep_any_text)
{
	struct reject_list list = {.count = 0};

	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "loaded");
	reject_add(&list, 110, 12, 5, "a\tb", "type", "not a 'number'\\\nat all");
	OK(reject_write(pg, job, 1, &list, &e));
	reject_fini(&list);
	reject_add(&list, 10, 2, 5, NULL, "fields", "3 fields");
	reject_add(&list, 20, 3, 5, NULL, "fields", "4 fields");
	OK(reject_write(pg, job, 0, &list, &e));
	expect("SELECT count(*) FROM csvp.reject", "3");
	expect("SELECT header = E'a\\tb', reason = E'not a ''number''\\\\\\nat all', replayed FROM csvp.reject WHERE "
	       "chunk = 1",
	    "t,t,f");
	reject_fini(&list);
	OK(reject_write(pg, job, 0, &list, &e));
	expect("SELECT chunk FROM csvp.reject", "1");
}
END_TEST

START_TEST(the_first_open_reject_is_explained)
{
	struct buf words = {0};

	chunk_row(job, 0, "loaded");
	reject_rows(job, 2);
	OK(reject_explain(pg, job, &words, &e));
	ck_assert_str_eq(words.bytes,
	    "things.csv: 2 of 10 records rejected, over the limit of 0; the first in line 1, byte 0, column 'amount': "
	    "not a number");
	sql(pg, "UPDATE csvp.reject SET replayed = true WHERE byte = 0; UPDATE csvp.job SET max_rejects = '50%'");
	buf_reset(&words);
	OK(reject_explain(pg, job, &words, &e));
	ck_assert_msg(
	    strstr(words.bytes, "1 of 10 records rejected, within the limit of 50%; the first in line 2") != NULL, "%s",
	    words.bytes);
	sql(pg, "UPDATE csvp.reject SET replayed = true");
	FAILS(ERR_AGAIN, reject_explain(pg, job, &words, &e));
	buf_fini(&words);
}
END_TEST

START_TEST(deliveries_are_counted_while_there_is_something_to_do)
{
	chunk_row(job, 0, "pending");
	ck_assert_int_eq(delivery_count(pg, job, 0, "pending", &e), 1);
	ck_assert_int_eq(delivery_count(pg, job, 0, "pending", &e), 2);
	OK(delivery_return(pg, job, 0, &e));
	ck_assert_int_eq(delivery_count(pg, job, 0, "pending", &e), 2);
	ck_assert_int_eq(delivery_count(pg, job, 0, "loaded", &e), 0);
	ck_assert_int_eq(delivery_done(pg, job, 0, &e), 0);
	/* In its next state it starts anew. */
	ck_assert_int_eq(chunk_set_loaded(pg, &(struct chunk){.job = job}, &(struct books){.inserted = 10}, 1, &e), 1);
	ck_assert_int_eq(delivery_done(pg, job, 0, &e), 1);
	ck_assert_int_eq(delivery_count(pg, job, 0, "pending", &e), 0);
	ck_assert_int_eq(delivery_count(pg, job, 0, "loaded", &e), 1);
	OK(delivery_return(pg, job, 0, &e));
	OK(delivery_return(pg, job, 0, &e));
	expect("SELECT deliveries FROM csvp.chunk", "0");
}
END_TEST

START_TEST(what_is_cancelled_is_not_loaded_but_what_is_loaded_is_indexed)
{
	chunk_row(job, 0, "pending");
	chunk_row(job, 1, "loaded");
	OK(job_set_cancelled(pg, job, &e));
	ck_assert_int_eq(delivery_count(pg, job, 0, "pending", &e), 0);
	ck_assert_int_eq(delivery_count(pg, job, 1, "loaded", &e), 1);
}
END_TEST

START_TEST(a_chunk_fails_with_its_reason_and_is_retried_from_where_it_was)
{
	char *reason;

	chunk_row(job, 0, "pending");
	chunk_row(job, 1, "loaded");
	chunk_row(job, 2, "indexed");
	OK(delivery_note(pg, job, 0, "killed", &e));
	OK(delivery_reason(pg, job, 0, &reason, &e));
	ck_assert_str_eq(reason, "killed");
	free(reason);
	for (int64_t i = 0; i < 3; i++)
		OK(delivery_fail(pg, job, i, "five times", &e));
	expect("SELECT state, error FROM csvp.chunk ORDER BY number", "failed,five times failed,five times indexed,-");
	for (int64_t i = 0; i < 3; i++)
		ck_assert_int_eq(delivery_retry(pg, job, i, &e), i < 2);
	expect("SELECT state, error, deliveries FROM csvp.chunk ORDER BY number", "pending,-,0 loaded,-,0 indexed,-,0");
	ck_assert_int_eq(delivery_retry(pg, job, 0, &e), 0);
}
END_TEST

START_TEST(a_split_is_counted_fails_and_is_retried_as_its_job)
{
	int64_t stored = job_row("state = 'stored'");

	ck_assert_int_eq(delivery_count(pg, job, -1, "", &e), 0);
	ck_assert_int_eq(delivery_done(pg, job, -1, &e), 1);
	ck_assert_int_eq(delivery_count(pg, stored, -1, "", &e), 1);
	ck_assert_int_eq(delivery_done(pg, stored, -1, &e), 0);
	OK(delivery_fail(pg, stored, -1, "five times", &e));
	OK(delivery_fail(pg, job, -1, "it is split", &e));
	ck_assert_int_eq(delivery_count(pg, stored, -1, "", &e), 0);
	expect("SELECT error, error_code FROM csvp.job ORDER BY id", "-,- five times,65");
	ck_assert_int_eq(delivery_retry(pg, stored, -1, &e), 1);
	ck_assert_int_eq(delivery_retry(pg, job, -1, &e), 0);
	ck_assert_int_eq(delivery_count(pg, stored, -1, "", &e), 1);
	OK(delivery_fail(pg, stored, -1, "again", &e));
	OK(job_set_cancelled(pg, stored, &e));
	ck_assert_int_eq(delivery_retry(pg, stored, -1, &e), 0);
}
END_TEST

/* An edit's entry, as the trigger makes it. */
static void
change(const char *code, int number, int version, bool deleted)
{
	OK(pg_execf(pg, &e, "INSERT INTO csvp.change (dataset, key, version, deleted) VALUES (%lld, '{%s,%d}', %d, %s)",
	    (long long)things.id, code, number, version, deleted ? "true" : "false"));
}

/* Take some in the session's transaction: how many keys. */
static size_t
take(struct pg *session, size_t limit)
{
	struct pg_rows *rows;
	size_t count;

	OK(change_take(session, things.id, 2, limit, &rows, &e));
	count = pg_rows_count(rows);
	pg_rows_free(rows);
	return count;
}

START_TEST(of_a_keys_changes_the_newest_version_counts_and_a_delete_is_told)
{
	struct pg_rows *rows;

	change("a", 1, 7, true);
	change("a", 1, 9, false);
	change("a", 1, 8, false);
	OK(change_take(pg, things.id, 2, 10, &rows, &e));
	ck_assert_uint_eq(pg_rows_count(rows), 1);
	ck_assert_str_eq(pg_rows_text(rows, 0, 0), "a");
	ck_assert_str_eq(pg_rows_text(rows, 0, 1), "1");
	ck_assert_int_eq(pg_rows_int(rows, 0, 2), 9);
	ck_assert(pg_rows_bool(rows, 0, 3));
	pg_rows_free(rows);
	ck_assert_uint_eq(take(pg, 10), 0);
}
END_TEST

START_TEST(two_who_take_changes_take_different_ones)
{
	for (int i = 0; i < 5; i++)
		change("a", i, 1, false);
	OK(pg_begin(pg, &e));
	ck_assert_uint_eq(take(pg, 2), 2);
	OK(pg_begin(person, &e));
	ck_assert_uint_eq(take(person, 10), 3);
	OK(pg_commit(person, &e));
	/* What was not brought to the index is there again. */
	pg_rollback(pg);
	ck_assert_uint_eq(take(pg, 10), 2);
}
END_TEST

START_TEST(datasets_with_changes_are_found_once_they_are_ready)
{
	int64_t *ids;
	size_t count;

	OK(change_datasets(pg, &ids, &count, &e));
	ck_assert_uint_eq(count, 0);
	free(ids);
	change("a", 1, 1, false);
	OK(change_datasets(pg, &ids, &count, &e));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(ids[0], things.id);
	free(ids);
	sql(pg, "UPDATE csvp.dataset SET state = 'building'");
	OK(change_datasets(pg, &ids, &count, &e));
	ck_assert_uint_eq(count, 0);
	free(ids);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {chunks_are_listed_in_the_files_order, a_chunk_is_loaded_once,
	    only_what_is_loaded_is_indexed, what_a_lost_index_had_is_to_be_indexed_again,
	    rejects_of_a_chunk_are_replaced_and_keep_any_text, the_first_open_reject_is_explained,
	    deliveries_are_counted_while_there_is_something_to_do,
	    what_is_cancelled_is_not_loaded_but_what_is_loaded_is_indexed,
	    a_chunk_fails_with_its_reason_and_is_retried_from_where_it_was,
	    a_split_is_counted_fails_and_is_retried_as_its_job,
	    of_a_keys_changes_the_newest_version_counts_and_a_delete_is_told, two_who_take_changes_take_different_ones,
	    datasets_with_changes_are_found_once_they_are_ready};

	return session_run("chunk", begin, things_end, tests, sizeof tests / sizeof *tests);
}
