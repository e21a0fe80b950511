/* Records into a table that has a key: what becomes of each, and how it is counted. */
#include "table/merge.h"
#include "things.h"

#define ROWS "SELECT code, amount, note, _version >> 39 FROM public.things ORDER BY code, _version"

/* The suite runs once for each: no guess changes what a test sees. */
static enum merge_guess guess;

/* As load_chunk does it. */
static struct merge_result
merge(enum merge_mode mode, int64_t seq, const char *csv)
{
	struct merge_result result;

	things_records(seq, csv);
	if (mode == MERGE_APPEND)
		batch_group_each(&batch);
	else
		batch_group_by_key(&batch);
	OK(merge_prepare(pg, &target, &e));
	OK(pg_begin(pg, &e));
	OK(merge_batch(pg, &target, mode, guess, &batch, &result, &e));
	OK(pg_commit(pg, &e));
	return result;
}

/* "inserted updated unchanged superseded", and the fault of each refused record's line. */
static void
expect_books(const struct merge_result *r, const char *expected)
{
	char text[100];

	snprintf(
	    text, sizeof text, "%d %d %d %d", (int)r->inserted, (int)r->updated, (int)r->unchanged, (int)r->superseded);
	ck_assert_str_eq(text, expected);
}

static void
expect_refused(const char *lines)
{
	struct buf text = {0};

	buf_string(&text, "");
	for (uint64_t line = 1; line <= batch.count; line++)
		for (size_t i = 0; i < batch.count; i++)
			if (batch.entries[i].line == line && batch.entries[i].fault != NULL)
				buf_printf(&text, "%s%d", text.length > 0 ? " " : "", (int)line);
	ck_assert_str_eq(text.bytes, lines);
	buf_fini(&text);
}

static void
load(enum merge_mode mode, int64_t seq, const char *csv, const char *books)
{
	struct merge_result result = merge(mode, seq, csv);

	expect_books(&result, books);
}

static void
begin(void)
{
	things_begin();
	things_ready("code text,amount numeric,note text", 1);
	things_seq(9);
}

START_TEST(append_inserts_every_record)
{
	things_end();
	things_begin();
	things_building("code text,amount numeric,note text", 1);
	load(MERGE_APPEND, 1, "b,1,x\na,2,y\nb,3,z\n", "3 0 0 0");
	expect(ROWS, "a,2,y,1 b,1,x,1 b,3,z,1");
}
END_TEST

START_TEST(upsert_inserts_what_is_new_and_updates_what_has_changed)
{
	load(MERGE_UPSERT, 1, "b,1,x\na,2,y\n", "2 0 0 0");
	load(MERGE_UPSERT, 2, "a,5,y\nb,1,changed\nc,3,z\n", "1 2 0 0");
	expect(ROWS, "a,5,y,2 b,1,changed,2 c,3,z,2");
}
END_TEST

START_TEST(upsert_gives_equal_rows_the_new_version_and_counts_them_unchanged)
{
	load(MERGE_UPSERT, 1, "a,1,x\nb,2,y\n", "2 0 0 0");
	load(MERGE_UPSERT, 2, "a,1,x\nb,2,other\n", "0 1 1 0");
	expect(ROWS, "a,1,x,2 b,2,other,2");
}
END_TEST

START_TEST(leave_neither_writes_nor_locks_equal_rows)
{
	static const char place[] = "SELECT ctid, xmin, xmax FROM public.things WHERE code = 'a'";
	char *before;

	load(MERGE_UPSERT, 1, "a,1,x\nb,2,y\n", "2 0 0 0");
	before = answer(place);
	load(MERGE_LEAVE, 2, "a,1,x\nb,2,other\nc,3,z\n", "1 1 1 0");
	expect(ROWS, "a,1,x,1 b,2,other,2 c,3,z,2");
	expect(place, before);
	free(before);
}
END_TEST

START_TEST(a_row_of_a_higher_version_is_kept_and_the_record_superseded)
{
	load(MERGE_UPSERT, 3, "a,3,new\n", "1 0 0 0");
	load(MERGE_UPSERT, 2, "a,2,old\nb,2,old\n", "1 0 0 1");
	/* Even an equal one: what won is not its doing. */
	load(MERGE_UPSERT, 1, "a,3,new\n", "0 0 0 1");
	/* ... beside one that is updated. */
	load(MERGE_UPSERT, 1, "c,1,x\n", "1 0 0 0");
	load(MERGE_UPSERT, 2, "a,3,new\nc,2,x\n", "0 1 0 1");
	load(MERGE_LEAVE, 2, "a,2,old\n", "0 0 0 1");
	expect(ROWS, "a,3,new,3 b,2,old,2 c,2,x,2");
}
END_TEST

START_TEST(the_last_record_of_a_key_wins_and_the_others_are_superseded)
{
	load(MERGE_UPSERT, 1, "a,1,first\nb,1,only\na,2,second\na,3,third\n", "2 0 0 2");
	expect(ROWS, "a,3,third,1 b,1,only,1");
	load(MERGE_LEAVE, 2, "a,3,other\na,3,third\n", "0 0 1 1");
	expect(ROWS, "a,3,third,1 b,1,only,1");
}
END_TEST

START_TEST(of_many_records_those_that_the_server_refuses_are_found)
{
	sql(person, "ALTER TABLE public.things ADD CHECK (amount < 100)");
	load(MERGE_UPSERT, 1, "a,1,x\nb,100,x\nc,1,x\nd,1,x\ne,1,x\nf,1,x\ng,200,x\n", "5 0 0 0");
	expect_refused("2 7");
	for (size_t i = 0; i < batch.count; i++)
		if (batch.entries[i].fault != NULL)
			ck_assert_ptr_nonnull(strstr(batch.entries[i].fault, "things_amount_check"));
	expect("SELECT string_agg(code, '' ORDER BY code) FROM public.things", "acdef");
}
END_TEST

START_TEST(append_finds_refused_records_too)
{
	things_end();
	things_begin();
	things_building("code text,amount numeric,note text", 1);
	sql(person, "ALTER TABLE public.things ADD CHECK (amount < 100)");
	load(MERGE_APPEND, 1, "a,1,x\nb,100,x\na,3,x\n", "2 0 0 0");
	expect_refused("2");
	expect(ROWS, "a,1,x,1 a,3,x,1");
}
END_TEST

START_TEST(an_earlier_record_of_the_key_takes_the_place_of_a_refused_one)
{
	sql(person, "ALTER TABLE public.things ADD CHECK (amount < 100)");
	load(MERGE_UPSERT, 1, "a,1,first\na,2,second\na,100,refused\nb,1,x\n", "2 0 0 1");
	expect_refused("3");
	expect(ROWS, "a,2,second,1 b,1,x,1");
}
END_TEST

START_TEST(a_key_whose_records_are_all_refused_keeps_its_row)
{
	load(MERGE_UPSERT, 1, "a,1,stays\n", "1 0 0 0");
	sql(person, "ALTER TABLE public.things ADD CHECK (amount < 100)");
	load(MERGE_UPSERT, 2, "a,100,refused\na,200,refused\nb,2,x\n", "1 0 0 0");
	expect_refused("1 2");
	expect(ROWS, "a,1,stays,1 b,2,x,2");
	load(MERGE_UPSERT, 3, "a,100,refused\n", "0 0 0 0");
}
END_TEST

START_TEST(a_deferred_constraint_refuses_its_record_not_the_commit)
{
	sql(person, "ALTER TABLE public.things ADD UNIQUE (note) DEFERRABLE INITIALLY DEFERRED");
	load(MERGE_UPSERT, 1, "a,1,same\nb,1,other\nc,1,same\n", "2 0 0 0");
	expect_refused("3");
	expect(ROWS, "a,1,same,1 b,1,other,1");
}
END_TEST

/* A trigger that passes over the notes `gone`. */
static void
make_gone(void)
{
	sql(person, "CREATE FUNCTION pg_temp.pass() RETURNS trigger LANGUAGE plpgsql AS"
		    " 'BEGIN IF NEW.note = ''gone'' THEN RETURN NULL; END IF; RETURN NEW; END';"
		    "CREATE TRIGGER pass BEFORE INSERT OR UPDATE ON public.things FOR EACH ROW EXECUTE FUNCTION "
		    "pg_temp.pass()");
}

START_TEST(what_a_trigger_leaves_out_is_refused)
{
	load(MERGE_UPSERT, 1, "a,1,x\nb,1,x\nd,1,x\n", "3 0 0 0");
	make_gone();
	/* Superseded, unchanged and deleted ones are not. */
	things_seq(2);
	sql(person, "UPDATE public.things SET amount = 9 WHERE code = 'a'; DELETE FROM public.things WHERE code = 'd'");
	load(MERGE_UPSERT, 2, "a,2,y\nb,1,x\nc,2,gone\nd,2,y\n", "0 0 1 2");
	expect_refused("3");
	load(MERGE_LEAVE, 3, "a,9,x\nb,3,gone\ne,3,first\nc,3,gone\n", "1 0 1 0");
	expect_refused("2 4");
	load(MERGE_UPSERT, 4, "f,1,first\nf,2,gone\n", "1 0 0 0");
	expect_refused("2");
	expect("SELECT code, amount, note FROM public.things ORDER BY 1", "a,9,x b,1,x e,3,first f,1,first");
	load(MERGE_APPEND, 5, "g,1,x\nh,1,gone\ni,1,x\n", "2 0 0 0");
	expect_refused("2");
}
END_TEST

START_TEST(a_key_that_records_cannot_be_merged_by_is_told)
{
	static const struct {
		const char *change, *words;
	} cases[] = {
	    {"ALTER TABLE public.things DROP CONSTRAINT things_pkey",
		"table public.things has no primary key any more; hint: ALTER TABLE \"public\".\"things\" ADD PRIMARY "
		"KEY "
		"(\"code\")"},
	    {"CREATE UNIQUE INDEX ON public.things (code, amount)", "no primary key"},
	    {"CREATE UNIQUE INDEX ON public.things (code) WHERE amount > 0", "no primary key"},
	    {"CREATE UNIQUE INDEX ON public.things (amount)", "no primary key"},
	    {"ALTER TABLE public.things ADD UNIQUE (code) DEFERRABLE", "no primary key"},
	    {"ALTER TABLE public.things DROP CONSTRAINT things_code_key; CREATE UNIQUE INDEX ON public.things (code)",
		NULL},
	    {"CREATE RULE mine AS ON INSERT TO public.things DO ALSO NOTHING", "has a rule, mine, "},
	};
	struct merge_result result;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		sql(person, cases[i].change);
		if (cases[i].words == NULL) {
			load(MERGE_UPSERT, (int64_t)i + 1, "a,1,x\n", "1 0 0 0");
			continue;
		}
		things_records((int64_t)i + 1, "a,1,x\n");
		batch_group_by_key(&batch);
		OK(merge_prepare(pg, &target, &e));
		OK(pg_begin(pg, &e));
		FAILS(ERR_DATA, merge_batch(pg, &target, MERGE_UPSERT, guess, &batch, &result, &e));
		ck_assert_msg(strstr(e.message, cases[i].words) != NULL, "%s", e.message);
		pg_rollback(pg);
	}
}
END_TEST

START_TEST(what_is_no_fault_of_the_data_refuses_no_record)
{
	struct merge_result result;

	sql(person,
	    "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS"
	    " 'BEGIN RAISE ''the disk is full'' USING ERRCODE = ''disk_full''; END';"
	    "CREATE TRIGGER refuse BEFORE INSERT ON public.things FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()");
	things_records(1, "a,1,x\nb,2,y\n");
	batch_group_by_key(&batch);
	OK(merge_prepare(pg, &target, &e));
	OK(pg_begin(pg, &e));
	FAILS(ERR_IO, merge_batch(pg, &target, MERGE_UPSERT, guess, &batch, &result, &e));
	expect_refused("");
	pg_rollback(pg);
}
END_TEST

START_TEST(a_tombstone_beats_older_records_and_no_newer_ones)
{
	load(MERGE_UPSERT, 1, "a,1,x\nb,1,x\n", "2 0 0 0");
	things_seq(2);
	sql(person, "DELETE FROM public.things WHERE code IN ('a', 'b')");
	load(MERGE_UPSERT, 2, "a,2,late\nc,2,x\n", "1 0 0 1");
	expect(ROWS, "c,2,x,2");
	load(MERGE_UPSERT, 3, "b,3,again\n", "1 0 0 0");
	expect(ROWS, "b,3,again,3 c,2,x,2");
}
END_TEST

/* Delete a row, and commit only when the load waits for it. */
static void
delete_slowly(void)
{
	struct pg *session = session_open("application_name=meanwhile");

	OK(pg_begin(session, &e));
	OK(pg_exec(session, "DELETE FROM public.things WHERE code = 'a'", &e));
	session_wait_until(session, "EXISTS (SELECT FROM pg_locks WHERE NOT granted)");
	OK(pg_commit(session, &e));
	pg_close(session);
	_exit(0);
}

/* Load while a session deletes `a`, and waits with its commit for the load. */
static void
load_meanwhile(const char *csv, const char *books)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		delete_slowly();
	session_wait_until(person,
	    "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'meanwhile' AND query LIKE '%granted%')");
	load(MERGE_UPSERT, 2, csv, books);
	session_join(child);
}

START_TEST(a_row_whose_delete_commits_while_the_upsert_waits_is_not_brought_back)
{
	load(MERGE_UPSERT, 1, "a,1,x\nb,1,x\n", "2 0 0 0");
	things_seq(2);
	load_meanwhile("a,2,late\nb,2,y\n", "0 1 0 1");
	expect(ROWS, "b,2,y,2");
}
END_TEST

START_TEST(nor_if_no_other_row_of_the_batch_is_there)
{
	load(MERGE_UPSERT, 1, "a,1,x\n", "1 0 0 0");
	things_seq(2);
	load_meanwhile("a,2,late\nc,2,y\n", "1 0 0 1");
	expect(ROWS, "c,2,y,2");
}
END_TEST

START_TEST(null_equals_null_and_differs_from_the_empty_string)
{
	load(MERGE_UPSERT, 1, "a,,\nb,1,\"\"\n", "2 0 0 0");
	load(MERGE_LEAVE, 2, "a,,\nb,1,\"\"\n", "0 0 2 0");
	load(MERGE_LEAVE, 3, "a,,\"\"\nb,1,\n", "0 2 0 0");
	expect(ROWS, "a,-,,3 b,1,-,3");
}
END_TEST

START_TEST(equal_is_what_prints_the_same)
{
	load(MERGE_UPSERT, 1, "a,1.0,x\nb,1.0,x\n", "2 0 0 0");
	load(MERGE_LEAVE, 2, "a,1.00,x\nb,1.0,x\n", "0 1 1 0");
	load(MERGE_UPSERT, 3, "a,1.0,x\nb,1.0,x\n", "0 1 1 0");
	expect(ROWS, "a,1.0,x,3 b,1.0,x,3");
}
END_TEST

START_TEST(keys_that_are_equal_to_their_type_are_one_row)
{
	things_end();
	things_begin();
	things_ready("size numeric,note text", 1);
	load(MERGE_UPSERT, 1, "1.0,x\n1.00,y\n2,z\n", "2 0 0 1");
	load(MERGE_LEAVE, 2, "1.000,y\n2,z\n", "0 1 1 0");
	expect("SELECT size, note FROM public.things ORDER BY 1", "1.000,y 2,z");
}
END_TEST

START_TEST(a_key_of_several_columns_is_all_of_them)
{
	things_end();
	things_begin();
	things_ready("land text,number bigint,note text", 2);
	things_seq(1);
	load(MERGE_UPSERT, 1, "de,1,x\nde,2,x\nfr,1,x\nde,1,y\n", "3 0 0 1");
	sql(person, "DELETE FROM public.things WHERE land = 'fr'");
	load(MERGE_UPSERT, 1, "de,2,late\nfr,1,late\n", "0 0 0 2");
	load(MERGE_LEAVE, 2, "de,1,y\nde,2,z\nfr,1,new\n", "1 1 1 0");
	expect("SELECT land, number, note, _version >> 39 FROM public.things ORDER BY 1, 2",
	    "de,1,y,1 de,2,z,2 fr,1,new,2");
}
END_TEST

START_TEST(without_a_key_the_same_chunk_again_changes_nothing)
{
	struct merge_result result;

	things_end();
	things_begin();
	things_ready("note text", 0);
	load(MERGE_APPEND, 1, "x\nx\n", "2 0 0 0");
	things_records(1, "x\nx\n");
	batch_group_each(&batch);
	OK(merge_prepare(pg, &target, &e));
	OK(pg_begin(pg, &e));
	OK(merge_batch(pg, &target, MERGE_UPSERT, guess, &batch, &result, &e));
	OK(pg_commit(pg, &e));
	ck_assert_uint_eq(result.inserted + result.updated, 0);
	expect("SELECT note, _id = _version, count(*) FROM public.things GROUP BY 1, 2", "x,t,2");
}
END_TEST

START_TEST(a_column_added_meanwhile_is_staged_anew)
{
	load(MERGE_UPSERT, 1, "a,1,x\n", "1 0 0 0");
	sql(person, "ALTER TABLE public.things ADD COLUMN more text");
	things_shape("code text,amount numeric,note text,more text", 1);
	target.generation = things.generation + 1;
	load(MERGE_UPSERT, 2, "a,1,x,y\n", "0 1 0 0");
	expect("SELECT code, more FROM public.things", "a,y");
}
END_TEST

/* Its rounded values are never equal to those that a session has staged as they are in the file. */
START_TEST(a_column_made_coarser_by_a_person_is_no_reason_to_count_a_record_twice)
{
	load(MERGE_LEAVE, 1, "a,1.11,x\nb,2.22,y\n", "2 0 0 0");
	sql(person, "ALTER TABLE public.things ALTER COLUMN amount TYPE numeric(9,1)");
	load(MERGE_LEAVE, 2, "a,1.26,x\nb,2.37,y\nc,3.48,z\n", "1 2 0 0");
	expect(ROWS, "a,1.3,x,2 b,2.4,y,2 c,3.5,z,2");
}
END_TEST

START_TEST(a_guess_is_what_became_of_every_record_before)
{
	ck_assert_int_eq(merge_guess(&(struct merge_result){.inserted = 3}), MERGE_ALL_NEW);
	ck_assert_int_eq(merge_guess(&(struct merge_result){.updated = 3}), MERGE_ALL_CHANGED);
	ck_assert_int_eq(merge_guess(&(struct merge_result){.inserted = 3, .updated = 1}), MERGE_MIXED);
	ck_assert_int_eq(merge_guess(&(struct merge_result){.inserted = 3, .unchanged = 1}), MERGE_MIXED);
	ck_assert_int_eq(merge_guess(&(struct merge_result){.updated = 3, .superseded = 1}), MERGE_MIXED);
	ck_assert_int_eq(merge_guess(&(struct merge_result){0}), MERGE_MIXED);
}
END_TEST

/* What a person's triggers see of a record is not to depend on a guess. */
START_TEST(a_trigger_before_insert_sees_the_records_that_update_too)
{
	load(MERGE_UPSERT, 1, "a,1,x\nb,1,y\n", "2 0 0 0");
	sql(person,
	    "CREATE FUNCTION public.louder() RETURNS trigger LANGUAGE plpgsql AS"
	    " 'BEGIN NEW.note := upper(NEW.note); RETURN NEW; END';"
	    "CREATE TRIGGER louder BEFORE INSERT ON public.things FOR EACH ROW EXECUTE FUNCTION public.louder()");
	load(MERGE_LEAVE, 2, "a,2,new\nb,1,z\n", "0 2 0 0");
	expect(ROWS, "a,2,NEW,2 b,1,Z,2");
	sql(person, "DROP FUNCTION public.louder() CASCADE");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {append_inserts_every_record,
	    upsert_inserts_what_is_new_and_updates_what_has_changed,
	    upsert_gives_equal_rows_the_new_version_and_counts_them_unchanged,
	    leave_neither_writes_nor_locks_equal_rows, a_row_of_a_higher_version_is_kept_and_the_record_superseded,
	    the_last_record_of_a_key_wins_and_the_others_are_superseded,
	    of_many_records_those_that_the_server_refuses_are_found, append_finds_refused_records_too,
	    an_earlier_record_of_the_key_takes_the_place_of_a_refused_one,
	    a_key_whose_records_are_all_refused_keeps_its_row, a_deferred_constraint_refuses_its_record_not_the_commit,
	    what_is_no_fault_of_the_data_refuses_no_record, a_tombstone_beats_older_records_and_no_newer_ones,
	    a_row_whose_delete_commits_while_the_upsert_waits_is_not_brought_back,
	    nor_if_no_other_row_of_the_batch_is_there, null_equals_null_and_differs_from_the_empty_string,
	    equal_is_what_prints_the_same, keys_that_are_equal_to_their_type_are_one_row,
	    a_key_of_several_columns_is_all_of_them, without_a_key_the_same_chunk_again_changes_nothing,
	    a_column_added_meanwhile_is_staged_anew,
	    a_column_made_coarser_by_a_person_is_no_reason_to_count_a_record_twice,
	    a_guess_is_what_became_of_every_record_before, a_trigger_before_insert_sees_the_records_that_update_too,
	    what_a_trigger_leaves_out_is_refused, a_key_that_records_cannot_be_merged_by_is_told};
	int failed = 0;

	for (guess = MERGE_MIXED; guess <= MERGE_ALL_CHANGED; guess++)
		failed |= session_run("merge", begin, things_end, tests, sizeof tests / sizeof *tests);
	return failed;
}
