#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sig.h"
#include "input.h"
#include "io/source.h"

static const char *
hex_digest(void)
{
	static char hex[65];

	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", digest.sha256[i]);
	return hex;
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

static ssize_t
give_one(void *ctx, void *bytes, size_t capacity, struct err *error)
{
	const char **left = ctx;

	if (**left == '!')
		return err_set(error, ERR_IO, "the sender has gone");
	if (**left == '\0' || capacity == 0)
		return 0;
	*(char *)bytes = *(*left)++;
	return 1;
}

START_TEST(a_source_is_read_like_a_pipe)
{
	const char *left = "abc";
	struct source source = {give_one, &left, "body"};
	struct input *in = input_open_source(&source, NULL, &e);
	char got[4];
	size_t length = 0;
	ssize_t n;

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_null(input_file(in));
	while ((n = input_read(in, got + length, sizeof got - length, &e)) > 0)
		length += (size_t)n;
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(input_finish(in, &digest, &e), 0);
	ck_assert_str_eq(hex_digest(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	input_close(in);
}
END_TEST

START_TEST(the_error_of_a_source_is_the_error)
{
	const char *left = "abcdefghijklmn!", *none = "!";
	struct source source = {give_one, &left, "body"};
	struct input *in = input_open_source(&source, NULL, &e);
	char got[20];
	ssize_t n;

	ck_assert_ptr_nonnull(in);
	while ((n = input_read(in, got, sizeof got, &e)) > 0)
		;
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(e.code, ERR_IO);
	input_close(in);
	source.ctx = &none;
	ck_assert_ptr_null(input_open_source(&source, NULL, &e));
	ck_assert_int_eq(e.code, ERR_IO);
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
	    stdin_that_is_a_file_is_read_from_where_it_stands,
	    utf8_is_not_looked_into,
	    other_encodings_become_utf8,
	    what_cannot_be_decoded_becomes_the_replacement_character,
	    long_texts_grow_while_transcoded_without_loss,
	    a_character_the_decoder_holds_back_is_not_lost_at_the_end,
	    an_unknown_encoding_is_a_usage_error,
	    what_is_no_readable_file_is_refused_with_its_name,
	    a_file_that_changes_while_it_is_read_is_refused,
	    a_file_that_grows_as_fast_as_it_is_read_comes_to_an_end,
	    a_digest_before_the_end_is_a_bug,
	    a_signal_ends_the_wait_for_a_silent_pipe,
	    a_source_is_read_like_a_pipe,
	    the_error_of_a_source_is_the_error,
	};

	return scratch_run("input", tests, sizeof tests / sizeof *tests);
}
