/* What every driver of an object store must do with a put that is made in several attempts. */
#include "stores.h"

/* What a ledger keeps of a put. */
static struct {
	char upload[500];
	struct store_part parts[20];
	size_t count, told;
} kept;

static int
keep_upload(void *ctx, const char *upload, struct err *err)
{
	(void)ctx;
	(void)err;
	ck_assert_uint_lt(strlen(upload), sizeof kept.upload);
	strcpy(kept.upload, upload);
	kept.count = 0;
	return 0;
}

static int
keep_part(void *ctx, size_t number, const struct store_part *part, struct err *err)
{
	(void)ctx;
	(void)err;
	ck_assert(number >= 1 && number <= 20);
	kept.parts[number - 1] = *part;
	kept.count = number > kept.count ? number : kept.count;
	kept.told++;
	return 0;
}

/* The source is known by its seed and how far it was read. */
static void
note_made(void *ctx, unsigned char sha256[32])
{
	const struct made *made = ctx;

	memset(sha256, 0, 32);
	memcpy(sha256, &made->seed, sizeof made->seed);
	memcpy(sha256 + 16, &made->given, sizeof made->given);
}

static int
put_resumed(const char *name, size_t length, unsigned seed, int (*half)(struct err *err))
{
	struct store_part parts[20];
	char upload[500];
	struct made made = {.length = length, .seed = seed, .half = half};
	struct store_resume resume = {
	    .upload = kept.upload[0] != '\0' ? upload : NULL,
	    .parts = parts,
	    .count = kept.count,
	    .on_upload = keep_upload,
	    .on_part = keep_part,
	    .so_far = note_made,
	    .ctx = &made,
	};
	uint64_t size;

	memcpy(parts, kept.parts, sizeof parts);
	strcpy(upload, kept.upload);
	kept.told = 0;
	return store_put_resumed(store, key(name), made_read, &made, &resume, &size, &e);
}

START_TEST(a_put_that_broke_off_goes_on_with_the_rest)
{
	enum { LENGTH = 60000000 };

	expect_code(put_resumed("resumed", LENGTH, 1, break_off), ERR_AGAIN);
	expect_invisible("resumed");
	if (kept.upload[0] != '\0')
		ck_assert_uint_ge(kept.count, 1); /* of three parts that were full, two may have been under way */
	ck_assert_msg(put_resumed("resumed", LENGTH, 1, NULL) == 0, "%s", e.message);
	ck_assert_int_eq(get("resumed", 0, LENGTH, 1), 0);
	if (kept.upload[0] != '\0')
		ck_assert_uint_le(kept.told, 7); /* of eight */
}
END_TEST

START_TEST(a_put_that_goes_on_with_other_bytes_is_no_mixture)
{
	enum { LENGTH = 40000000 };

	expect_code(put_resumed("other", LENGTH, 1, break_off), ERR_AGAIN);
	ck_assert_msg(put_resumed("other", LENGTH - 5, 2, NULL) == 0, "%s", e.message);
	ck_assert_int_eq(get("other", 0, LENGTH - 5, 2), 0);
}
END_TEST

START_TEST(what_a_put_left_may_be_gone)
{
	enum { LENGTH = 40000000 };

	expect_code(put_resumed("gone", LENGTH, 1, break_off), ERR_AGAIN);
	ck_assert_int_eq(store_remove(store, key("gone"), &e), 0);
	ck_assert_msg(put_resumed("gone", LENGTH, 1, NULL) == 0, "%s", e.message);
	if (kept.upload[0] != '\0')
		ck_assert_uint_eq(kept.told, 5);
	ck_assert_int_eq(get("gone", 0, LENGTH, 1), 0);
}
END_TEST

static int
keep_nothing(void *ctx, size_t number, const struct store_part *part, struct err *err)
{
	(void)ctx;
	(void)number;
	(void)part;
	return err_set(err, ERR_AGAIN, "the ledger is away");
}

START_TEST(a_put_that_nobody_can_write_down_fails_at_once)
{
	struct made made = {.length = 20000000};
	struct store_resume resume = {
	    .on_upload = keep_upload, .on_part = keep_nothing, .so_far = note_made, .ctx = &made};
	uint64_t size;
	int status = store_put_resumed(store, key("unkept"), made_read, &made, &resume, &size, &e);

	if (kept.upload[0] == '\0')
		ck_assert_int_eq(status, 0);
	else
		expect_code(status, ERR_AGAIN);
	if (kept.upload[0] != '\0')
		ck_assert_str_eq(e.message, "the ledger is away");
	ck_assert_int_eq(store_remove(store, key("unkept"), &e), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_put_that_broke_off_goes_on_with_the_rest,
	    a_put_that_goes_on_with_other_bytes_is_no_mixture,
	    what_a_put_left_may_be_gone,
	    a_put_that_nobody_can_write_down_fails_at_once,
	};

	return stores_run(tests, sizeof tests / sizeof *tests);
}
