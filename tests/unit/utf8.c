#include "csv/utf8.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3629 by its meaning: decode a number, then ask whether it may be written so. 0 if ill-formed. */
static size_t
decode(const unsigned char *s, size_t length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need = s[0] < 0x80             ? 1
		      : (s[0] & 0xe0) == 0xc0 ? 2
		      : (s[0] & 0xf0) == 0xe0 ? 3
		      : (s[0] & 0xf8) == 0xf0 ? 4
					      : 0;
	uint32_t c = need == 1 ? s[0] : s[0] & (0x7fu >> need);

	if (need == 0 || need > length || s[0] == 0)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : need;
}

static size_t
expected_flaw(const unsigned char *s, size_t length)
{
	size_t i = 0, n;

	while (i < length && (n = decode(s + i, length - i)) > 0)
		i += n;
	return i;
}

static void
expect(const unsigned char *s, size_t length)
{
	size_t got = utf8_flaw((const char *)s, length), expected = expected_flaw(s, length);

	if (got != expected)
		ck_abort_msg("%02x %02x %02x %02x (%zu): %zu, not %zu", s[0], s[1], s[2], s[3], length, got, expected);
}

START_TEST(every_sequence_of_three_bytes_is_judged_by_its_meaning)
{
	unsigned char s[4] = {0};

	for (uint32_t n = 0; n < 1u << 24; n++) {
		s[0] = (unsigned char)(n >> 16);
		s[1] = (unsigned char)(n >> 8);
		s[2] = (unsigned char)n;
		expect(s, 3);
	}
}
END_TEST

START_TEST(sequences_of_four_bytes_are_judged_by_their_meaning)
{
	static const unsigned char tails[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0, 0xff};
	unsigned char s[4];

	for (unsigned first = 0xe0; first <= 0xff; first++)
		for (unsigned second = 0; second <= 0xff; second++)
			for (size_t i = 0; i < sizeof tails; i++)
				for (size_t k = 0; k < sizeof tails; k++) {
					s[0] = (unsigned char)first;
					s[1] = (unsigned char)second;
					s[2] = tails[i];
					s[3] = tails[k];
					expect(s, 4);
				}
}
END_TEST

/* Wherever it stands between the steps of 64, 8 and 1 bytes. */
START_TEST(a_flaw_is_found_at_any_place_in_text_of_any_length)
{
	static const char *const flaws[] = {"\0", "\x80", "\xff", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\xaf"};
	unsigned char *s;

	for (size_t length = 1; length < 200; length++)
		for (size_t at = 0; at < length; at++)
			for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++) {
				size_t size = i == 0 ? 1 : strlen(flaws[i]);

				if (at + size > length)
					continue;
				/* Of just this size, so that a sanitizer sees a byte read too far. */
				s = malloc(length);
				memset(s, 'x', length);
				if (utf8_flaw((char *)s, length) != length)
					ck_abort_msg("a flaw in plain text of %zu", length);
				memcpy(s + at, flaws[i], size);
				if (utf8_flaw((char *)s, length) != at)
					ck_abort_msg("flaw %zu at %zu of %zu", i, at, length);
				free(s);
			}
}
END_TEST

START_TEST(text_of_many_scripts_has_no_flaw)
{
	static const char text[] =
	    "plain, gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xe4\xb8\xad\xe6\x96\x87, \xf0\x9f\x98\x80, "
	    "\xf4\x8f\xbf\xbf, \xef\xbf\xbd";

	ck_assert_uint_eq(utf8_flaw(text, sizeof text - 1), sizeof text - 1);
	ck_assert_uint_eq(utf8_flaw("", 0), 0);
	ck_assert_uint_eq(utf8_flaw(text, sizeof text), sizeof text - 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("utf8");
	TCase *t = tcase_create("utf8");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_sequence_of_three_bytes_is_judged_by_its_meaning);
	tcase_add_test(t, sequences_of_four_bytes_are_judged_by_their_meaning);
	tcase_add_test(t, a_flaw_is_found_at_any_place_in_text_of_any_length);
	tcase_add_test(t, text_of_many_scripts_has_no_flaw);
	suite_add_tcase(s, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
