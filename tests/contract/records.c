/* Single records read and edited outside jobs: what is stored, what is refused and why, and who comes too late. */
#include "flow/record_json.h"
#include "flow/records.h"
#include "flow/site.h"
#include "jobs.h"
#include "table/copyin.h"

#define CHANGES "SELECT key, deleted FROM csvp.change ORDER BY id"

static struct site *site;
static struct records *records;
static struct records_answer got;
static const struct records_condition always;

static void
begin(void)
{
	things_begin();
	/* Where the database is, is all that there is to configure. */
	setenv("CSVP_DATABASE_URL", session_conninfo.bytes, 1);
	setenv("CSVP_HOME", session_folder, 1);
	setenv("CSVP_CONFIG", "/dev/null", 1);
	site = site_open(&e);
	ck_assert_msg(site != NULL, "%s", e.message);
}

static void
end(void)
{
	records_answer_fini(&got);
	records_close(records);
	site_close(site);
	things_end();
}

static void
open_records(void)
{
	records = records_open(site, "things", &e);
	ck_assert_msg(records != NULL, "%s", e.message);
}

/* The dataset, and the handle on it. */
static void
define(const char *columns, size_t keys)
{
	things_ready(columns, keys);
	things_seq(3);
	open_records();
}

/* The result must be this one. */
static void
is(int result, enum records_result expected)
{
	ck_assert_msg(result >= 0, "%s", e.message);
	ck_assert_msg(result == (int)expected, "%d, not %d: %s", result, (int)expected,
	    got.fault_count > 0 ? got.faults[0].reason : "");
}

static int
create(const char *body)
{
	records_answer_fini(&got);
	return records_create(records, body, strlen(body), &got, &e);
}

static int
replace_if(const struct records_condition *c, const char *key, const char *body)
{
	records_answer_fini(&got);
	return records_replace(records, key, c, body, strlen(body), &got, &e);
}

static int
replace(const char *key, const char *body)
{
	return replace_if(&always, key, body);
}

static int
patch_if(const struct records_condition *c, const char *key, const char *body)
{
	records_answer_fini(&got);
	return records_patch(records, key, c, body, strlen(body), &got, &e);
}

static int
patch(const char *key, const char *body)
{
	return patch_if(&always, key, body);
}

static int
delete_if(const struct records_condition *c, const char *key)
{
	records_answer_fini(&got);
	return records_delete(records, key, c, &got, &e);
}

static int
look(const char *key)
{
	records_answer_fini(&got);
	return records_read(records, key, &got, &e);
}

/* The record is there, and is this. */
static void
reads(const char *key, const char *json)
{
	is(look(key), RECORDS_DONE);
	ck_assert_str_eq(got.json.bytes, json);
	ck_assert_str_eq(got.key, key);
}

static struct records_condition
if_version(const int64_t *version)
{
	return (struct records_condition){.versioned = true, .versions = version, .count = 1};
}

#define ALL_TYPES "id text,n bigint,price numeric,yes boolean,day date,at timestamp,sent timestamptz,note text"

START_TEST(a_record_is_made_with_all_its_values_exactly)
{
	define(ALL_TYPES, 1);
	is(create("{\"id\":\"a\",\"n\":9223372036854775807,\"price\":123456789012345678.10,\"yes\":true,"
		  "\"day\":\"2024-02-29\",\"at\":\"2024-02-29 12:00\",\"sent\":\"2024-02-29T12:00+02\",\"note\":\"\"}"),
	    RECORDS_CREATED);
	ck_assert_str_eq(got.key, "a");
	reads("a",
	    "{\"id\":\"a\",\"n\":\"9223372036854775807\",\"price\":\"123456789012345678.10\",\"yes\":true,"
	    "\"day\":\"2024-02-29\",\"at\":\"2024-02-29 12:00:00\",\"sent\":\"2024-02-29 10:00:00+00\",\"note\":\"\"}");
	expect("SELECT _version >> 39, _version & (1::bigint << 38) > 0 FROM public.things", "3,t");
	expect(CHANGES, "{a},f");
	/* What was read may be written again. */
	char *json = buf_strdup(got.json.bytes);
	is(replace("a", json), RECORDS_DONE);
	ck_assert_str_eq(got.json.bytes, json);
	free(json);
}
END_TEST

START_TEST(what_is_not_given_is_no_value)
{
	define(ALL_TYPES, 1);
	is(create("{\"id\":\"a\",\"note\":null}"), RECORDS_CREATED);
	reads("a", "{\"id\":\"a\",\"n\":null,\"price\":null,\"yes\":null,\"day\":null,\"at\":null,\"sent\":null,"
		   "\"note\":null}");
}
END_TEST

START_TEST(numbers_may_be_written_in_any_way_of_json)
{
	define("id text,n bigint,price numeric", 1);
	is(create("{\"id\":\"a\",\"n\":1.0,\"price\":1.50E3}"), RECORDS_CREATED);
	ck_assert_str_eq(got.json.bytes, "{\"id\":\"a\",\"n\":1,\"price\":1500}");
	is(create("{\"id\":\"b\",\"n\":-0,\"price\":12e-4}"), RECORDS_CREATED);
	ck_assert_str_eq(got.json.bytes, "{\"id\":\"b\",\"n\":0,\"price\":0.0012}");
	is(create("{\"id\":\"c\",\"n\":\"12\",\"price\":\"0.30\"}"), RECORDS_CREATED);
	ck_assert_str_eq(got.json.bytes, "{\"id\":\"c\",\"n\":12,\"price\":0.30}");
	is(create("{\"id\":\"d\",\"n\":2e0,\"price\":1.7976931348623157e+308}"), RECORDS_CREATED);
	expect("SELECT n, price = 17976931348623157 * 10::numeric ^ 292 FROM public.things WHERE id = 'd'", "2,t");
}
END_TEST

START_TEST(what_is_wrong_is_named_with_the_reason)
{
	static const struct {
		const char *body, *field, *reason;
	} wrong[] = {
	    {"{\"id\":\"a\",\"colour\":1}", "colour", "there is no such field"},
	    {"{\"id\":\"a\",\"_version\":\"1\"}", "_version", "there is no such field"},
	    {"{\"id\":\"a\",\"n\":1,\"n\":2}", "n", "given twice"},
	    {"{\"id\":\"a\",\"n\":1.5}", "n", "has a fraction, not a bigint"},
	    {"{\"id\":\"a\",\"n\":9223372036854775808}", "n", "out of range for bigint"},
	    {"{\"id\":\"a\",\"n\":\"007\"}", "n", "leading zero"},
	    {"{\"id\":\"a\",\"n\":true}", "n", "true or false in a column of bigint"},
	    {"{\"id\":\"a\",\"n\":{\"x\":[1]}}", "n", "an object, not a value"},
	    {"{\"id\":\"a\",\"n\":[]}", "n", "an array, not a value"},
	    {"{\"id\":\"a\",\"price\":1e999999}", "price", "more digits than a number can have"},
	    {"{\"id\":\"a\",\"price\":1e200000}", "price", "more than 131072 digits"},
	    {"{\"id\":\"a\",\"yes\":\"true\"}", "yes", "neither true nor false"},
	    {"{\"id\":\"a\",\"day\":\"2023-02-29\"}", "day", "no such day"},
	    {"{\"id\":\"a\",\"day\":20230228}", "day", "a number in a column of date"},
	    {"{\"id\":\"a\",\"sent\":\"2023-02-28 12:00\"}", "sent", "no offset from UTC"},
	    {"{\"id\":\"a\",\"note\":5}", "note", "a number in a column of text"},
	    {"{\"id\":\"a\",\"note\":\"x\\u0000y\"}", "note",
		"a character that PostgreSQL cannot hold: \\u0000, or half of a pair"},
	    {"{\"id\":\"a\",\"note\":\"\\ud800\"}", "note",
		"a character that PostgreSQL cannot hold: \\u0000, or half of a pair"},
	    {"{\"n\":1}", "id", "part of the key, and without a value"},
	    {"{\"id\":null}", "id", "part of the key, and without a value"},
	};

	define(ALL_TYPES, 1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		is(create(wrong[i].body), RECORDS_INVALID);
		ck_assert_uint_eq(got.fault_count, 1);
		ck_assert_str_eq(got.faults[0].field, wrong[i].field);
		ck_assert_str_eq(got.faults[0].reason, wrong[i].reason);
	}
	is(create("{\"n\":\"x\",\"day\":1,\"z\":2}"), RECORDS_INVALID);
	ck_assert_uint_eq(got.fault_count, 4);
	expect("SELECT count(*) FROM public.things", "0");
}
END_TEST

START_TEST(what_is_no_json_object_is_malformed)
{
	static const char *const wrong[] = {"", "{", "[]", "1", "null", "{\"id\":01}", "{\"id\":\"a\"} x", "{'id':1}",
	    "{\"id\":\"a\",}", "{\"id\":\"\t\"}", "{\"id\":\"\xff\"}", "{\"id\":1.}", "{\"id\":+1}", "{\"id\":tru}",
	    "{\"id\":\"\\x\"}"};

	define(ALL_TYPES, 1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		is(create(wrong[i]), RECORDS_MALFORMED);
		ck_assert_uint_eq(got.fault_count, 1);
		ck_assert_ptr_null(got.faults[0].field);
	}
	struct buf deep = {0};
	buf_string(&deep, "{\"id\":");
	for (int i = 0; i < 100000; i++)
		buf_byte(&deep, '[');
	is(create(deep.bytes), RECORDS_MALFORMED);
	buf_fini(&deep);
}
END_TEST

START_TEST(a_constraint_of_a_persons_own_is_told)
{
	define(ALL_TYPES, 1);
	sql(person, "ALTER TABLE public.things ADD CHECK (n > 0), ADD UNIQUE (note)");
	is(create("{\"id\":\"a\",\"n\":0}"), RECORDS_INVALID);
	ck_assert_ptr_null(got.faults[0].field);
	ck_assert_ptr_nonnull(strstr(got.faults[0].reason, "things_n_check"));
	is(create("{\"id\":\"a\",\"n\":1,\"note\":\"x\"}"), RECORDS_CREATED);
	is(patch("a", "{\"n\":-1}"), RECORDS_INVALID);
	is(create("{\"id\":\"b\",\"note\":\"x\"}"), RECORDS_INVALID);
	ck_assert_ptr_nonnull(strstr(got.faults[0].reason, "things_note_key"));
	is(patch("a", "{\"n\":2}"), RECORDS_DONE);
}
END_TEST

START_TEST(a_key_that_is_there_is_not_made_again)
{
	define("size numeric,note text", 1);
	is(create("{\"size\":1.50,\"note\":\"x\"}"), RECORDS_CREATED);
	is(create("{\"size\":1.5,\"note\":\"y\"}"), RECORDS_EXISTS);
	reads("1.50", "{\"size\":1.50,\"note\":\"x\"}");
}
END_TEST

START_TEST(a_replaced_record_keeps_nothing)
{
	define("id text,n bigint,note text", 1);
	is(create("{\"id\":\"a\",\"n\":1,\"note\":\"x\"}"), RECORDS_CREATED);
	is(replace("a", "{\"note\":\"y\"}"), RECORDS_DONE);
	reads("a", "{\"id\":\"a\",\"n\":null,\"note\":\"y\"}");
	is(replace("a", "{\"id\":\"b\"}"), RECORDS_INVALID);
	ck_assert_str_eq(got.faults[0].field, "id");
	is(replace("a", "{\"id\":null}"), RECORDS_INVALID);
	is(replace("b", "{\"n\":2}"), RECORDS_CREATED);
	reads("b", "{\"id\":\"b\",\"n\":2,\"note\":null}");
}
END_TEST

START_TEST(a_patch_changes_only_what_it_has)
{
	int64_t version;

	define("id text,n bigint,note text", 1);
	is(create("{\"id\":\"a\",\"n\":1,\"note\":\"x\"}"), RECORDS_CREATED);
	version = got.version;
	is(patch("a", "{\"note\":\"y\"}"), RECORDS_DONE);
	ck_assert(got.version > version);
	reads("a", "{\"id\":\"a\",\"n\":1,\"note\":\"y\"}");
	is(patch("a", "{\"n\":null,\"id\":\"a\"}"), RECORDS_DONE);
	reads("a", "{\"id\":\"a\",\"n\":null,\"note\":\"y\"}");
	is(patch("a", "{\"id\":\"b\"}"), RECORDS_INVALID);
	is(patch("b", "{\"n\":1}"), RECORDS_MISSING);
	expect("SELECT count(*) FROM public.things", "1");
}
END_TEST

START_TEST(a_deleted_record_leaves_a_tombstone_that_beats_a_late_chunk)
{
	define("id text,note text", 1);
	is(create("{\"id\":\"a\"}"), RECORDS_CREATED);
	is(delete_if(&always, "a"), RECORDS_DONE);
	ck_assert_uint_eq(got.json.length, 0);
	is(look("a"), RECORDS_MISSING);
	is(delete_if(&always, "a"), RECORDS_MISSING);
	expect(CHANGES, "{a},f {a},t");
	expect("SELECT key, version >> 39, version & (1::bigint << 38) > 0 FROM csvp.tombstone", "{a},3,t");
	is(create("{\"id\":\"a\",\"note\":\"again\"}"), RECORDS_CREATED);
	expect("SELECT t._version > d.version FROM public.things t, csvp.tombstone d", "t");
}
END_TEST

START_TEST(who_has_seen_another_version_changes_nothing)
{
	int64_t old, versions[2];
	struct records_condition c;

	define("id text,n bigint,note text", 1);
	is(create("{\"id\":\"a\",\"n\":1}"), RECORDS_CREATED);
	old = got.version;
	c = if_version(&old);
	is(patch_if(&c, "a", "{\"n\":2}"), RECORDS_DONE);
	is(patch_if(&c, "a", "{\"n\":3}"), RECORDS_FAILED);
	is(replace_if(&c, "a", "{\"n\":4}"), RECORDS_FAILED);
	is(delete_if(&c, "a"), RECORDS_FAILED);
	reads("a", "{\"id\":\"a\",\"n\":2,\"note\":null}");
	is(patch_if(&c, "gone", "{\"n\":3}"), RECORDS_FAILED);
	is(replace_if(&c, "gone", "{\"n\":3}"), RECORDS_FAILED);
	is(look("a"), RECORDS_DONE);
	versions[0] = old;
	versions[1] = got.version;
	c = (struct records_condition){.versioned = true, .versions = versions, .count = 2};
	is(delete_if(&c, "a"), RECORDS_DONE);
}
END_TEST

START_TEST(a_record_can_be_asked_to_be_there_or_not)
{
	const struct records_condition exists = {.exists = true}, absent = {.absent = true};

	define("id text,n bigint", 1);
	is(replace_if(&exists, "a", "{\"n\":1}"), RECORDS_FAILED);
	is(replace_if(&absent, "a", "{\"n\":1}"), RECORDS_CREATED);
	is(replace_if(&absent, "a", "{\"n\":2}"), RECORDS_FAILED);
	is(replace_if(&exists, "a", "{\"n\":3}"), RECORDS_DONE);
	reads("a", "{\"id\":\"a\",\"n\":3}");
}
END_TEST

START_TEST(of_two_patches_at_once_both_count)
{
	pid_t other;

	define("id text,n bigint,note text", 1);
	is(create("{\"id\":\"a\",\"n\":1,\"note\":\"x\"}"), RECORDS_CREATED);
	/* Another one is in the middle of its own, and commits once this one waits for it. */
	other = session_meanwhile("true",
	    "BEGIN; UPDATE public.things SET note = 'theirs'; SELECT pg_advisory_xact_lock(51);"
	    " DO $$ BEGIN LOOP PERFORM pg_stat_clear_snapshot();"
	    " EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR "
	    "UPDATE');"
	    " END LOOP; END $$; COMMIT",
	    0);
	session_wait_until(pg, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 51");
	is(patch("a", "{\"n\":2}"), RECORDS_DONE);
	ck_assert_str_eq(got.json.bytes, "{\"id\":\"a\",\"n\":2,\"note\":\"theirs\"}");
	session_join(other);
}
END_TEST

START_TEST(keys_of_several_columns_stand_in_the_path_apart_by_commas)
{
	define("code text,size numeric,on_sale boolean,at timestamptz,note text", 4);
	is(create("{\"code\":\"a,b/c d%\",\"size\":1.50,\"on_sale\":true,\"at\":\"2024-02-29T12:00+02\"}"),
	    RECORDS_CREATED);
	ck_assert_str_eq(got.key, "a%2Cb%2Fc%20d%25,1.50,true,2024-02-29%2010%3A00%3A00%2B00");
	is(look("a%2Cb%2Fc%20d%25,1.5,true,2024-02-29T10:00Z"), RECORDS_DONE);
	is(patch("a%2Cb%2Fc%20d%25,1.5,true,2024-02-29T10:00Z", "{\"note\":\"x\",\"size\":1.5}"), RECORDS_DONE);
	is(look("a,b"), RECORDS_MISSING);
	is(look("a%2Cb%2Fc%20d%25,1.5,true"), RECORDS_MISSING);
	is(look("a%2Cb%2Fc%20d%25,x,true,2024-02-29T10:00Z"), RECORDS_MISSING);
	is(look("a%2Cb%2Fc%20d%25,1.5,true,2024-02-29T10:00Z,"), RECORDS_MISSING);
}
END_TEST

START_TEST(keys_may_be_odd)
{
	static const struct {
		const char *json, *path;
	} keys[] = {
	    {"\"\"", "="},
	    {"\".\"", "=."},
	    {"\"..\"", "=.."},
	    {"\"=\"", "%3D"},
	    {"\"=1+1\"", "%3D1%2B1"},
	    {"\"a'b\\\"c\\\\d\"", "a%27b%22c%5Cd"},
	    {"\"\\u540d\\ud83d\\ude00\"", "%E5%90%8D%F0%9F%98%80"},
	    {"\" \\n\\t\"", "%20%0A%09"},
	    {"\"{a,NULL}\"", "%7Ba%2CNULL%7D"},
	    {"\"'; DROP TABLE public.things; --\"", "%27%3B%20DROP%20TABLE%20public.things%3B%20--"},
	};

	define("id text,note text", 1);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char *body = buf_format("{\"id\":%s}", keys[i].json);

		is(create(body), RECORDS_CREATED);
		ck_assert_str_eq(got.key, keys[i].path);
		is(patch(keys[i].path, "{\"note\":\"x\"}"), RECORDS_DONE);
		ck_assert_str_eq(got.key, keys[i].path);
		is(delete_if(&always, keys[i].path), RECORDS_DONE);
		free(body);
	}
	is(look("%00"), RECORDS_MISSING);
	is(look("%ff"), RECORDS_MISSING);
	is(look("%"), RECORDS_MISSING);
	is(look(""), RECORDS_MISSING);
}
END_TEST

START_TEST(a_key_is_no_longer_than_a_load_takes)
{
	struct buf body = {0};

	define("id text,note text", 1);
	buf_string(&body, "{\"id\":\"");
	for (int i = 0; i < 2593; i++)
		buf_byte(&body, 'x');
	buf_string(&body, "\"}");
	is(create(body.bytes), RECORDS_INVALID);
	ck_assert_str_eq(got.faults[0].field, "id");
	buf_fini(&body);
}
END_TEST

START_TEST(without_a_key_records_have_ids)
{
	char *id;

	define("note text", 0);
	is(create("{\"note\":\"x\"}"), RECORDS_CREATED);
	id = buf_strdup(got.key);
	is(create("{\"note\":\"x\"}"), RECORDS_CREATED);
	ck_assert_str_ne(got.key, id);
	is(patch(id, "{\"note\":\"y\"}"), RECORDS_DONE);
	ck_assert_str_eq(got.key, id);
	reads(id, "{\"note\":\"y\"}");
	is(replace(id, "{}"), RECORDS_DONE);
	reads(id, "{\"note\":null}");
	is(delete_if(&always, id), RECORDS_DONE);
	is(replace(id, "{}"), RECORDS_MISSING);
	is(replace("12", "{}"), RECORDS_MISSING);
	is(look("x"), RECORDS_MISSING);
	expect("SELECT count(*) FROM public.things", "1");
	free(id);
}
END_TEST

/* A chunk of the job that fills it. */
static void
copy(const char *csv)
{
	things_records(1, csv);
	batch_group_each(&batch);
	OK(pg_begin(pg, &e));
	OK(copyin_groups(pg, &batch, 0, batch.group_count, "COPY public.things FROM STDIN", &e));
	OK(pg_commit(pg, &e));
}

START_TEST(a_dataset_that_is_filled_gets_its_key_before_an_edit)
{
	int64_t job;

	things_building("id text,note text", 1);
	job = job_row(NULL);
	things_seq(1);
	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET builder = %lld", (long long)job));
	chunk_row(job, 0, "loaded");
	chunk_row(job, 1, "pending");
	copy("a,old\na,new\nb,x\n");
	open_records();
	reads("a", "{\"id\":\"a\",\"note\":\"new\"}");
	sql(person, "DELETE FROM public.things WHERE id = 'b'");
	copy("b,late\n");
	is(look("b"), RECORDS_MISSING);
	expect("SELECT state FROM csvp.dataset", "building");
	is(create("{\"id\":\"a\"}"), RECORDS_EXISTS);
	expect("SELECT state FROM csvp.dataset", "ready");
	expect("SELECT id, note FROM public.things", "a,new");
	is(patch("a", "{\"note\":\"edited\"}"), RECORDS_DONE);
}
END_TEST

START_TEST(who_keeps_a_key_from_being_built_is_waited_for_ten_seconds)
{
	struct pg *again;

	things_building("id text,note text", 1);
	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET builder = %lld", (long long)job_row(NULL)));
	things_seq(1);
	open_records();
	sql(person, "BEGIN; LOCK TABLE public.things IN ROW EXCLUSIVE MODE");
	FAILS(ERR_AGAIN, create("{\"id\":\"a\"}"));
	sql(person, "ROLLBACK");
	is(create("{\"id\":\"a\"}"), RECORDS_CREATED);
	/* The next one to whom the session is given waits as long as he likes. */
	records_close(records);
	records = NULL;
	again = site_connect(site, &e);
	ck_assert_int_eq((int)session_int(again, "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'"), 0);
	site_release(site, again);
}
END_TEST

START_TEST(what_is_not_there_is_told)
{
	ck_assert_ptr_null(records_open(site, "other", &e));
	ck_assert_int_eq((int)e.code, ERR_NOINPUT);
	ck_assert_ptr_null(records_open(site, "things", &e));
	ck_assert_int_eq((int)e.code, ERR_NOINPUT);
	define("id text", 1);
	sql(person, "DROP TABLE public.things");
	FAILS(ERR_NOINPUT, look("a"));
	FAILS(ERR_NOINPUT, create("{\"id\":\"a\"}"));
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {a_record_is_made_with_all_its_values_exactly, what_is_not_given_is_no_value,
	    numbers_may_be_written_in_any_way_of_json, what_is_wrong_is_named_with_the_reason,
	    what_is_no_json_object_is_malformed, a_constraint_of_a_persons_own_is_told,
	    a_key_that_is_there_is_not_made_again, a_replaced_record_keeps_nothing, a_patch_changes_only_what_it_has,
	    a_deleted_record_leaves_a_tombstone_that_beats_a_late_chunk, who_has_seen_another_version_changes_nothing,
	    a_record_can_be_asked_to_be_there_or_not, of_two_patches_at_once_both_count,
	    keys_of_several_columns_stand_in_the_path_apart_by_commas, keys_may_be_odd,
	    a_key_is_no_longer_than_a_load_takes, without_a_key_records_have_ids,
	    a_dataset_that_is_filled_gets_its_key_before_an_edit,
	    who_keeps_a_key_from_being_built_is_waited_for_ten_seconds, what_is_not_there_is_told};

	return session_run("records", begin, end, tests, sizeof tests / sizeof *tests);
}
