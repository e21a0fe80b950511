/* What the queues are told: the work that the ledger says is undone, nobody holds, and may be done now. */
#include "flow/handoff.h"
#include "jobs.h"

static struct queue *queue;

static void
begin(void)
{
	struct queue_options options = {.url = "pg:", .conninfo = session_conninfo.bytes, .visibility = 30000};

	things_begin();
	things_ready("code text,note text", 1);
	queue = queue_open(&options, &e);
	ck_assert_msg(queue != NULL, "%s", e.message);
}

static void
end(void)
{
	queue_close(queue);
	things_end();
}

/* A job of this name with chunks in these states, apart by commas; then `assignments` (NULL: none) to its row. */
static int64_t
job(const char *name, const char *chunks, const char *assignments)
{
	char *list = buf_strdup(chunks), *rest = list, *state;
	int64_t id = job_row(assignments), number = 0;

	OK(pg_execf(pg, &e, "UPDATE csvp.job SET file = '%s' WHERE id = %lld", name, (long long)id));
	while ((state = strsep(&rest, ",")) != NULL)
		if (state[0] != '\0')
			chunk_row(id, number++, state);
	free(list);
	return id;
}

/* What is in the queues: "queue,name/chunk ...". */
static void
sent(const char *expected)
{
	expect("SELECT substr(m.queue, 6), j.file || substr(m.reference, length(j.id::text) + 1) FROM csvp.message m"
	       " JOIN csvp.job j ON j.id = split_part(m.reference, '/', 1)::bigint ORDER BY m.queue, 2",
	    expected);
}

static void
sweep(bool idle_only, const char *expected)
{
	int64_t counts[QUEUE_COUNT], undone[QUEUE_COUNT];

	OK(handoff_undone(pg, undone, &e));
	OK(handoff_sweep(pg, queue, idle_only, counts, &e));
	sent(expected);
	/* Who asks how much there is hears the same. */
	for (size_t i = 0; i < QUEUE_COUNT && !idle_only; i++)
		ck_assert_int_eq(counts[i], undone[i]);
}

START_TEST(each_queue_gets_what_its_workers_do)
{
	job("stored", "", "state = 'stored'");
	job("half", "pending,loaded,indexed,failed,pending", NULL);
	sweep(false, "index,half/1 load,half/0 load,half/4 split,stored");
}
END_TEST

START_TEST(what_somebody_holds_is_not_sent)
{
	int64_t id = job("a", "pending,pending,loaded,loaded", NULL);

	OK(pg_lock(person, ledger_lock_key(LEDGER_LOCK_CHUNK, id, 0), &e));
	OK(pg_lock(person, ledger_lock_key(LEDGER_LOCK_CHUNK, id, 2), &e));
	sweep(false, "index,a/3 load,a/1");
}
END_TEST

START_TEST(what_is_paused_cancelled_or_failed_is_not_sent_but_what_was_loaded_is_indexed)
{
	job("paused", "pending,loaded", "paused = true");
	job("paused2", "", "state = 'stored', paused = true");
	job("cancelled", "pending,loaded", "cancelled = true");
	job("cancelled2", "", "state = 'stored', cancelled = true");
	job("wrong", "", "state = 'stored', error = 'no CSV'");
	sweep(false, "index,cancelled/1");
}
END_TEST

START_TEST(nothing_is_indexed_before_the_key_is_built)
{
	int64_t id = job("builder", "loaded,pending", NULL);

	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET state = 'building', builder = %lld", (long long)id));
	sweep(false, "load,builder/1");
}
END_TEST

START_TEST(a_key_that_nobody_has_built_is_somebodys_work)
{
	int64_t id = job("builder", "loaded", NULL);

	job("other", "loaded", NULL);
	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET state = 'building', builder = %lld", (long long)id));
	sweep(false, "load,builder");
}
END_TEST

START_TEST(a_job_that_nobody_has_closed_is_closed)
{
	job("open", "indexed,failed", NULL);
	job("closed", "indexed", "finished_at = now()");
	sweep(false, "index,open");
}
END_TEST

START_TEST(a_queue_with_messages_is_left_alone_by_the_workers_sweep)
{
	int64_t id = job("a", "pending,pending,loaded", NULL);

	OK(queue_send(queue, QUEUE_LOAD, &(struct message){.job = id, .chunk = 0}, 1, &e));
	sweep(true, "index,a/2 load,a/0");
	/* One in flight counts, too. */
	sweep(false, "index,a/2 load,a/0 load,a/1");
}
END_TEST

START_TEST(a_split_sends_its_pending_chunks_or_itself)
{
	OK(handoff_split(pg, queue, job("a", "pending,loaded,pending", NULL), &e));
	OK(handoff_split(pg, queue, job("empty", "", NULL), &e));
	sent("load,a/0 load,a/2 load,empty");
}
END_TEST

START_TEST(a_loaded_chunk_is_sent_once_its_dataset_is_ready)
{
	int64_t id = job("a", "loaded,loaded,indexed", NULL);

	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET state = 'building', builder = %lld", (long long)id));
	OK(handoff_loaded(pg, queue, id, 0, true, &e));
	sent("");
	/* Who has built the key tells of all that waited for it. */
	sql(pg, "UPDATE csvp.dataset SET state = 'ready'");
	OK(handoff_loaded(pg, queue, id, 1, true, &e));
	sent("index,a/0 index,a/1");
	OK(queue_purge(queue, QUEUE_INDEX, &e));
	OK(handoff_loaded(pg, queue, id, 1, false, &e));
	sent("index,a/1");
}
END_TEST

START_TEST(what_is_to_be_done_again_goes_to_the_queue_of_its_state)
{
	int64_t id = job("a", "pending,loaded,indexed,failed", NULL), stored = job("b", "", "state = 'stored'");

	for (int64_t i = 0; i < 4; i++)
		OK(handoff_again(pg, queue, id, i, &e));
	OK(handoff_again(pg, queue, id, -1, &e));
	OK(handoff_again(pg, queue, stored, -1, &e));
	sent("index,a/1 load,a/0 split,b");
}
END_TEST

START_TEST(a_resumed_job_is_told_of_wherever_it_was)
{
	OK(handoff_resumed(pg, queue, job("a", "pending,loaded,indexed", NULL), &e));
	OK(handoff_resumed(pg, queue, job("stored", "", "state = 'stored'"), &e));
	OK(handoff_resumed(pg, queue, job("open", "indexed", NULL), &e));
	sent("index,a/1 index,open load,a/0 split,stored");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {each_queue_gets_what_its_workers_do, what_somebody_holds_is_not_sent,
	    what_is_paused_cancelled_or_failed_is_not_sent_but_what_was_loaded_is_indexed,
	    nothing_is_indexed_before_the_key_is_built, a_key_that_nobody_has_built_is_somebodys_work,
	    a_job_that_nobody_has_closed_is_closed, a_queue_with_messages_is_left_alone_by_the_workers_sweep,
	    a_split_sends_its_pending_chunks_or_itself, a_loaded_chunk_is_sent_once_its_dataset_is_ready,
	    what_is_to_be_done_again_goes_to_the_queue_of_its_state, a_resumed_job_is_told_of_wherever_it_was};

	return session_run("handoff", begin, end, tests, sizeof tests / sizeof *tests);
}
