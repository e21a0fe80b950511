#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "io/input.h"
#include "scratch.h"

static struct err e;
static struct input_digest digest;
static struct buf text; /* what the last read_all gave */

/* Read `path` to its end by pieces of `piece` bytes; 0, or -1 with e. */
static int
read_pieces(const char *path, const char *encoding, size_t piece)
{
	struct input *in = input_open(path, encoding, &e);
	ssize_t n = -1;
	int status = -1;

	buf_reset(&text);
	if (in == NULL)
		return -1;
	while ((n = input_read(in, buf_reserve(&text, piece), piece, &e)) > 0)
		text.length += (size_t)n;
	if (n == 0)
		status = input_finish(in, &digest, &e);
	input_close(in);
	return status;
}

static int
read_all(const char *path, const char *encoding)
{
	return read_pieces(path, encoding, 100000);
}

static void
expect_text(const void *bytes, size_t length)
{
	ck_assert_uint_eq(text.length, length);
	ck_assert_int_eq(memcmp(text.bytes, bytes, length), 0);
	ck_assert_uint_eq(digest.decoded, length);
}

/* Reading fails with this code, and the message tells what `part` says. */
static void
expect_error(const char *path, const char *encoding, enum err_code code, const char *part)
{
	e = (struct err){0};
	ck_assert_int_eq(read_all(path, encoding), -1);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.message, part) != NULL, "'%s' does not say '%s'", e.message, part);
}

static const char *
hex_digest(void)
{
	static char hex[65];

	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", digest.sha256[i]);
	return hex;
}

/* Lines that compress a little: `length` bytes, the same each time. */
static char *
sample(size_t length)
{
	char *bytes = buf_malloc(length);
	uint32_t state = 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = i % 61 == 60 ? '\n' : (char)('a' + (state >> 24) % 26);
	}
	return bytes;
}

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

/* UTF-16 or UTF-32 of an ASCII or Latin-1 text. */
static void
append_wide(struct buf *out, const char *from, size_t width, bool big)
{
	for (; *from != '\0'; from++)
		for (size_t i = 0; i < width; i++)
			buf_byte(out, i == (big ? width - 1 : 0) ? *from : '\0');
}

START_TEST(a_file_is_given_unchanged_with_its_sha256)
{
	/* The examples of FIPS 180-4's test vectors. */
	scratch_write("abc", "abc", 3);
	ck_assert_int_eq(read_all("abc", NULL), 0);
	expect_text("abc", 3);
	ck_assert_str_eq(hex_digest(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_uint_eq(digest.received, 3);
	scratch_write("empty", "", 0);
	ck_assert_int_eq(read_all("empty", NULL), 0);
	expect_text("", 0);
	ck_assert_str_eq(hex_digest(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(a_large_file_is_given_unchanged_whatever_the_pieces)
{
	char *bytes = sample(1500007);

	scratch_write("large", bytes, 1500007);
	for (size_t piece = 1000; piece < 4000000; piece *= 7) {
		ck_assert_int_eq(read_pieces("large", NULL, piece), 0);
		expect_text(bytes, 1500007);
	}
	free(bytes);
}
END_TEST

START_TEST(progress_counts_bytes_received_and_knows_the_size_of_a_file)
{
	struct input *in;
	char bytes[8];

	scratch_write("twelve", "123456789012", 12);
	in = input_open("twelve", NULL, &e);
	ck_assert_ptr_nonnull(in);
	ck_assert_uint_eq(input_size(in), 12);
	while (input_read(in, bytes, sizeof bytes, &e) > 0)
		continue;
	ck_assert_uint_eq(input_received(in), 12);
	input_close(in);
}
END_TEST

/* A child that writes the bytes into a pipe which is stdin here, in odd pieces. */
static void
pipe_to_stdin(const char *bytes, size_t length)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	if (fork() == 0) {
		close(ends[0]);
		for (size_t done = 0; done < length;) {
			size_t want = length - done < 4099 ? length - done : 4099;
			ssize_t n = write(ends[1], bytes + done, want);

			if (n < 0)
				_exit(1);
			done += (size_t)n;
		}
		_exit(0);
	}
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
}

START_TEST(a_pipe_is_read_to_its_end)
{
	char *bytes = sample(700001);
	int status;

	pipe_to_stdin(bytes, 700001);
	ck_assert_int_eq(read_all("-", NULL), 0);
	expect_text(bytes, 700001);
	wait(&status);
	ck_assert_int_eq(status, 0);
	free(bytes);
}
END_TEST

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

START_TEST(stdin_that_is_a_file_is_read_from_where_it_stands)
{
	int fd;

	scratch_write("lines", "first\nsecond\n", 13);
	fd = open("lines", O_RDONLY);
	ck_assert_int_eq(lseek(fd, 6, SEEK_SET), 6);
	dup2(fd, STDIN_FILENO);
	ck_assert_int_eq(read_all("-", NULL), 0);
	expect_text("second\n", 7);
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

START_TEST(utf8_is_not_looked_into)
{
	static const char bytes[] = "\xef\xbb\xbf"
				    "a\xff\0\xc3\xa9\n";

	scratch_write("raw", bytes, sizeof bytes - 1);
	ck_assert_int_eq(read_all("raw", NULL), 0);
	expect_text(bytes, sizeof bytes - 1);
	ck_assert_int_eq(read_all("raw", "utf-8"), 0);
	expect_text(bytes, sizeof bytes - 1);
	ck_assert_int_eq(read_pieces("raw", "UTF8", 1), 0);
	expect_text(bytes, sizeof bytes - 1);
}
END_TEST

START_TEST(other_encodings_become_utf8)
{
	struct buf wide = {0};

	scratch_write("latin", "caf\xe9\n", 5);
	ck_assert_int_eq(read_all("latin", "ISO-8859-1"), 0);
	expect_text("caf\xc3\xa9\n", 6);
	ck_assert_uint_eq(digest.received, 5);
	for (size_t width = 2; width <= 4; width += 2)
		for (int big = 0; big < 2; big++) {
			char mark[4] = {0};
			const char *encoding = width == 2 ? "UTF-16" : "UTF-32";

			mark[big ? width - 2 : 0] = big ? '\xfe' : '\xff';
			mark[big ? width - 1 : 1] = big ? '\xff' : '\xfe';
			buf_reset(&wide);
			buf_append(&wide, mark, width);
			append_wide(&wide, "caf\xe9,1\n", width, big);
			scratch_write("wide", wide.bytes, wide.length);
			ck_assert_int_eq(read_all("wide", encoding), 0);
			expect_text("caf\xc3\xa9,1\n", 8);
			ck_assert_int_eq(read_pieces("wide", encoding, 1), 0);
			expect_text("caf\xc3\xa9,1\n", 8);
			expect_error("wide", NULL, ERR_DATA, "hint: --encoding UTF-");
			ck_assert_ptr_nonnull(strstr(e.message, encoding));
		}
	buf_fini(&wide);
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

START_TEST(what_cannot_be_decoded_becomes_the_replacement_character)
{
	/* UTF-16: a lone surrogate, and half a code unit at the end. */
	scratch_write("wide",
	    "a\0\0\xd8"
	    "b\0c",
	    7);
	ck_assert_int_eq(read_all("wide", "UTF-16LE"), 0);
	expect_text("a\xef\xbf\xbd"
		    "b\xef\xbf\xbd",
	    8);
	scratch_write("ascii", "a\xff\xfe\"b", 5);
	ck_assert_int_eq(read_all("ascii", "US-ASCII"), 0);
	expect_text("a\xef\xbf\xbd\xef\xbf\xbd\"b", 9);
	/* Shift_JIS: the first half of a character before a delimiter must not swallow it. */
	scratch_write("jis", "\x82,x\n", 4);
	ck_assert_int_eq(read_all("jis", "SHIFT_JIS"), 0);
	expect_text("\xef\xbf\xbd,x\n", 6);
}
END_TEST

START_TEST(long_texts_grow_while_transcoded_without_loss)
{
	static const struct {
		const char *encoding;
		const char *from;
		size_t from_length;
		const char *to;
		size_t to_length;
	} cases[] = {
	    {"ISO-8859-1", "\xe9", 1, "\xc3\xa9", 2},
	    {"US-ASCII", "\xe9", 1, "\xef\xbf\xbd", 3},
	    {"UTF-16LE", "\x2d\x4e", 2, "\xe4\xb8\xad", 3},
	    {"SHIFT_JIS", "\x82\xa0", 2, "\xe3\x81\x82", 3},
	};
	struct buf from = {0}, to = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&from);
		buf_reset(&to);
		/* An odd number before it, so that characters lie across the edges of buffers. */
		if (i == 3) {
			buf_byte(&from, 'x');
			buf_byte(&to, 'x');
		}
		for (int n = 0; n < 400001; n++) {
			buf_append(&from, cases[i].from, cases[i].from_length);
			buf_append(&to, cases[i].to, cases[i].to_length);
		}
		scratch_write("long", from.bytes, from.length);
		ck_assert_int_eq(read_all("long", cases[i].encoding), 0);
		expect_text(to.bytes, to.length);
	}
	buf_fini(&from);
	buf_fini(&to);
}
END_TEST

START_TEST(a_character_the_decoder_holds_back_is_not_lost_at_the_end)
{
	/* TCVN: a vowel waits for an accent that may follow. */
	scratch_write("vowel", "a", 1);
	ck_assert_int_eq(read_all("vowel", "TCVN5712-1"), 0);
	expect_text("a", 1);
}
END_TEST

START_TEST(an_unknown_encoding_is_a_usage_error)
{
	scratch_write("abc", "abc", 3);
	expect_error("abc", "klingon", ERR_USAGE, "unknown encoding 'klingon'");
	expect_error("abc", "", ERR_USAGE, "unknown encoding ''");
	expect_error("abc", "UTF-16//IGNORE", ERR_USAGE, "unknown encoding 'UTF-16//IGNORE'");
}
END_TEST

START_TEST(what_is_no_readable_file_is_refused_with_its_name)
{
	expect_error("missing.csv", NULL, ERR_NOINPUT, "missing.csv: No such file");
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	expect_error("folder", NULL, ERR_NOINPUT, "folder: Is a directory");
	scratch_write("secret", "abc", 3);
	ck_assert_int_eq(chmod("secret", 0), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	scratch_drop_root();
	expect_error("secret", NULL, ERR_PERMISSION, "secret: Permission denied");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* Open a file of `length` bytes and read its first ones; then let `change` happen and read on. */
static void
expect_changed(size_t length, void (*change)(void))
{
	char *bytes = sample(length);
	char piece[1000];
	struct input *in;
	ssize_t n;

	scratch_write("changing", bytes, length);
	in = input_open("changing", NULL, &e);
	ck_assert_ptr_nonnull(in);
	ck_assert_int_gt(input_read(in, piece, sizeof piece, &e), 0);
	change();
	while ((n = input_read(in, piece, sizeof piece, &e)) > 0)
		continue;
	ck_assert_int_eq(n == 0 ? input_finish(in, &digest, &e) : -1, -1);
	ck_assert_int_eq(e.code, ERR_AGAIN);
	ck_assert_ptr_nonnull(strstr(e.message, "changing: changed while it was being read"));
	input_close(in);
	free(bytes);
}

static void
grow(void)
{
	FILE *stream = fopen("changing", "a");

	fputs("more\n", stream);
	fclose(stream);
}

static void
shrink(void)
{
	ck_assert_int_eq(truncate("changing", 300000), 0);
}

static void
touch(void)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};

	ck_assert_int_eq(utimensat(AT_FDCWD, "changing", times, 0), 0);
}

START_TEST(a_file_that_changes_while_it_is_read_is_refused)
{
	expect_changed(100, grow);
	expect_changed(1000000, grow);
	expect_changed(1000000, shrink);
	expect_changed(1000000, touch);
}
END_TEST

START_TEST(a_file_that_grows_as_fast_as_it_is_read_comes_to_an_end)
{
	char *bytes = sample(400000);
	struct input *in;
	int reads = 0;

	scratch_write("changing", bytes, 400000);
	in = input_open("changing", NULL, &e);
	ck_assert_ptr_nonnull(in);
	while (reads < 100 && input_read(in, bytes, 400000, &e) > 0) {
		grow();
		reads++;
	}
	ck_assert_int_lt(reads, 100);
	ck_assert_int_eq(e.code, ERR_AGAIN);
	input_close(in);
	free(bytes);
}
END_TEST

START_TEST(a_digest_before_the_end_is_a_bug)
{
	struct input *in;

	scratch_write("abc", "abc", 3);
	in = input_open("abc", NULL, &e);
	ck_assert_int_eq(input_finish(in, &digest, &e), -1);
	ck_assert_int_eq(e.code, ERR_BUG);
	input_close(in);
}
END_TEST

START_TEST(a_signal_ends_the_wait_for_a_silent_pipe)
{
	pid_t parent = getpid(), child;
	int ends[2];

	sig_init();
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[0], STDIN_FILENO);
	child = fork();
	if (child == 0) {
		kill(parent, SIGTERM);
		_exit(0);
	}
	expect_error("-", NULL, ERR_SIGTERM, "interrupted by SIGTERM");
	waitpid(child, NULL, 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_file_is_given_unchanged_with_its_sha256,
	    a_large_file_is_given_unchanged_whatever_the_pieces,
	    progress_counts_bytes_received_and_knows_the_size_of_a_file,
	    a_pipe_is_read_to_its_end,
	    compression_in_a_pipe_is_recognised,
	    stdin_that_is_a_file_is_read_from_where_it_stands,
	    gzip_members_are_joined_and_zero_padding_is_passed_over,
	    zstd_frames_are_joined_and_skippable_ones_passed_over,
	    compressed_files_are_the_same_read_byte_by_byte,
	    compression_cut_anywhere_is_refused_with_its_name,
	    damaged_compression_is_refused_with_its_name_and_place,
	    other_bytes_behind_compressed_ones_are_refused,
	    a_zstd_window_that_would_not_fit_a_worker_is_refused,
	    compression_it_does_not_read_is_refused_with_the_program_that_does,
	    utf8_is_not_looked_into,
	    other_encodings_become_utf8,
	    compressed_text_is_transcoded_after_it_was_inflated,
	    what_cannot_be_decoded_becomes_the_replacement_character,
	    long_texts_grow_while_transcoded_without_loss,
	    a_character_the_decoder_holds_back_is_not_lost_at_the_end,
	    an_unknown_encoding_is_a_usage_error,
	    what_is_no_readable_file_is_refused_with_its_name,
	    a_file_that_changes_while_it_is_read_is_refused,
	    a_file_that_grows_as_fast_as_it_is_read_comes_to_an_end,
	    a_digest_before_the_end_is_a_bug,
	    a_signal_ends_the_wait_for_a_silent_pipe,
	};

	return scratch_run("input", tests, sizeof tests / sizeof *tests);
}
