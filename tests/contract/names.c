/* Are names of lib/schema/names what they promise to a person: typed without quotes, by a real PostgreSQL? */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "schema/names.h"
#include "server.h"

static struct server server;
static unsigned seed;

/* The output of a script that must work; psql ends each row with a newline. */
static struct buf
answer_of(const char *sql)
{
	struct buf out = {0};
	int status = server_psql(&server, sql, &out);

	ck_assert_msg(status == 0, "seed %u: %.500s", seed, out.bytes);
	return out;
}

/* Each word of the answer, as a header, becomes the word with `suffix` behind it. */
static void
expect_each(const char *sql, const char *suffix, size_t at_least)
{
	struct buf answer = answer_of(sql);
	size_t words = 0;
	char *rest = NULL;

	for (char *word = strtok_r(answer.bytes, "\n", &rest); word != NULL; word = strtok_r(NULL, "\n", &rest)) {
		char *expected = buf_format("%s%s", word, suffix);
		char *column = names_column(word, 1);

		ck_assert_str_eq(column, expected);
		free(column);
		free(expected);
		words++;
	}
	ck_assert_uint_ge(words, at_least);
	buf_fini(&answer);
}

START_TEST(exactly_the_servers_reserved_words_get_an_underscore)
{
	expect_each("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')", "_", 90);
	expect_each("SELECT word FROM pg_get_keywords() WHERE catcode IN ('U', 'C')", "", 300);
}
END_TEST

START_TEST(system_columns_get_an_underscore)
{
	expect_each("SELECT attname FROM pg_attribute WHERE attrelid = 'pg_class'::regclass AND attnum < 0", "_", 6);
}
END_TEST

static char *
random_header(void)
{
	static const char *const pieces[] = {"a", "b", "Z", "Order", "user", "ID", "2", "_", " ", "-", "\"", "'", ".",
	    "é", "Ä", "Я", "名", "€", "\xFF", "\n", "tableoid", "verylongwordverylongwordverylongword"};
	struct buf header = {0};

	for (long count = random() % 6; count > 0; count--)
		buf_string(&header, pieces[random() % (long)(sizeof pieces / sizeof pieces[0])]);
	return buf_detach(&header);
}

/* Different headers: names_columns refuses identical ones. */
static size_t
random_headers(char **headers, size_t wanted)
{
	size_t count = 0;

	for (size_t tries = 0; tries < 10 * wanted && count < wanted; tries++) {
		char *header = random_header();
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known = known || strcmp(headers[i], header) == 0;
		if (known)
			free(header);
		else
			headers[count++] = header;
	}
	return count;
}

START_TEST(names_of_any_headers_make_a_table_without_quotes)
{
	enum { WANTED = 400 };
	char *headers[WANTED] = {0}, *names[WANTED];
	struct buf sql = {0}, expected = {0}, answer;
	struct err e = {0};
	size_t count;

	srandom(seed);
	count = random_headers(headers, WANTED);
	ck_assert_uint_gt(count, WANTED / 2);
	ck_assert_int_eq(names_columns((const char *const *)headers, count, names, &e), 0);
	buf_string(&sql, "CREATE TABLE t (_version bigint, _id bigint");
	for (size_t i = 0; i < count; i++)
		buf_printf(&sql, ", %s text", names[i]);
	buf_string(&sql, ");\nSELECT ");
	for (size_t i = 0; i < count; i++) {
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", names[i]);
		buf_printf(&expected, "%s\n", names[i]);
	}
	buf_string(&sql, " FROM t;\nSELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 2 "
			 "ORDER BY attnum;\nDROP TABLE t;\n");
	answer = answer_of(sql.bytes);
	/* Not cut, not folded to anything else. */
	ck_assert_str_eq(answer.bytes, expected.bytes);
	for (size_t i = 0; i < count; i++) {
		free(headers[i]);
		free(names[i]);
	}
	buf_fini(&answer);
	buf_fini(&expected);
	buf_fini(&sql);
}
END_TEST

START_TEST(table_names_never_hide_behind_the_catalog)
{
	static const char *const datasets[] = {"pg_class", "PG Tables", "order", "organizations", "--", "2024"};

	for (size_t i = 0; i < sizeof datasets / sizeof datasets[0]; i++) {
		char *table = names_table(datasets[i]);
		char *sql =
		    buf_format("CREATE TABLE public.%s (i int); SELECT relnamespace::regnamespace FROM pg_class "
			       "WHERE oid = '%s'::regclass; DROP TABLE %s;",
			table, table, table);
		struct buf answer = answer_of(sql);

		ck_assert_str_eq(answer.bytes, "public\n");
		buf_fini(&answer);
		free(sql);
		free(table);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("names (PostgreSQL)");
	TCase *t = tcase_create("names");
	SRunner *r;
	int failed;

	if (!server_start(&server, "names as the server reads them"))
		return 0;
	seed = server_seed();
	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, exactly_the_servers_reserved_words_get_an_underscore);
	tcase_add_test(t, system_columns_get_an_underscore);
	tcase_add_test(t, names_of_any_headers_make_a_table_without_quotes);
	tcase_add_test(t, table_names_never_hide_behind_the_catalog);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	server_stop(&server);
	return failed > 0;
}
