/* Bodies of messages: what is written, and what is read. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "queue/message.h"
#include "scratch.h"

static struct err e;

static void
prints(struct message m, const char *body)
{
	struct buf b = {0};

	message_print(&m, &b);
	ck_assert_str_eq(b.bytes, body);
	buf_fini(&b);
}

static void
parses(const char *body, int64_t job, int64_t chunk)
{
	struct message m;

	ck_assert_msg(message_parse(body, &m, &e) == 0, "%s", e.message);
	ck_assert_int_eq(m.job, job);
	ck_assert_int_eq(m.chunk, chunk);
	message_fini(&m);
}

static void
refuses(const char *body)
{
	struct message m;

	e.code = ERR_NONE;
	ck_assert_msg(message_parse(body, &m, &e) == -1, "%s", body);
	ck_assert_int_eq(e.code, ERR_DATA);
	ck_assert_ptr_nonnull(strstr(e.message, "no message of csvp: "));
}

START_TEST(a_chunk_is_its_job_and_its_number)
{
	prints((struct message){.job = 42, .chunk = 7}, "{\"job\":42,\"chunk\":7}");
	prints((struct message){.job = 1, .chunk = 0}, "{\"job\":1,\"chunk\":0}");
	parses("{\"job\":42,\"chunk\":7}", 42, 7);
	parses("{\"job\":1,\"chunk\":0}", 1, 0);
}
END_TEST

START_TEST(a_job_stands_alone)
{
	prints((struct message){.job = 42, .chunk = -1}, "{\"job\":42}");
	parses("{\"job\":42}", 42, -1);
}
END_TEST

START_TEST(a_dead_letter_carries_stage_and_error)
{
	char stage[] = "load", error[] = "line 3: \"x\" is\n no number \\ \xc3\xa9";
	const char *body =
	    "{\"job\":42,\"chunk\":7,\"stage\":\"load\",\"error\":\"line 3: \\\"x\\\" is\\n no number \\\\ "
	    "\xc3\xa9\"}";
	struct message m;

	prints((struct message){42, 7, stage, error}, body);
	ck_assert_int_eq(message_parse(body, &m, &e), 0);
	ck_assert_int_eq(m.chunk, 7);
	ck_assert_str_eq(m.stage, stage);
	ck_assert_str_eq(m.error, error);
	message_fini(&m);
	ck_assert_ptr_null(m.stage);
}
END_TEST

START_TEST(an_error_cut_off_in_a_character_is_still_utf_8)
{
	char error[] = "caf\xc3\xa9 \xff caf\xc3";

	prints((struct message){.job = 1, .chunk = -1, .error = error}, "{\"job\":1,\"error\":\"caf\xc3\xa9 ? caf?\"}");
	ck_assert_str_eq(error, "caf\xc3\xa9 \xff caf\xc3");
}
END_TEST

START_TEST(large_numbers_are_exact)
{
	prints((struct message){.job = 17179869183, .chunk = 67108863}, "{\"job\":17179869183,\"chunk\":67108863}");
	parses("{\"job\":17179869183,\"chunk\":67108863}", 17179869183, 67108863);
	parses("{\"job\":9007199254740991}", 9007199254740991, -1);
	refuses("{\"job\":9007199254740992}");
	refuses("{\"job\":1e300}");
}
END_TEST

START_TEST(order_blanks_and_unknown_members_do_not_matter)
{
	parses(" { \"chunk\" : 7 , \"job\" : 42 }\n", 42, 7);
	parses("{\"job\":42,\"trace\":{\"id\":[1,2]},\"chunk\":7}", 42, 7);
}
END_TEST

START_TEST(what_is_none_of_ours_is_refused)
{
	static const char *const bad[] = {"", "x", "42", "null", "[]", "\"job\"", "{}", "{\"job\":42", "{\"job\":42}x",
	    "{\"job\":\"42\"}", "{\"job\":0}", "{\"job\":-1}", "{\"job\":1.5}", "{\"job\":null}", "{\"Job\":1}",
	    "{\"chunk\":7}", "{\"job\":1,\"chunk\":-1}", "{\"job\":1,\"chunk\":null}", "{\"job\":1,\"chunk\":0.5}",
	    "{\"job\":1,\"stage\":1}", "{\"job\":1,\"stage\":\"load\",\"error\":[]}"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(bad[i]);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_chunk_is_its_job_and_its_number,
	    a_job_stands_alone,
	    a_dead_letter_carries_stage_and_error,
	    an_error_cut_off_in_a_character_is_still_utf_8,
	    large_numbers_are_exact,
	    order_blanks_and_unknown_members_do_not_matter,
	    what_is_none_of_ours_is_refused,
	};

	return scratch_run("message", tests, sizeof tests / sizeof *tests);
}
