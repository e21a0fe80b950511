/* What the PostgreSQL driver of search.h does when several sessions meet, and where ranking ends. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sig.h"
#include "documents.h"
#include "search/query.h"

static void
begin(void)
{
	open_engine(0);
	define(1, "id text,name text", 1);
}

/* A call of the driver in a thread of its own, while the case's session holds what it waits for. */
struct call {
	int (*run)(struct err *err);
	int result;
	struct err err;
};

static void *
run_call(void *ctx)
{
	struct call *call = ctx;

	call->result = call->run(&call->err);
	return NULL;
}

static bool
somebody_waits_for_a_lock(void)
{
	struct pg_rows *rows;
	bool waits;

	OK(pg_query(
	    pg, &rows, &e, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock')", 0, NULL));
	waits = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return waits;
}

/* Begin the call, see it wait, say `release`, and see it succeed. */
static void
must_wait(int (*run)(struct err *err), const char *release)
{
	struct call call = {.run = run};
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run_call, &call), 0);
	while (!somebody_waits_for_a_lock())
		usleep(1000);
	sql(release);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_msg(call.result == 0, "%s", call.err.message);
}

static int
delete_a(struct err *err)
{
	const char *const key[] = {"a"};
	const struct search_doc doc = {.key = key, .version = 2, .deleted = true};

	return search_bulk(search, &dataset, &doc, 1, nothing_is_refused, NULL, err);
}

static int
create(struct err *err)
{
	return search_create(search, &dataset, err);
}

static int
finish(struct err *err)
{
	return search_finish(search, &dataset, err);
}

/* The writer below has read the record before it was deleted, and writes the document after the deletion has looked. */
START_TEST(a_deletion_waits_for_a_writer_who_may_have_read_the_record)
{
	sql("BEGIN; LOCK TABLE csvp.doc_1 IN ROW EXCLUSIVE MODE; INSERT INTO csvp.doc_1 VALUES ('a', 1, '')");
	must_wait(delete_a, "COMMIT");
	holds(0);
}
END_TEST

/* As if the record that this call reads had been read before the one that the other wrote. */
START_TEST(a_document_of_a_newer_record_stays)
{
	put("a", 1, "'old'");
	sql("UPDATE csvp.doc_1 SET _version = 2, _body = 'new'");
	tell((const char *const[]){"a"}, 1, false);
	holds(1);
	sql("DO 'BEGIN ASSERT (SELECT _version = 2 AND _body = $$new$$ FROM csvp.doc_1); END'");
}
END_TEST

START_TEST(two_who_create_the_index_at_once_both_succeed)
{
	OK(search_drop(search, &dataset, &e));
	sql("BEGIN; CREATE TABLE csvp.doc_1 (id text COLLATE \"C\" PRIMARY KEY, _version bigint, _body tsvector,"
	    "_numbers bigint[]);"
	    "CREATE TABLE csvp.word_1 (word text COLLATE \"C\" PRIMARY KEY, spellings int[])");
	must_wait(create, "COMMIT");
	put("a", 1, "'x'");
	holds(1);
}
END_TEST

START_TEST(half_an_index_is_none_and_is_made_whole)
{
	static const char *const halves[] = {"csvp.doc_1", "csvp.word_1"};

	for (size_t i = 0; i < 2; i++) {
		OK(pg_execf(pg, &e, "DROP TABLE %s", halves[i]));
		ck_assert_int_eq(search_exists(search, &dataset, &e), 0);
		OK(search_create(search, &dataset, &e));
		ck_assert_int_eq(search_exists(search, &dataset, &e), 1);
		put("a", 1, "'plastic'");
		holds(1);
	}
}
END_TEST

START_TEST(two_who_finish_at_once_build_one_index)
{
	sql("BEGIN; CREATE INDEX doc_1_body ON csvp.doc_1 USING gin "
	    "(_body)");
	must_wait(finish, "COMMIT");
	OK(finish(&e));
}
END_TEST

START_TEST(a_lost_connection_is_made_again)
{
	put("a", 1, "'x'");
	sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
	    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
	put("b", 1, "'x'");
	holds(2);
}
END_TEST

static int
count_hit(void *ctx, const struct search_hit *hit, struct err *err)
{
	size_t *hits = ctx;

	(void)hit, (void)err;
	(*hits)++;
	return 0;
}

START_TEST(a_number_that_its_document_does_not_know_yet_is_not_found_as_the_old_one)
{
	struct search_page page;
	struct query q;
	size_t hits = 0;

	define(2, "id text,founded bigint", 1);
	put("a", 1, "1990");
	put("b", 1, "1990");
	sql("UPDATE public.things SET founded = 1991 WHERE id = 'a'");
	query_init(&q);
	OK(query_where(&q, &shape, "founded<=1990", &e));
	OK(search_query(search, &dataset, &q, count_hit, &hits, &page, &e));
	ck_assert_uint_eq(hits, 1);
	query_fini(&q);
}
END_TEST

START_TEST(a_failed_bulk_leaves_no_transaction)
{
	struct search_doc doc = {.key = (const char *const[]){"1"}, .version = 1};

	define(2, "id bigint,name text", 1);
	doc.key = (const char *const[]){"no number"};
	ck_assert_int_eq(search_bulk(search, &dataset, &doc, 1, nothing_is_refused, NULL, &e), -1);
	ck_assert_int_eq((int)e.code, ERR_DATA);
	put("1", 1, "'x'");
	holds(1);
}
END_TEST

START_TEST(more_than_ten_thousand_matches_are_in_order_of_the_key)
{
	struct search_page page;
	struct query q;
	size_t hits = 0;

	sql("INSERT INTO public.things SELECT lpad(i::text, 5, '0'), 'word', 1 FROM generate_series(1, 10000) i;"
	    "INSERT INTO csvp.doc_1 SELECT id, 1, to_tsvector('simple', name) FROM public.things");
	query_init(&q);
	OK(query_text(&q, "word", &e));
	OK(search_query(search, &dataset, &q, count_hit, &hits, &page, &e));
	ck_assert(page.ranked);
	ck_assert_uint_eq(hits, 10000);
	put("99999", 1, "'word word'");
	hits = 0;
	OK(search_query(search, &dataset, &q, count_hit, &hits, &page, &e));
	ck_assert(!page.ranked);
	ck_assert_uint_eq(hits, 10001);
	query_fini(&q);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pgindex");
	TCase *t = tcase_create("pgindex");
	SRunner *runner = srunner_create(suite);
	int failed;

	sig_init();
	start_database();
	tcase_add_checked_fixture(t, begin, close_engine);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_deletion_waits_for_a_writer_who_may_have_read_the_record);
	tcase_add_test(t, a_document_of_a_newer_record_stays);
	tcase_add_test(t, two_who_create_the_index_at_once_both_succeed);
	tcase_add_test(t, half_an_index_is_none_and_is_made_whole);
	tcase_add_test(t, two_who_finish_at_once_build_one_index);
	tcase_add_test(t, a_lost_connection_is_made_again);
	tcase_add_test(t, a_number_that_its_document_does_not_know_yet_is_not_found_as_the_old_one);
	tcase_add_test(t, a_failed_bulk_leaves_no_transaction);
	tcase_add_test(t, more_than_ten_thousand_matches_are_in_order_of_the_key);
	suite_add_tcase(suite, t);
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	stop_database();
	return failed > 0;
}
