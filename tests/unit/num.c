#include <check.h>
#include <stdint.h>

#include "base/num.h"
#include "scratch.h"

START_TEST(signed_numbers_are_whole_strings_in_range)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
	    {"0", 0},
	    {"-0", 0},
	    {"007", 7},
	    {"-1", -1},
	    {"9223372036854775807", INT64_MAX},
	    {"-9223372036854775808", INT64_MIN},
	};
	static const char *const bad[] = {"", "-", "--1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "9223372036854775808",
	    "-9223372036854775809", "18446744073709551616", "99999999999999999999999", "one"};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		int64_t value = 12345;

		ck_assert_msg(num_int64(good[i].text, &value), "'%s'", good[i].text);
		ck_assert_int_eq(value, good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int64_t value = 12345;

		ck_assert_msg(!num_int64(bad[i], &value), "'%s'", bad[i]);
		ck_assert_int_eq(value, 12345);
	}
}
END_TEST

START_TEST(unsigned_numbers_have_no_sign)
{
	static const char *const bad[] = {"", "-1", "-0", "+1", "18446744073709551616", "18446744073709551620", "1k"};
	uint64_t value = 0;

	ck_assert(num_uint64("18446744073709551615", &value));
	ck_assert_uint_eq(value, UINT64_MAX);
	ck_assert(num_uint64("0", &value));
	ck_assert_uint_eq(value, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!num_uint64(bad[i], &value), "'%s'", bad[i]);
	ck_assert_uint_eq(value, 0);
}
END_TEST

START_TEST(sizes_have_units_of_1024)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
	    {"4096", 4096},
	    {"64k", 65536},
	    {"64K", 65536},
	    {"8M", 8 << 20},
	    {"8MB", 8 << 20},
	    {"8MiB", 8 << 20},
	    {"1kB", 1024},
	    {"2g", UINT64_C(2) << 30},
	    {"256T", UINT64_C(256) << 40},
	    {"0", 0},
	};
	static const char *const bad[] = {
	    "", "M", "8X", "8 M", "8MM", "8Mi", "8iB", "8B", "-1", "1.5M", "8m ", "18446744073709551615k", "16777216T"};
	uint64_t value = 0;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(num_bytes(good[i].text, &value), "'%s'", good[i].text);
		ck_assert_uint_eq(value, good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!num_bytes(bad[i], &value), "'%s'", bad[i]);
}
END_TEST

START_TEST(times_are_seconds_unless_they_say)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {{"30", 30000}, {"30s", 30000}, {"250ms", 250}, {"2m", 120000}, {"1h", 3600000}, {"0", 0},
	    {"9223372036854775807ms", INT64_MAX}};
	static const char *const bad[] = {"", "s", "1d", "1 s", "1.5s", "-1", "1S", "9223372036854775808ms",
	    "9223372036854775807", "18446744073709551615h"};
	int64_t value = 0;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(num_milliseconds(good[i].text, &value), "'%s'", good[i].text);
		ck_assert_int_eq(value, good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!num_milliseconds(bad[i], &value), "'%s'", bad[i]);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    signed_numbers_are_whole_strings_in_range,
	    unsigned_numbers_have_no_sign,
	    sizes_have_units_of_1024,
	    times_are_seconds_unless_they_say,
	};

	return scratch_run("num", tests, sizeof tests / sizeof *tests);
}
