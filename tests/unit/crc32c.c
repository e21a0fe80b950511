#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/crc32c.h"

START_TEST(the_examples_of_rfc_3720)
{
	unsigned char bytes[32];
	char base64[CRC32C_BASE64];

	memset(bytes, 0, sizeof bytes);
	ck_assert_uint_eq(crc32c_of(bytes, sizeof bytes), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	ck_assert_uint_eq(crc32c_of(bytes, sizeof bytes), 0x62a8ab43);
	for (unsigned char i = 0; i < sizeof bytes; i++)
		bytes[i] = i;
	ck_assert_uint_eq(crc32c_of(bytes, sizeof bytes), 0x46dd794e);
	crc32c_base64(bytes, sizeof bytes, base64);
	ck_assert_str_eq(base64, "Rt15Tg==");
	ck_assert_uint_eq(crc32c_of(bytes, 0), 0);
}
END_TEST

START_TEST(the_instruction_and_the_table_agree)
{
	enum { LENGTH = 1000 };
	unsigned char *bytes = buf_malloc(LENGTH);

	srand(5);
	for (size_t i = 0; i < LENGTH; i++)
		bytes[i] = (unsigned char)rand();
	for (size_t begin = 0; begin < 9; begin++)
		for (size_t length = 0; length <= LENGTH - begin; length += 7)
			ck_assert_uint_eq(crc32c_of(bytes + begin, length), crc32c_plain(bytes + begin, length));
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crc32c");
	TCase *t = tcase_create("crc32c");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(t, the_examples_of_rfc_3720);
	tcase_add_test(t, the_instruction_and_the_table_agree);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
