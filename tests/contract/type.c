/* What lib/schema says of values, asked of a real PostgreSQL: seeded random values of every type, and their edges. */
#include <check.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/type.h"
#include "server.h"

static struct server server;
static unsigned seed;
static size_t sample_count = 3000;

struct value {
	char *bytes;
	size_t length;
};

struct sample {
	struct value *values;
	size_t count;
};

static unsigned
below(unsigned limit)
{
	return (unsigned)random() % limit;
}

static void
put_digits(struct buf *out, unsigned count)
{
	while (count-- > 0)
		buf_byte(out, (char)('0' + below(10)));
}

/* Few digits most of the time, so that equal values occur. */
static void
put_number(struct buf *out, unsigned whole_max, unsigned fraction_max)
{
	unsigned whole = 1 + below(below(3) == 0 ? whole_max : 2);

	if (below(3) == 0)
		buf_byte(out, '-');
	buf_byte(out, (char)(whole == 1 ? '0' + below(10) : '1' + below(9)));
	put_digits(out, whole - 1);
	if (fraction_max > 0 && below(3) > 0) {
		buf_byte(out, '.');
		put_digits(out, below(below(3) == 0 ? fraction_max : 2));
		if (below(2) == 0)
			buf_printf(out, "%.*s", (int)below(4), "0000");
	}
}

static void
put_date(struct buf *out)
{
	static const unsigned years[] = {0, 1, 2, 1582, 1900, 1999, 2000, 2024, 9998, 9999};

	buf_printf(out, "%04u-%02u-%02u", below(2) ? years[below(10)] : below(10000),
	    below(10) ? 1 + below(12) : below(14), below(10) ? 1 + below(28) : below(33));
}

static void
put_clock(struct buf *out)
{
	static const char *const edges[] = {
	    "00:00", "00:00:00", "23:59:59.999999", "24:00:00", "23:59:60", "12:00:00.0"};

	buf_byte(out, below(2) ? 'T' : ' ');
	if (below(4) == 0) {
		buf_string(out, edges[below(6)]);
		return;
	}
	buf_printf(out, "%02u:%02u", below(25), below(61));
	if (below(4) > 0) {
		buf_printf(out, ":%02u", below(61));
		if (below(2) > 0) {
			buf_byte(out, '.');
			put_digits(out, 1 + below(7));
		}
	}
}

static void
put_offset(struct buf *out)
{
	if (below(4) == 0) {
		buf_byte(out, 'Z');
		return;
	}
	buf_printf(out, "%c%02u", below(2) ? '+' : '-', below(17));
	if (below(2) > 0)
		buf_printf(out, "%s%02u", below(2) ? ":" : "", below(61));
}

static void
put_text(struct buf *out)
{
	static const char *const pieces[] = {"a", "B", " ", "\\", "\\N", "\\.", "\t", "\n", "\r", "\b", "\f", "\v",
	    "\x01", "\x7f", "\"", "'", ",", "ä", "€", "名", "🚀", "word", "sixteen bytes ok", "0", "00", "~"};
	unsigned count = below(100) == 0 ? 3000 : below(12);

	while (count-- > 0)
		buf_string(out, pieces[below(sizeof pieces / sizeof pieces[0])]);
}

/* One byte more, less or changed: what is almost a value. */
static void
mutate(struct buf *out)
{
	static const char bytes[] = "0123456789+-.:TZ etrufals/_";
	char byte = bytes[below(sizeof bytes - 1)];
	size_t at;

	if (out->length == 0)
		return;
	at = below((unsigned)out->length);
	switch (below(3)) {
	case 0:
		out->bytes[at] = byte;
		break;
	case 1:
		memmove(out->bytes + at, out->bytes + at + 1, out->length - at);
		out->length--;
		break;
	default:
		buf_byte(out, ' ');
		memmove(out->bytes + at + 1, out->bytes + at, out->length - at - 1);
		out->bytes[at] = byte;
	}
}

static void
put_random(enum type_id type, struct buf *out)
{
	switch (type) {
	case TYPE_BIGINT:
		put_number(out, 21, 0);
		break;
	case TYPE_NUMERIC:
		put_number(out, 60, 60);
		break;
	case TYPE_BOOLEAN:
		buf_string(out, below(2) ? "true" : "false");
		for (size_t i = 0; i < out->length; i++)
			out->bytes[i] = (char)(out->bytes[i] - (below(2) ? 32 : 0));
		break;
	case TYPE_DATE:
		put_date(out);
		break;
	case TYPE_TIMESTAMP:
		put_date(out);
		put_clock(out);
		break;
	case TYPE_TIMESTAMPTZ:
		put_date(out);
		put_clock(out);
		put_offset(out);
		break;
	case TYPE_TEXT:
		put_text(out);
		return;
	}
	if (below(5) == 0)
		mutate(out);
}

static const char *const edges[] = {"", "0", "-0", "-0.0", "0.0", "00", "+1", "1.", ".1", "-.1", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "true", "FALSE", "t", "yes", "1e5", "NaN",
    "Infinity", "-Infinity", "0001-01-01", "0000-12-31", "9999-12-31", "2023-02-29", "2024-02-29", "1900-02-29",
    "today", "infinity", "epoch", "now", "0001-01-01 00:00", "9999-12-31 23:59:59.999999", "2020-01-02 24:00:00",
    "2020-01-02 23:59:60", "2020-01-02 03:04:05.1234567", "0001-01-01 00:00+00", "0001-01-01 15:58+15:59",
    "0001-01-01 15:59+15:59", "9999-12-31 23:59:59.999999Z", "9999-12-31 08:00:59.999999-15:59",
    "9999-12-31 08:01-15:59", "2020-01-02 03:04:05+16", "2020-01-02 03:04:05+15:60", "2020-01-02 03:04:05 +01",
    "2020-01-02T03:04-05", "2020-01-02T03:04:05z", "allballs"};

static void
add(struct sample *s, const char *bytes, size_t length)
{
	s->values = buf_realloc(s->values, s->count + 1, sizeof s->values[0]);
	s->values[s->count++] = (struct value){buf_strndup(bytes, length), length};
}

/* The longest numerics there are, and a digit more on either side. */
static void
add_longest(struct sample *s)
{
	for (int i = 0; i < 4; i++) {
		size_t whole = 131072 + (size_t)(i == 1), fraction = 16383 + (size_t)(i == 2);
		struct buf text = {0};

		put_digits(&text, (unsigned)whole);
		text.bytes[0] = '7';
		buf_byte(&text, '.');
		if (i < 3)
			put_digits(&text, (unsigned)fraction);
		else
			buf_byte(&text, '5');
		add(s, text.bytes, text.length);
		buf_fini(&text);
	}
}

/* Random values of a type, and all edges; with `valid`, only those that type_check accepts. */
static struct sample
sample_new(enum type_id type, bool valid)
{
	struct sample s = {0};
	struct buf text = {0};

	srandom(seed + (unsigned)type);
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		add(&s, edges[i], strlen(edges[i]));
	if (type == TYPE_NUMERIC)
		add_longest(&s);
	while (s.count < sample_count) {
		buf_reset(&text);
		put_random(type, &text);
		add(&s, text.bytes, text.length);
	}
	buf_fini(&text);
	if (valid) {
		size_t kept = 0;

		for (size_t i = 0; i < s.count; i++) {
			if (type_check(type, s.values[i].bytes, s.values[i].length) == NULL)
				s.values[kept++] = s.values[i];
			else
				free(s.values[i].bytes);
		}
		s.count = kept;
	}
	return s;
}

static void
sample_free(struct sample *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->values[i].bytes);
	free(s->values);
}

static struct buf
script(const char *format, ...)
{
	struct buf sql = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&sql, format, ap);
	va_end(ap);
	return sql;
}

/* Run a script that must work. */
static void
run(struct buf *sql)
{
	struct buf out = {0};
	int status = server_psql(&server, sql->bytes, &out);

	ck_assert_msg(status == 0, "seed %u: %.500s", seed, out.bytes);
	buf_fini(&out);
	buf_fini(sql);
}

/* Load the sample as table v (i, v), the value written as a field of `as`. */
static void
load(const struct sample *s, enum type_id column, enum type_id as)
{
	struct buf rows = {0}, sql;
	char *path;

	for (size_t i = 0; i < s->count; i++) {
		buf_printf(&rows, "%zu\t", i);
		type_copy(as, &rows, s->values[i].bytes, s->values[i].length);
		buf_byte(&rows, '\n');
	}
	path = server_file(&server, "rows", &rows);
	sql = script("DROP TABLE IF EXISTS v; CREATE TABLE v (i int, v %s%s);\n\\copy v FROM '%s'\n", type_sql(column),
	    column == TYPE_TEXT ? " COLLATE \"C\"" : "", path);
	run(&sql);
	free(path);
	buf_fini(&rows);
}

/* The next field of COPY's text format, decoded; *at is moved behind its separator. */
static void
read_field(const char **at, struct buf *field)
{
	static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
	const char *p = *at;

	buf_reset(field);
	buf_reserve(field, 0)[0] = '\0';
	for (; *p != '\t' && *p != '\n'; p++) {
		if (*p == '\\') {
			const char *letter = strchr(letters, *++p);

			buf_byte(field, letter != NULL ? bytes[letter - letters] : *p);
		} else {
			buf_byte(field, *p);
		}
	}
	*at = p + 1;
}

/* The rows of a query in COPY's text format. */
static struct buf
query(const char *select)
{
	struct buf out = {0}, sql = script("\\copy (%s) TO '%s/answer'\n", select, server.folder);
	char *path = buf_format("cat %s/answer", server.folder);

	run(&sql);
	ck_assert_int_eq(server_shell(path, &out), 0);
	free(path);
	return out;
}

/* The rules of type.h once more, as expressions; what they leave open (ranges, real days) the server judges. */
static const char *const rules[TYPE_COUNT] = {
    [TYPE_BIGINT] = "^(0|-?[1-9][0-9]*)$",
    [TYPE_NUMERIC] = "^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)[.][0-9]+)$",
    [TYPE_BOOLEAN] = "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$",
    [TYPE_DATE] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
#define CLOCK "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
    [TYPE_TIMESTAMP] = CLOCK "$",
    [TYPE_TIMESTAMPTZ] = CLOCK "(Z|[+-][0-9]{2}(:?[0-9]{2})?)$",
    [TYPE_TEXT] = "",
};

START_TEST(check_accepts_what_the_rules_say_and_the_server_takes)
{
	enum type_id type = (enum type_id)_i;
	struct sample s = sample_new(type, false);
	struct buf answer, field = {0}, sql;
	const char *at;
	size_t accepted = 0;
	regex_t rule;

	ck_assert_int_eq(regcomp(&rule, rules[type], REG_EXTENDED | REG_NOSUB), 0);
	load(&s, TYPE_TEXT, TYPE_TEXT);
	sql = script("CREATE OR REPLACE FUNCTION takes(s text) RETURNS boolean LANGUAGE plpgsql AS $$\n"
		     "DECLARE x %s; BEGIN x := s; RETURN %s; EXCEPTION WHEN others THEN RETURN false; END $$;\n",
	    type_sql(type),
	    type == TYPE_DATE || type == TYPE_TIMESTAMP || type == TYPE_TIMESTAMPTZ
		? "isfinite(x) AND extract(year FROM x) BETWEEN 1 AND 9999"
		: "true");
	run(&sql);
	answer = query("SELECT takes(v) FROM v ORDER BY i");
	at = answer.bytes;
	for (size_t i = 0; i < s.count; i++) {
		const struct value *v = &s.values[i];
		bool valid = type_check(type, v->bytes, v->length) == NULL;
		bool narrowed = type_narrow(TYPE_ALL, v->bytes, v->length) & 1u << type;
		bool expected;

		read_field(&at, &field);
		expected = field.bytes[0] == 't' && regexec(&rule, v->bytes, 0, NULL, 0) == 0;
		accepted += valid;
		ck_assert_msg(valid == expected && narrowed == expected, "seed %u: \"%.80s\" as %s: %s", seed, v->bytes,
		    type_sql(type), valid ? "accepted" : type_check(type, v->bytes, v->length));
	}
	/* Not vacuous: many values of either kind. */
	ck_assert_uint_gt(accepted, s.count / 4);
	ck_assert(type == TYPE_TEXT || s.count - accepted > s.count / 10);
	regfree(&rule);
	buf_fini(&field);
	buf_fini(&answer);
	sample_free(&s);
}
END_TEST

START_TEST(copied_values_come_back_as_they_were)
{
	enum type_id type = (enum type_id)_i;
	struct sample s = sample_new(type, true);
	struct buf answer, field = {0}, expected = {0};
	const char *at;

	load(&s, type, type);
	answer = query("SELECT v::text FROM v ORDER BY i");
	at = answer.bytes;
	for (size_t i = 0; i < s.count; i++) {
		const struct value *v = &s.values[i];

		buf_reset(&expected);
		/* The scale of a numeric stays, the sign of zero does not; other spellings become the server's. */
		if (type == TYPE_NUMERIC)
			buf_string(&expected, v->bytes + (strspn(v->bytes, "-0.") == v->length && *v->bytes == '-'));
		else if (type == TYPE_BIGINT || type == TYPE_DATE || type == TYPE_TEXT)
			buf_append(&expected, v->bytes, v->length);
		else
			type_canonical(type, &expected, v->bytes, v->length);
		read_field(&at, &field);
		ck_assert_msg(field.length == expected.length && memcmp(field.bytes, expected.bytes, field.length) == 0,
		    "seed %u: \"%.80s\" came back as \"%.80s\"", seed, v->bytes, field.bytes);
	}
	ck_assert_ptr_eq(at, answer.bytes + answer.length);
	buf_fini(&expected);
	buf_fini(&field);
	buf_fini(&answer);
	sample_free(&s);
}
END_TEST

START_TEST(canonical_text_is_that_of_the_server)
{
	enum type_id type = (enum type_id)_i;
	struct sample s = sample_new(type, true);
	struct buf answer, field = {0}, expected = {0}, sql = {0};
	const char *at;

	load(&s, type, type);
	buf_string(&sql, "SELECT ");
	type_canonical_sql(type, &sql, "v.v");
	buf_string(&sql, " FROM v ORDER BY i");
	answer = query(sql.bytes);
	at = answer.bytes;
	for (size_t i = 0; i < s.count; i++) {
		const struct value *v = &s.values[i];

		buf_reset(&expected);
		type_canonical(type, &expected, v->bytes, v->length);
		read_field(&at, &field);
		ck_assert_msg(field.length == expected.length && memcmp(field.bytes, expected.bytes, field.length) == 0,
		    "seed %u: \"%.80s\": \"%.80s\", the server says \"%.80s\"", seed, v->bytes, expected.bytes,
		    field.bytes);
	}
	buf_fini(&sql);
	buf_fini(&expected);
	buf_fini(&field);
	buf_fini(&answer);
	sample_free(&s);
}
END_TEST

START_TEST(sort_keys_order_and_equal_as_the_server_does)
{
	enum type_id type = (enum type_id)_i;
	struct sample s = sample_new(type, true);
	struct buf answer, field = {0}, key = {0}, last = {0};
	size_t last_rank = 0, last_index = 0;
	const char *at;

	load(&s, type, type);
	answer = query("SELECT i, dense_rank() OVER (ORDER BY v) FROM v ORDER BY v");
	at = answer.bytes;
	for (size_t row = 0; row < s.count; row++) {
		size_t index, rank, shorter;
		int order;

		read_field(&at, &field);
		index = strtoul(field.bytes, NULL, 10);
		read_field(&at, &field);
		rank = strtoul(field.bytes, NULL, 10);
		buf_reset(&key);
		type_sort_key(type, &key, s.values[index].bytes, s.values[index].length);
		shorter = key.length < last.length ? key.length : last.length;
		order = row == 0 ? 1 : memcmp(key.bytes, last.bytes, shorter);
		ck_assert_msg(
		    (order > 0) == (rank > last_rank) && order >= 0 && (order != 0 || key.length == last.length),
		    "seed %u: \"%.80s\" and \"%.80s\"", seed, s.values[last_index].bytes, s.values[index].bytes);
		buf_reset(&last);
		buf_append(&last, key.bytes, key.length);
		last_rank = rank;
		last_index = index;
	}
	buf_fini(&last);
	buf_fini(&key);
	buf_fini(&field);
	buf_fini(&answer);
	sample_free(&s);
}
END_TEST

START_TEST(json_of_printed_values_is_json_to_the_server)
{
	enum type_id type = (enum type_id)_i;
	struct sample s = sample_new(type, true);
	struct buf answer, field = {0}, rows = {0}, sql;
	const char *at;
	char *path;

	load(&s, type, type);
	answer = query("SELECT v FROM v ORDER BY i");
	at = answer.bytes;
	for (size_t i = 0; i < s.count; i++) {
		struct buf json = {0};

		read_field(&at, &field);
		type_to_json(type, &json, field.bytes, field.length);
		buf_printf(&rows, "%zu\t", i);
		type_copy(TYPE_TEXT, &rows, json.bytes, json.length);
		buf_byte(&rows, '\n');
		buf_fini(&json);
	}
	path = server_file(&server, "json", &rows);
	sql = script("DROP TABLE IF EXISTS j; CREATE TABLE j (i int, j jsonb);\n\\copy j FROM '%s'\n", path);
	run(&sql);
	/* jsonb keeps numbers as numeric, and #>> '{}' gives the bare value. */
	buf_fini(&answer);
	answer = query("SELECT count(*) FROM v JOIN j USING (i) WHERE v.v::text = j.j #>> '{}'");
	ck_assert_uint_eq(strtoul(answer.bytes, NULL, 10), s.count);
	free(path);
	buf_fini(&rows);
	buf_fini(&field);
	buf_fini(&answer);
	sample_free(&s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("type (PostgreSQL)");
	TCase *t = tcase_create("type");
	SRunner *r;
	int failed;

	if (!server_start(&server, "types as the server has them"))
		return 0;
	seed = server_seed();
	if (getenv("LONG") != NULL && *getenv("LONG") != '\0')
		sample_count *= 10;
	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, check_accepts_what_the_rules_say_and_the_server_takes, 0, TYPE_COUNT);
	tcase_add_loop_test(t, copied_values_come_back_as_they_were, 0, TYPE_COUNT);
	tcase_add_loop_test(t, canonical_text_is_that_of_the_server, 0, TYPE_COUNT);
	tcase_add_loop_test(t, sort_keys_order_and_equal_as_the_server_does, 0, TYPE_COUNT);
	tcase_add_loop_test(t, json_of_printed_values_is_json_to_the_server, 0, TYPE_COUNT);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	server_stop(&server);
	return failed > 0;
}
