/* Does the table hold what a chunk's records say? The question of csvp-admin verify. */
#include "table/compare.h"
#include "things.h"

static void
begin(void)
{
	things_begin();
	things_ready("code text,amount numeric,note text", 1);
	things_seq(2);
	/* Three records of five bytes, as job 2 has loaded them. */
	sql(pg, "INSERT INTO public.things SELECT c, 1, 'x', 2::bigint << 39 | n FROM (VALUES ('a', 0), ('b', 6), "
		"('c', 12))"
		" v (c, n)");
}

/* Job `seq` with "a,1,x", "b,1,x", "c,1,x": "present missing different", and the example's offset. */
static void
compared(int64_t seq, const char *expected)
{
	struct compare_result r;
	char text[80];

	things_records(seq, "a,1,x\nb,1,x\nc,1,x\n");
	batch_group_by_key(&batch);
	OK(pg_begin(pg, &e));
	OK(compare_prepare(pg, &target, &e));
	OK(compare_batch(pg, &target, &batch, &r, &e));
	/* The next chunk of the same transaction. */
	OK(compare_batch(pg, &target, &batch, &r, &e));
	OK(pg_commit(pg, &e));
	snprintf(text, sizeof text, "%d %d %d", (int)r.present, (int)r.missing, (int)r.different);
	if (r.example != 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), " at %d",
		    (int)(r.example & (LEDGER_EDIT_BIT - 1)));
	ck_assert_str_eq(text, expected);
}

START_TEST(rows_of_the_records_versions_are_present)
{
	compared(2, "3 0 0");
}
END_TEST

START_TEST(a_row_that_is_gone_without_a_tombstone_is_missing)
{
	sql(pg, "DELETE FROM public.things WHERE code = 'b'");
	compared(2, "2 1 0 at 6");
}
END_TEST

START_TEST(a_deleted_row_is_accounted_for_by_its_tombstone)
{
	sql(person, "DELETE FROM public.things WHERE code = 'b'");
	compared(2, "2 0 0");
	/* ... unless the record is newer. */
	compared(3, "0 1 0 at 6");
}
END_TEST

START_TEST(a_row_of_a_higher_version_accounts_for_older_records)
{
	sql(person, "UPDATE public.things SET note = 'mine' WHERE code = 'a'");
	compared(2, "2 0 0");
	compared(1, "0 0 0");
}
END_TEST

START_TEST(an_equal_row_of_a_lower_version_was_left_alone)
{
	compared(3, "0 0 0");
	sql(pg, "UPDATE public.things SET amount = 1.0 WHERE code = 'c'");
	compared(3, "0 1 0 at 12");
}
END_TEST

START_TEST(a_row_of_the_records_version_with_other_values_is_different)
{
	sql(pg, "UPDATE public.things SET note = NULL WHERE code = 'c'");
	compared(2, "3 0 1 at 12");
}
END_TEST

START_TEST(edits_are_told_apart_among_the_rows)
{
	uint64_t rows, edited;

	sql(person, "INSERT INTO public.things VALUES ('d'); UPDATE public.things SET note = 'mine' WHERE code = 'a'");
	OK(compare_count(pg, &target, &rows, &edited, &e));
	ck_assert_uint_eq(rows, 4);
	ck_assert_uint_eq(edited, 2);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {rows_of_the_records_versions_are_present,
	    a_row_that_is_gone_without_a_tombstone_is_missing, a_deleted_row_is_accounted_for_by_its_tombstone,
	    a_row_of_a_higher_version_accounts_for_older_records, an_equal_row_of_a_lower_version_was_left_alone,
	    a_row_of_the_records_version_with_other_values_is_different, edits_are_told_apart_among_the_rows};

	return session_run("compare", begin, things_end, tests, sizeof tests / sizeof *tests);
}
