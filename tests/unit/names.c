#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "schema/names.h"

static void
expect_column(const char *header, const char *name)
{
	char *got = names_column(header, 3);

	ck_assert_str_eq(got, name);
	free(got);
}

START_TEST(headers_become_snake_case)
{
	expect_column("Organization Id", "organization_id");
	expect_column("Index", "index");
	expect_column("name", "name");
	expect_column("  Name (full) ", "name_full");
	expect_column("a.b-c/d", "a_b_c_d");
	expect_column("a__b", "a_b");
	expect_column("# of \"items\"", "of_items");
	expect_column("line\nbreak\ttab", "line_break_tab");
}
END_TEST

START_TEST(capitals_begin_words)
{
	expect_column("usageType", "usage_type");
	expect_column("HTTPServer2Name", "http_server2_name");
	expect_column("CO2Level", "co2_level");
	expect_column("URL", "url");
	expect_column("IDs", "ids");
	expect_column("PDFs of XMLHttp", "pdfs_of_xml_http");
	expect_column("H2O", "h2o");
	expect_column("B2B", "b2b");
	expect_column("isO", "is_o");
	expect_column("größeÄndern", "größe_ändern");
}
END_TEST

START_TEST(letters_beyond_ascii_stay_and_are_lowered)
{
	expect_column("Größe", "größe");
	expect_column("ÀÖØÞ×Ÿ", "àöøþ_ÿ");
	expect_column("ĀĲĶĹŇŊŶŹŽ", "āĳķĺňŋŷźž");
	expect_column("İ ıſ", "i_ıſ");
	expect_column("ΑΒΓ ΆΈΎΏΌ", "αβγ_άέύώό");
	expect_column("Имя ЁЖ", "имя_ёж");
	expect_column("名前", "名前");
	expect_column("عدد", "عدد");
}
END_TEST

START_TEST(signs_beyond_ascii_separate)
{
	expect_column("Price €", "price");
	expect_column("a\xE2\x80\x93"
		      "b",
	    "a_b");
	expect_column("x²", "x");
	expect_column("50 °C", "_50_c");
	expect_column("a\xC2\xA0"
		      "b",
	    "a_b");
	expect_column("名前・住所", "名前_住所");
	expect_column("go 🚀 now", "go_now");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_separate)
{
	expect_column("a\xFF"
		      "b",
	    "a_b");
	expect_column("a\xC3", "a");
	expect_column("a\xE2\x82"
		      "b",
	    "a_b");
	expect_column("a\xC0\xAF"
		      "b",
	    "a_b");
	expect_column("a\xED\xA0\x80"
		      "b",
	    "a_b");
	expect_column("a\xF4\x90\x80\x80"
		      "b",
	    "a_b");
}
END_TEST

START_TEST(no_name_begins_with_a_digit)
{
	expect_column("2024", "_2024");
	expect_column("1st", "_1st");
	expect_column("3D", "_3d");
	expect_column("_7", "_7");
}
END_TEST

START_TEST(without_letter_or_digit_the_position_names_the_column)
{
	expect_column("", "column_3");
	expect_column("--", "column_3");
	expect_column("€", "column_3");
}
END_TEST

START_TEST(names_never_meet_the_extra_columns)
{
	expect_column("_version", "version");
	expect_column("_id", "id");
	expect_column("__ID", "id");
}
END_TEST

START_TEST(reserved_words_and_system_columns_get_an_underscore)
{
	expect_column("Order", "order_");
	expect_column("user", "user_");
	expect_column("all", "all_");
	expect_column("GROUP", "group_");
	expect_column("xmin", "xmin_");
	expect_column("TABLEOID", "tableoid_");
	expect_column("name", "name");
	expect_column("date", "date");
	expect_column("orders", "orders");
}
END_TEST

START_TEST(long_names_are_cut_at_a_character_with_a_hash)
{
	char header[200];
	char *a, *b;

	memset(header, 'x', 63);
	header[63] = '\0';
	expect_column(header, header);
	header[63] = 'y';
	header[64] = '\0';
	a = names_column(header, 1);
	header[63] = 'z';
	b = names_column(header, 1);
	ck_assert_uint_eq(strlen(a), 63);
	ck_assert_int_eq(strspn(a, "x"), 54);
	ck_assert_int_eq(a[54], '_');
	ck_assert_str_ne(a, b);
	free(a);
	free(b);

	/* 53 letters and an ö: byte 54 is inside it. */
	memset(header, 'x', 53);
	strcpy(header + 53, "öxxxxxxxxxxxxxxx");
	a = names_column(header, 1);
	ck_assert_uint_eq(strlen(a), 62);
	ck_assert_int_eq(a[53], '_');
	free(a);

	/* A word's end at the cut leaves no doubled underscore. */
	memset(header, 'x', 53);
	strcpy(header + 53, " xxxxxxxxxxxxxxx");
	a = names_column(header, 1);
	ck_assert_uint_eq(strlen(a), 62);
	ck_assert_int_eq(a[54] == '_', 0);
	free(a);
}
END_TEST

static void
expect_columns(const char *const *headers, const char *const *expected, size_t count)
{
	struct err e = {0};
	char *names[8];

	ck_assert_int_eq(names_columns(headers, count, names, &e), 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(names[i], expected[i]);
		free(names[i]);
	}
}

START_TEST(colliding_headers_count_up)
{
	expect_columns((const char *[]){"A b", "a_b"}, (const char *[]){"a_b", "a_b_2"}, 2);
	expect_columns((const char *[]){"x", "X", "x ", " x"}, (const char *[]){"x", "x_2", "x_3", "x_4"}, 4);
	expect_columns((const char *[]){"id", "_id"}, (const char *[]){"id", "id_2"}, 2);
	expect_columns((const char *[]){"user", "User"}, (const char *[]){"user_", "user__2"}, 2);
}
END_TEST

START_TEST(counted_names_avoid_names_of_other_headers)
{
	expect_columns((const char *[]){"A b", "a_b", "a_b_2"}, (const char *[]){"a_b", "a_b_3", "a_b_2"}, 3);
	expect_columns((const char *[]){"a_b_2", "A b", "a_b"}, (const char *[]){"a_b_2", "a_b", "a_b_3"}, 3);
}
END_TEST

START_TEST(counted_names_stay_within_63_bytes)
{
	char a[64], b[65];
	struct err e = {0};
	char *names[2];

	memset(a, 'x', 63);
	a[63] = '\0';
	memset(b, 'x', 63);
	strcpy(b + 63, " ");
	ck_assert_int_eq(names_columns((const char *[]){a, b}, 2, names, &e), 0);
	ck_assert_str_eq(names[0], a);
	ck_assert_uint_eq(strlen(names[1]), 63);
	ck_assert_str_eq(names[1] + 61, "_2");
	free(names[0]);
	free(names[1]);
}
END_TEST

START_TEST(empty_headers_are_named_by_position)
{
	expect_columns((const char *[]){"a", "", ""}, (const char *[]){"a", "column_2", "column_3"}, 3);
	expect_columns((const char *[]){"column_2", ""}, (const char *[]){"column_2", "column_2_2"}, 2);
}
END_TEST

START_TEST(identical_headers_are_an_error_naming_both_positions)
{
	struct err e = {0};
	char *names[4];

	ck_assert_int_eq(names_columns((const char *[]){"id", "Name", "x", "Name"}, 4, names, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_str_eq(e.message, "columns 2 and 4 have the same header \"Name\"");
}
END_TEST

START_TEST(more_columns_than_a_table_holds_are_an_error)
{
	enum { COUNT = 1599 };
	static const char *headers[COUNT];
	static char *names[COUNT];
	struct err e = {0};

	for (size_t i = 0; i < COUNT; i++)
		headers[i] = "";
	ck_assert_int_eq(names_columns(headers, COUNT, names, &e), -1);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_ptr_nonnull(strstr(e.message, "1599 columns"));
	ck_assert_int_eq(names_columns(headers, COUNT - 1, names, &e), 0);
	for (size_t i = 0; i < COUNT - 1; i++)
		free(names[i]);
}
END_TEST

static void
expect_name(char *got, const char *expected)
{
	ck_assert_str_eq(got, expected);
	free(got);
}

START_TEST(a_dataset_is_named_by_its_file)
{
	expect_name(names_dataset("path/Orgs 2024.csv.gz"), "Orgs 2024");
	expect_name(names_dataset("orgs.csv"), "orgs");
	expect_name(names_dataset("/data/ORGS.TSV"), "ORGS");
	expect_name(names_dataset("a.b.txt.zst"), "a.b");
	expect_name(names_dataset("a.csv.csv"), "a.csv");
	expect_name(names_dataset("orgs.dat"), "orgs.dat");
	expect_name(names_dataset("x/.csv"), ".csv");
	expect_name(names_dataset("orgs"), "orgs");
}
END_TEST

START_TEST(a_table_is_named_by_its_dataset)
{
	expect_name(names_table("Orgs 2024"), "orgs_2024");
	expect_name(names_table("2024 orgs"), "_2024_orgs");
	expect_name(names_table("order"), "order_");
	expect_name(names_table("pg_class"), "pg_class_");
}
END_TEST

START_TEST(a_dataset_without_letters_has_a_table_of_its_own)
{
	char *a = names_table("--");
	char *b = names_table("++");

	ck_assert_int_eq(strncmp(a, "dataset_", 8), 0);
	ck_assert_uint_eq(strlen(a), 16);
	ck_assert_str_ne(a, b);
	free(a);
	free(b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, headers_become_snake_case);
	tcase_add_test(t, capitals_begin_words);
	tcase_add_test(t, letters_beyond_ascii_stay_and_are_lowered);
	tcase_add_test(t, signs_beyond_ascii_separate);
	tcase_add_test(t, bytes_that_are_no_utf8_separate);
	tcase_add_test(t, no_name_begins_with_a_digit);
	tcase_add_test(t, without_letter_or_digit_the_position_names_the_column);
	tcase_add_test(t, names_never_meet_the_extra_columns);
	tcase_add_test(t, reserved_words_and_system_columns_get_an_underscore);
	tcase_add_test(t, long_names_are_cut_at_a_character_with_a_hash);
	tcase_add_test(t, colliding_headers_count_up);
	tcase_add_test(t, counted_names_avoid_names_of_other_headers);
	tcase_add_test(t, counted_names_stay_within_63_bytes);
	tcase_add_test(t, empty_headers_are_named_by_position);
	tcase_add_test(t, identical_headers_are_an_error_naming_both_positions);
	tcase_add_test(t, more_columns_than_a_table_holds_are_an_error);
	tcase_add_test(t, a_dataset_is_named_by_its_file);
	tcase_add_test(t, a_table_is_named_by_its_dataset);
	tcase_add_test(t, a_dataset_without_letters_has_a_table_of_its_own);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
