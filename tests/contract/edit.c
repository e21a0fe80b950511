/* The users' table as a person meets it: what it is made of, and what edits outside jobs leave behind. */
#include "table/copyin.h"
#include "table/edit.h"
#include "things.h"

#define VERSIONS "SELECT code, _version >> 39, _version & (1::bigint << 38) > 0 FROM public.things ORDER BY code"
#define CHANGES "SELECT key, deleted, version >> 39 FROM csvp.change ORDER BY id"
#define TOMBSTONES "SELECT key FROM csvp.tombstone ORDER BY key"

static void
begin(void)
{
	things_begin();
	things_ready("code text,amount numeric,note text", 1);
	things_seq(3);
}

static void
again(const char *columns, size_t keys)
{
	things_end();
	things_begin();
	things_building(columns, keys);
	things_seq(3);
}

/* COPY, as the loader does it. */
static void
copy(int64_t seq, const char *csv)
{
	things_records(seq, csv);
	batch_group_each(&batch);
	OK(pg_begin(pg, &e));
	OK(copyin_groups(pg, &batch, 0, batch.group_count, "COPY public.things FROM STDIN", &e));
	OK(pg_commit(pg, &e));
}

/* The statement must fail with this SQLSTATE. */
static void
refused(struct pg *session, const char *statement, const char *sqlstate)
{
	ck_assert_int_eq(pg_exec(session, statement, &e), -1);
	ck_assert_str_eq(pg_sqlstate(session), sqlstate);
}

START_TEST(an_insert_comes_after_the_newest_job_and_is_a_change)
{
	copy(3, "a,1,x\n");
	sql(person, "INSERT INTO public.things VALUES ('b', 2, 'y')");
	expect(VERSIONS, "a,3,f b,3,t");
	expect(CHANGES, "{b},f,3");
	expect(TOMBSTONES, "");
}
END_TEST

START_TEST(an_update_takes_a_higher_version_each_time)
{
	copy(3, "a,1,x\n");
	sql(person, "UPDATE public.things SET note = 'y'");
	sql(person, "UPDATE public.things SET note = 'z', _version = 1");
	expect(VERSIONS, "a,3,t");
	expect(CHANGES, "{a},f,3 {a},f,3");
	expect("SELECT count(DISTINCT version), max(version) = (SELECT _version FROM public.things) FROM csvp.change",
	    "2,t");
	expect(TOMBSTONES, "");
}
END_TEST

START_TEST(an_update_of_a_row_that_is_ahead_of_the_sequence_still_raises_it)
{
	copy(7, "a,1,x\n");
	sql(person, "UPDATE public.things SET note = 'y'");
	expect("SELECT _version - (7::bigint << 39) FROM public.things", "1");
}
END_TEST

START_TEST(a_delete_leaves_a_tombstone_that_beats_the_newest_job)
{
	copy(3, "a,1,x\nb,1,x\n");
	sql(person, "DELETE FROM public.things WHERE code = 'a'");
	expect(CHANGES, "{a},t,3");
	expect("SELECT t.key, t.version = c.version, t.version > (3::bigint << 39 | 1::bigint << 38)"
	       " FROM csvp.tombstone t JOIN csvp.change c USING (key)",
	    "{a},t,t");
}
END_TEST

START_TEST(a_later_delete_raises_the_tombstone)
{
	copy(3, "a,1,x\n");
	sql(person, "DELETE FROM public.things; INSERT INTO public.things VALUES ('a'); DELETE FROM public.things");
	expect(CHANGES, "{a},t,3 {a},f,3 {a},t,3");
	expect("SELECT count(*), max(version) = (SELECT max(version) FROM csvp.change) FROM csvp.tombstone", "1,t");
}
END_TEST

START_TEST(a_changed_key_is_a_delete_and_an_insert)
{
	copy(3, "a,1,x\n");
	sql(person, "UPDATE public.things SET code = 'b'");
	expect(VERSIONS, "b,3,t");
	expect("SELECT key, deleted FROM csvp.change ORDER BY id", "{a},t {b},f");
	expect(TOMBSTONES, "{a}");
}
END_TEST

START_TEST(a_key_that_only_looks_changed_is_none)
{
	again("size numeric,note text", 1);
	things_build_key(true);
	copy(3, "1.50,x\n");
	sql(person, "UPDATE public.things SET size = 1.5");
	expect("SELECT key, deleted FROM csvp.change", "{1.5},f");
	expect(TOMBSTONES, "");
}
END_TEST

START_TEST(keys_are_written_as_their_types_canonical_texts)
{
	again("at timestamptz,size numeric,day date,flag boolean,note text", 5);
	things_build_key(true);
	/* Whatever the person's session prints. */
	sql(person, "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'");
	sql(person, "INSERT INTO public.things VALUES ('2024-02-29 12:00:00+02', 10.00, '2024-02-29', true, 'a,b')");
	things_records(9, "2024-02-29T10:00:00Z,10.0,2024-02-29,TRUE,\"a,b\"\n");
	batch_group_by_key(&batch);
	sql(person, "DELETE FROM public.things");
	expect("SELECT array_length(key, 1), count(*) FROM csvp.change GROUP BY 1", "5,2");
	expect("SELECT DISTINCT key FROM csvp.change", "{\"2024-02-29 10:00:00+00\",10,2024-02-29,true,\"a,b\"}");
}
END_TEST

START_TEST(truncate_is_refused_and_says_what_to_do)
{
	copy(3, "a,1,x\n");
	refused(person, "TRUNCATE public.things", "0A000");
	ck_assert_msg(strstr(e.message, "TRUNCATE of public.things would leave its search index behind") != NULL &&
			  strstr(e.message, "DELETE FROM public.things") != NULL,
	    "%s", e.message);
	expect("SELECT count(*) FROM public.things", "1");
}
END_TEST

START_TEST(a_worker_passes_untouched)
{
	copy(3, "a,1,x\nb,1,x\n");
	sql(pg, "UPDATE public.things SET note = 'y' WHERE code = 'a'; DELETE FROM public.things WHERE code = 'b';"
		"INSERT INTO public.things VALUES ('c', 1, 'x', 5)");
	expect("SELECT code, _version FROM public.things ORDER BY code", "a,1649267441664 c,5");
	expect("SELECT (SELECT count(*) FROM csvp.change), (SELECT count(*) FROM csvp.tombstone)", "0,0");
}
END_TEST

START_TEST(the_setting_alone_makes_no_worker)
{
	copy(3, "a,1,x\n");
	sql(pg, "DO $$ BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
		"GRANT SELECT, INSERT, UPDATE, DELETE ON public.things TO clerk");
	sql(person, "SET ROLE clerk; SET csvp.worker = 'on'; UPDATE public.things SET note = 'y'");
	/* Who may write the table need not be allowed anything in csvp. */
	refused(person, "SELECT FROM csvp.change", "42501");
	expect(VERSIONS, "a,3,t");
	expect(CHANGES, "{a},f,3");
}
END_TEST

START_TEST(no_object_of_a_persons_own_gets_into_the_trigger)
{
	copy(7, "a,1,x\n");
	sql(person, "DROP SCHEMA IF EXISTS mine CASCADE; CREATE SCHEMA mine;"
		    "CREATE FUNCTION mine.plus(bigint, int) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';"
		    "CREATE OPERATOR mine.+ (FUNCTION = mine.plus, LEFTARG = bigint, RIGHTARG = int);"
		    "SET search_path = mine, pg_catalog");
	sql(person, "UPDATE public.things SET note = 'y'");
	expect("SELECT _version - (7::bigint << 39) FROM public.things", "1");
}
END_TEST

START_TEST(copys_many_rows_at_once_are_not_switched_off)
{
	/* A row trigger before INSERT, or an INSTEAD one, does it; so does a default that must be called for each row. */
	expect("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.things'::regclass"
	       " AND tgtype & 1 > 0 AND tgtype & 4 > 0 AND tgtype & (2 | 64) > 0",
	    "0");
}
END_TEST

START_TEST(inserts_before_the_key_are_told_when_it_is_built)
{
	again("code text,amount numeric,note text", 1);
	copy(3, "a,1,x\n");
	sql(person, "INSERT INTO public.things VALUES ('b', 2, 'y')");
	expect(CHANGES, "");
	things_build_key(true);
	expect(CHANGES, "{b},f,3");
	sql(person, "INSERT INTO public.things VALUES ('c', 2, 'y')");
	expect(CHANGES, "{b},f,3 {c},f,3");
}
END_TEST

START_TEST(updates_and_deletes_before_the_key_count_at_once)
{
	again("code text,amount numeric,note text", 1);
	copy(3, "a,1,x\nb,1,x\n");
	sql(person, "UPDATE public.things SET note = 'y' WHERE code = 'a'; DELETE FROM public.things WHERE code = 'b'");
	expect(CHANGES, "{a},f,3 {b},t,3");
	copy(3, "b,1,late\n");
	things_build_key(true);
	expect(VERSIONS, "a,3,t");
}
END_TEST

START_TEST(without_a_key_a_row_is_known_by_the_version_of_its_birth)
{
	again("note text", 0);
	things_build_key(true);
	sql(person, "INSERT INTO public.things (note) VALUES ('x'); UPDATE public.things SET note = 'y'");
	expect("SELECT _id < _version, _id >> 39 FROM public.things", "t,3");
	expect("SELECT c.key = ARRAY[t._id::text], c.deleted FROM csvp.change c, public.things t ORDER BY c.id",
	    "t,f t,f");
}
END_TEST

START_TEST(a_key_column_that_gets_its_type_is_written_anew)
{
	again("size text,note text", 1);
	shape.columns[0].type = TYPE_NUMERIC;
	OK(pg_begin(pg, &e));
	ck_assert_int_eq(create_type(pg, &target, 0, &e), 0);
	OK(pg_commit(pg, &e));
	things_build_key(true);
	sql(person, "INSERT INTO public.things VALUES (1.50, 'x')");
	expect("SELECT key FROM csvp.change", "{1.5}");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {an_insert_comes_after_the_newest_job_and_is_a_change,
	    an_update_takes_a_higher_version_each_time,
	    an_update_of_a_row_that_is_ahead_of_the_sequence_still_raises_it,
	    a_delete_leaves_a_tombstone_that_beats_the_newest_job, a_later_delete_raises_the_tombstone,
	    a_changed_key_is_a_delete_and_an_insert, a_key_that_only_looks_changed_is_none,
	    keys_are_written_as_their_types_canonical_texts, truncate_is_refused_and_says_what_to_do,
	    a_worker_passes_untouched, the_setting_alone_makes_no_worker,
	    no_object_of_a_persons_own_gets_into_the_trigger, copys_many_rows_at_once_are_not_switched_off,
	    inserts_before_the_key_are_told_when_it_is_built, updates_and_deletes_before_the_key_count_at_once,
	    without_a_key_a_row_is_known_by_the_version_of_its_birth, a_key_column_that_gets_its_type_is_written_anew};

	return session_run("edit", begin, things_end, tests, sizeof tests / sizeof *tests);
}
