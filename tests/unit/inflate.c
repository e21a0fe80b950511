#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "input.h"

static void
append_gzip(struct buf *out, const void *bytes, size_t length)
{
	z_stream z = {0};
	char *to;

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	to = buf_reserve(out, deflateBound(&z, length));
	z.next_in = (Bytef *)(uintptr_t)bytes;
	z.avail_in = (uInt)length;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)(out->capacity - out->length);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->length += z.total_out;
	deflateEnd(&z);
}

static void
append_zstd(struct buf *out, const void *bytes, size_t length, bool checksum)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(length);
	size_t n;

	/* zstd(1) makes one: without it a changed byte may go unseen. */
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
	n = ZSTD_compress2(context, buf_reserve(out, room), room, bytes, length);
	ck_assert(!ZSTD_isError(n));
	ZSTD_freeCCtx(context);
	out->length += n;
}

START_TEST(compression_in_a_pipe_is_recognised)
{
	struct buf packed = {0};
	char *bytes = sample(300000);

	append_gzip(&packed, bytes, 300000);
	pipe_to_stdin(packed.bytes, packed.length);
	ck_assert_int_eq(read_all("-", NULL), 0);
	expect_text(bytes, 300000);
	ck_assert_uint_eq(digest.received, packed.length);
	buf_fini(&packed);
	free(bytes);
}
END_TEST

START_TEST(gzip_members_are_joined_and_zero_padding_is_passed_over)
{
	struct buf packed = {0};
	struct buf whole = {0};
	char *bytes = sample(400000);
	char zeros[2000] = {0};
	struct input_digest joined;

	for (int i = 0; i < 3; i++) {
		append_gzip(&packed, bytes, 400000);
		append_gzip(&packed, "", 0);
		buf_append(&whole, bytes, 400000);
	}
	scratch_write("a.gz", packed.bytes, packed.length);
	ck_assert_int_eq(read_all("a.gz", NULL), 0);
	expect_text(whole.bytes, whole.length);
	ck_assert_uint_eq(digest.received, packed.length);
	joined = digest;
	buf_append(&packed, zeros, sizeof zeros);
	scratch_write("b.gz", packed.bytes, packed.length);
	ck_assert_int_eq(read_all("b.gz", NULL), 0);
	expect_text(whole.bytes, whole.length);
	/* The hash is of what was received. */
	ck_assert_int_ne(memcmp(joined.sha256, digest.sha256, 32), 0);
	buf_fini(&packed);
	buf_fini(&whole);
	free(bytes);
}
END_TEST

START_TEST(zstd_frames_are_joined_and_skippable_ones_passed_over)
{
	static const char skippable[] = "\x5a\x2a\x4d\x18\x03\0\0\0abc";
	struct buf packed = {0};
	struct buf whole = {0};
	char *bytes = sample(400000);

	for (int i = 0; i < 3; i++) {
		buf_append(&packed, skippable, sizeof skippable - 1);
		append_zstd(&packed, bytes, 400000, true);
		append_zstd(&packed, "", 0, true);
		buf_append(&whole, bytes, 400000);
	}
	scratch_write("a.zst", packed.bytes, packed.length);
	ck_assert_int_eq(read_all("a.zst", NULL), 0);
	expect_text(whole.bytes, whole.length);
	buf_fini(&packed);
	buf_fini(&whole);
	free(bytes);
}
END_TEST

START_TEST(compressed_files_are_the_same_read_byte_by_byte)
{
	struct buf gzip = {0}, zstd = {0};
	char *bytes = sample(20000);

	append_gzip(&gzip, bytes, 20000);
	append_gzip(&gzip, bytes, 20000);
	scratch_write("a.gz", gzip.bytes, gzip.length);
	append_zstd(&zstd, bytes, 20000, true);
	scratch_write("a.zst", zstd.bytes, zstd.length);
	ck_assert_int_eq(read_pieces("a.gz", NULL, 1), 0);
	ck_assert_uint_eq(text.length, 40000);
	ck_assert_int_eq(memcmp(text.bytes + 20000, bytes, 20000), 0);
	ck_assert_int_eq(read_pieces("a.zst", NULL, 1), 0);
	expect_text(bytes, 20000);
	/* Here all input is used long before all output was given. */
	buf_reset(&zstd);
	append_zstd(&zstd, bytes, 20000, false);
	scratch_write("b.zst", zstd.bytes, zstd.length);
	ck_assert_int_eq(read_pieces("b.zst", NULL, 1), 0);
	expect_text(bytes, 20000);
	buf_fini(&gzip);
	buf_fini(&zstd);
	free(bytes);
}
END_TEST

START_TEST(compression_cut_anywhere_is_refused_with_its_name)
{
	struct buf packed = {0};

	append_gzip(&packed, "one,two\n", 8);
	for (size_t length = 3; length < packed.length; length++) {
		scratch_write("cut.gz", packed.bytes, length);
		expect_error("cut.gz", NULL, ERR_DATA, "cut.gz: the gzip data ends early");
	}
	buf_reset(&packed);
	append_zstd(&packed, "one,two\n", 8, true);
	for (size_t length = 4; length < packed.length; length++) {
		scratch_write("cut.zst", packed.bytes, length);
		expect_error("cut.zst", NULL, ERR_DATA, "cut.zst: the zstd data ends early");
	}
	buf_fini(&packed);
}
END_TEST

START_TEST(damaged_compression_is_refused_with_its_name_and_place)
{
	struct buf packed = {0};
	char *bytes = sample(300000);

	append_gzip(&packed, bytes, 300000);
	packed.bytes[packed.length - 6] ^= 1; /* the check sum */
	scratch_write("bad.gz", packed.bytes, packed.length);
	expect_error("bad.gz", NULL, ERR_DATA, "bad.gz: damaged gzip data near byte");
	buf_reset(&packed);
	append_zstd(&packed, bytes, 300000, true);
	packed.bytes[20] ^= 0x7f;
	scratch_write("bad.zst", packed.bytes, packed.length);
	expect_error("bad.zst", NULL, ERR_DATA, "bad.zst: damaged zstd data near byte");
	buf_fini(&packed);
	free(bytes);
}
END_TEST

START_TEST(other_bytes_behind_compressed_ones_are_refused)
{
	struct buf packed = {0};

	append_gzip(&packed, "a,b\n", 4);
	buf_string(&packed, "c,d\n");
	scratch_write("more.gz", packed.bytes, packed.length);
	expect_error("more.gz", NULL, ERR_DATA, "more.gz: damaged gzip data");
	buf_reset(&packed);
	append_zstd(&packed, "a,b\n", 4, true);
	buf_string(&packed, "c,d\n");
	scratch_write("more.zst", packed.bytes, packed.length);
	expect_error("more.zst", NULL, ERR_DATA, "more.zst: damaged zstd data");
	buf_fini(&packed);
}
END_TEST

START_TEST(a_zstd_window_that_would_not_fit_a_worker_is_refused)
{
	/* A frame header of its own: no content size, window descriptor 17 << 3: 2^27 bytes (RFC 8878 3.1.1.1.2). */
	static const char frame[] = "\x28\xb5\x2f\xfd\0\x88\x01\0\0";

	scratch_write("wide.zst", frame, sizeof frame - 1);
	expect_error("wide.zst", NULL, ERR_DATA, "hint: zstd -dc");
}
END_TEST

START_TEST(compression_it_does_not_read_is_refused_with_the_program_that_does)
{
	scratch_write("a.xz",
	    "\xfd"
	    "7zXZ\0\0\4",
	    8);
	expect_error("a.xz", NULL, ERR_DATA, "hint: xz -dc");
	scratch_write("a.zip", "PK\3\4\24\0\0\0", 8);
	expect_error("a.zip", NULL, ERR_DATA, "hint: unzip -p");
	scratch_write("a.bz2", "BZh91AY&SY\0\0", 12);
	expect_error("a.bz2", NULL, ERR_DATA, "hint: bzip2 -dc");
	scratch_write("header", "BZh9,column\n", 12);
	ck_assert_int_eq(read_all("header", NULL), 0);
}
END_TEST

START_TEST(compressed_text_is_transcoded_after_it_was_inflated)
{
	struct buf packed = {0};

	append_gzip(&packed,
	    "\xff\xfe"
	    "a\0\n\0",
	    6);
	scratch_write("wide.gz", packed.bytes, packed.length);
	ck_assert_int_eq(read_all("wide.gz", "UTF-16"), 0);
	expect_text("a\n", 2);
	expect_error("wide.gz", NULL, ERR_DATA, "wide.gz: begins with a UTF-16 byte order mark");
	buf_fini(&packed);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    compression_in_a_pipe_is_recognised,
	    gzip_members_are_joined_and_zero_padding_is_passed_over,
	    zstd_frames_are_joined_and_skippable_ones_passed_over,
	    compressed_files_are_the_same_read_byte_by_byte,
	    compression_cut_anywhere_is_refused_with_its_name,
	    damaged_compression_is_refused_with_its_name_and_place,
	    other_bytes_behind_compressed_ones_are_refused,
	    a_zstd_window_that_would_not_fit_a_worker_is_refused,
	    compression_it_does_not_read_is_refused_with_the_program_that_does,
	    compressed_text_is_transcoded_after_it_was_inflated,
	};

	return scratch_run("inflate", tests, sizeof tests / sizeof *tests);
}
