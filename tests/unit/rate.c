/* Rates as people write them. */
#include <check.h>
#include <string.h>

#include "base/err.h"
#include "ledger/rate.h"
#include "scratch.h"

static struct err e;

static void
reads(const char *text, uint64_t limit, bool bytes, const char *printed)
{
	struct rate rate;
	char again[RATE_TEXT];

	ck_assert_msg(rate_parse(text, &rate, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(rate.limit, limit);
	ck_assert_int_eq(rate.bytes, bytes);
	rate_print(&rate, again);
	ck_assert_str_eq(again, printed);
}

START_TEST(a_number_a_second_is_of_records)
{
	reads("5000/s", 5000, false, "5000/s");
	reads("1/s", 1, false, "1/s");
	reads("1024/s", 1024, false, "1024/s");
	reads("9007199254740992/s", 9007199254740992, false, "9007199254740992/s");
}
END_TEST

START_TEST(a_unit_is_of_bytes)
{
	reads("2MB/s", 2 << 20, true, "2MB/s");
	reads("64kB/s", 64 << 10, true, "64kB/s");
	reads("64KiB/s", 64 << 10, true, "64kB/s");
	reads("1GB/s", 1 << 30, true, "1GB/s");
	reads("2048TB/s", (uint64_t)2048 << 40, true, "2048TB/s");
	reads("1500B/s", 1500, true, "1500B/s");
	reads("1536kB/s", 1536 << 10, true, "1536kB/s");
	reads("1B/s", 1, true, "1B/s");
}
END_TEST

START_TEST(unlimited_is_a_rate)
{
	reads("unlimited", 0, false, "unlimited");
}
END_TEST

START_TEST(what_is_no_rate_is_refused)
{
	static const char *const bad[] = {"", "/s", "B/s", "kB/s", "5000", "5000 /s", " 5000/s", "5000/s ", "5k/s",
	    "5M/s", "5KB", "0/s", "0kB/s", "-1/s", "1.5/s", "5000/m", "5000/S", "5b/s", "5BB/s", "2XB/s", "none",
	    "Unlimited", "9007199254740993/s", "99999999999999999999/s", "16384TB/s",
	    "000000000000000000000000000000000000005/s"};
	struct rate rate = {.limit = 7};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(rate_parse(bad[i], &rate, &e) == -1, "'%s'", bad[i]);
		ck_assert_int_eq(e.code, ERR_USAGE);
		ck_assert_ptr_nonnull(strstr(e.message, bad[i]));
		ck_assert_uint_eq(rate.limit, 7);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_number_a_second_is_of_records,
	    a_unit_is_of_bytes,
	    unlimited_is_a_rate,
	    what_is_no_rate_is_refused,
	};

	return scratch_run("rate", tests, sizeof tests / sizeof *tests);
}
