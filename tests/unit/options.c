#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "capture.h"
#include "cli/options.h"

static const char *dataset;
static bool force, json;
static uint64_t jobs, chunk_bytes;
static int64_t timeout;
static char delimiter;
static struct option_list keys;

static const struct option table[] = {
    {"dataset", 'd', "DATASET", OPTION_STRING, &dataset,
	"dataset to load into; by default the name of the file, without its extension"},
    {"key", 'k', "COL", OPTION_LIST, &keys, "key column (repeatable)"},
    {"jobs", 'j', "N", OPTION_COUNT, &jobs, "connections"},
    {"chunk-bytes", '\0', "N", OPTION_BYTES, &chunk_bytes, "size of a chunk"},
    {"timeout", '\0', "S", OPTION_MS, &timeout, "give up after that time"},
    {"delimiter", '\0', "C", OPTION_CHAR, &delimiter, "what stands between fields"},
    {"force", 'f', NULL, OPTION_FLAG, &force, "always make a new job"},
    {"json", '\0', NULL, OPTION_FLAG, &json, "print JSON"},
    {"sweep", '\0', "[ROOM]", OPTION_COMMAND, NULL, "clean up"},
    {NULL, '\0', NULL, OPTION_FLAG, NULL, NULL},
};

static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_HOME", NULL};

static const struct program program = {
    "csvp-test", "[-d DATASET] [FILE...]", "tests how a command line is read", table, environment};

static char **operands;
static size_t count;
static struct err e;

#define MAX_ARGUMENTS 12

/* Parse a command line given as its arguments; the array is what the operands point into. */
static int
parse(const char *const *arguments)
{
	static char *argv[MAX_ARGUMENTS + 2];
	static char name[] = "csvp-test";
	int argc = 1;

	dataset = NULL;
	force = json = false;
	jobs = chunk_bytes = 0;
	timeout = 0;
	delimiter = ',';
	keys = (struct option_list){0};
	e = (struct err){0};
	argv[0] = name;
	for (; arguments[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
	argv[argc] = NULL;
	return options_parse(&program, argc, argv, &operands, &count, &e);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

START_TEST(every_spelling_of_a_value_is_the_same)
{
	ck_assert_int_eq(PARSE("-d", "a"), 0);
	ck_assert_str_eq(dataset, "a");
	ck_assert_int_eq(PARSE("-da"), 0);
	ck_assert_str_eq(dataset, "a");
	ck_assert_int_eq(PARSE("--dataset", "a"), 0);
	ck_assert_str_eq(dataset, "a");
	ck_assert_int_eq(PARSE("--dataset=a"), 0);
	ck_assert_str_eq(dataset, "a");
	ck_assert_int_eq(PARSE("--dataset=a=b"), 0);
	ck_assert_str_eq(dataset, "a=b");
	ck_assert_int_eq(PARSE("--data", "a"), 0);
	ck_assert_str_eq(dataset, "a");
}
END_TEST

START_TEST(letters_cluster_and_the_last_may_take_a_value)
{
	ck_assert_int_eq(PARSE("-fqj4"), 0);
	ck_assert(force);
	ck_assert_uint_eq(jobs, 4);
	ck_assert_int_eq(log_level(), LOG_QUIET);
	ck_assert_int_eq(PARSE("-vf", "x"), 0);
	ck_assert_int_eq(log_level(), LOG_VERBOSE);
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(operands_stand_anywhere_and_keep_their_order)
{
	ck_assert_int_eq(PARSE("a.csv", "-j", "2", "-", "--force", "b.csv"), 0);
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(operands[0], "a.csv");
	ck_assert_str_eq(operands[1], "-");
	ck_assert_str_eq(operands[2], "b.csv");
	ck_assert_ptr_null(operands[3]);
	ck_assert(force);
	ck_assert_uint_eq(jobs, 2);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
	ck_assert_int_eq(PARSE("-f", "--", "--json", "-x"), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(operands[0], "--json");
	ck_assert(!json);
}
END_TEST

START_TEST(a_list_collects_its_values_in_order)
{
	ck_assert_int_eq(PARSE("-k", "a", "--key=b", "x", "-kc"), 0);
	ck_assert_uint_eq(keys.count, 3);
	ck_assert_str_eq(keys.values[0], "a");
	ck_assert_str_eq(keys.values[1], "b");
	ck_assert_str_eq(keys.values[2], "c");
}
END_TEST

START_TEST(values_are_read_by_their_kind)
{
	ck_assert_int_eq(PARSE("--chunk-bytes", "8M", "--timeout=2s"), 0);
	ck_assert_uint_eq(chunk_bytes, 8u << 20);
	ck_assert_int_eq(timeout, 2000);
	ck_assert_int_eq(PARSE("--delimiter", ";"), 0);
	ck_assert_int_eq(delimiter, ';');
	ck_assert_int_eq(PARSE("--delimiter", "tab"), 0);
	ck_assert_int_eq(delimiter, '\t');
	ck_assert_int_eq(PARSE("--delimiter=\\t"), 0);
	ck_assert_int_eq(delimiter, '\t');
	ck_assert_int_eq(PARSE("--delimiter=none"), 0);
	ck_assert_int_eq(delimiter, '\0');
}
END_TEST

#define REFUSED(text, ...)                                                                                             \
	do {                                                                                                           \
		ck_assert_int_eq(PARSE(__VA_ARGS__), -1);                                                              \
		ck_assert_int_eq(e.code, ERR_USAGE);                                                                   \
		ck_assert_str_eq(e.message, text);                                                                     \
	} while (0)

START_TEST(an_unknown_option_is_named_with_the_nearest)
{
	REFUSED("unknown option --datset; hint: did you mean --dataset", "--datset=x");
	REFUSED("unknown option --froce; hint: did you mean --force", "--froce");
	REFUSED("unknown option --sniff; hint: csvp-test --help lists the options", "--sniff");
	REFUSED("unknown option -x; hint: csvp-test --help lists the options", "-fx");
}
END_TEST

START_TEST(an_ambiguous_option_names_its_candidates)
{
	REFUSED("ambiguous option --ver; hint: one of --verbose, --version", "--ver");
}
END_TEST

START_TEST(a_bad_value_is_named_with_its_option)
{
	REFUSED("option --jobs: \"many\" is not a whole number", "-j", "many");
	REFUSED("option --jobs: \"-1\" is not a whole number", "-j-1");
	REFUSED("option --chunk-bytes: \"8X\" is not a size such as 65536, 64k or 8M", "--chunk-bytes=8X");
	REFUSED("option --timeout: \"soon\" is not a time such as 500ms, 30s or 5m", "--timeout=soon");
	REFUSED("option --delimiter: \";;\" is not one byte, tab or none", "--delimiter=;;");
	REFUSED("option --delimiter: \"\" is not one byte, tab or none", "--delimiter=");
	REFUSED("option --force takes no value: \"yes\"", "--force=yes");
	REFUSED("option --dataset needs a value: DATASET", "x", "-d");
	REFUSED("option --progress: \"xml\" is not json", "--progress=xml");
}
END_TEST

START_TEST(progress_takes_its_value_only_attached)
{
	ck_assert_int_eq(PARSE("--progress", "json"), 0);
	ck_assert(!options_progress_json());
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(PARSE("--progress=json"), 0);
	ck_assert(options_progress_json());
	ck_assert_int_eq(PARSE("-f"), 0);
	ck_assert(!options_progress_json());
}
END_TEST

static void
parse_one(void *ctx)
{
	const char *argument = ctx;

	_exit(PARSE(argument) == 0 ? 100 : 101);
}

static char *
printed(const char *argument, int columns)
{
	struct buf out = {0};
	char *copy = strdup(argument);

	ck_assert_int_eq(capture(parse_one, copy, STDOUT_FILENO, columns, &out), 0);
	free(copy);
	return buf_detach(&out);
}

static size_t
longest_line(const char *text)
{
	size_t longest = 0;

	for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		if (length > longest)
			longest = length;
	}
	return longest;
}

START_TEST(help_tells_all_from_the_table)
{
	char *help = printed("--help", 0);

	ck_assert_ptr_eq(
	    strstr(help, "usage: csvp-test [-d DATASET] [FILE...]\ntests how a command line is read\n"), help);
	ck_assert_ptr_nonnull(strstr(help, "\n  -d, --dataset DATASET  dataset to load into;"));
	ck_assert_ptr_nonnull(strstr(help, "\n      --timeout S        give up after that time\n"));
	ck_assert_ptr_nonnull(strstr(help, "\n      --progress[=json]  "));
	ck_assert_ptr_nonnull(strstr(help, "\n  CSVP_DATABASE_URL      the PostgreSQL to use"));
	ck_assert_ptr_nonnull(strstr(help, "\nexit codes:\n  0 done, "));
	ck_assert_ptr_nonnull(strstr(help, "\nsee csvp-test(1)\n"));
	ck_assert_ptr_null(strchr(help, '\033'));
	ck_assert_uint_le(longest_line(help), 80);
	free(help);
}
END_TEST

START_TEST(a_subcommand_is_listed_and_is_no_option)
{
	char *help = printed("--help", 0);

	ck_assert_ptr_nonnull(strstr(help, "\nsubcommands:\n  sweep [ROOM]           clean up\n\noptions:\n"));
	REFUSED("unknown option --sweep; hint: csvp-test --help lists the options", "--sweep");
	free(help);
}
END_TEST

START_TEST(help_is_wrapped_to_the_terminal)
{
	static const int columns[] = {30, 44, 60, 80, 200};

	setenv("NO_COLOR", "1", 1);
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		char *help = printed("-h", columns[i]);

		ck_assert_uint_le(longest_line(help), (size_t)columns[i]);
		ck_assert_ptr_null(strchr(help, '\033'));
		free(help);
	}
	{
		char *help = printed("-h", 200);

		ck_assert_ptr_nonnull(strstr(help, "by default the name of the file, without its extension\n"));
		ck_assert_uint_gt(longest_line(help), 120);
		free(help);
	}
}
END_TEST

static void
remove_all(char *text, const char *part)
{
	for (char *at = text; (at = strstr(at, part)) != NULL;)
		memmove(at, at + strlen(part), strlen(at + strlen(part)) + 1);
}

START_TEST(titles_are_bold_on_a_terminal_only_and_move_nothing)
{
	char *bold, *plain;

	unsetenv("NO_COLOR");
	bold = printed("-h", 80);
	ck_assert_ptr_nonnull(strstr(bold, "\n\033[1moptions:\033[0m\n"));
	setenv("NO_COLOR", "1", 1);
	plain = printed("-h", 80);
	remove_all(bold, "\033[1m");
	remove_all(bold, "\033[0m");
	ck_assert_str_eq(bold, plain);
	free(plain);
	free(bold);
}
END_TEST

START_TEST(version_is_one_line)
{
	char *version = printed("--version", 0);

	ck_assert_str_eq(version, "csvp-test " CSVP_VERSION "\n");
	free(version);
}
END_TEST

static void
leave(void *ctx)
{
	struct err *error = ctx;

	log_init("csvp-test", LOG_QUIET);
	_exit(options_exit(error));
}

START_TEST(an_error_is_one_line_and_its_code)
{
	struct err error = {ERR_NOINPUT, "no such file"};
	struct buf out = {0};

	ck_assert_int_eq(capture(leave, &error, STDERR_FILENO, 0, &out), 66);
	ck_assert_str_eq(out.bytes, "csvp-test: no such file\n");
	buf_reset(&out);
	error = (struct err){ERR_REJECTS, ""};
	ck_assert_int_eq(capture(leave, &error, STDERR_FILENO, 0, &out), 3);
	error = (struct err){ERR_NONE, "left over"};
	ck_assert_int_eq(capture(leave, &error, STDERR_FILENO, 0, &out), 0);
	ck_assert_uint_eq(out.length, 0);
	buf_fini(&out);
}
END_TEST

static void
leave_full(void *ctx)
{
	if (freopen("/dev/full", "w", stdout) == NULL)
		abort();
	printf("lost");
	leave(ctx);
}

static void
leave_closed(void *ctx)
{
	int ends[2];

	if (pipe(ends) != 0)
		abort();
	close(ends[0]);
	dup2(ends[1], STDOUT_FILENO);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 10000; i++)
		printf("nobody reads this\n");
	leave(ctx);
}

START_TEST(lost_output_is_an_error_unless_nobody_reads_it)
{
	struct err none = {ERR_NONE, ""};
	struct buf out = {0};

	ck_assert_int_eq(capture(leave_full, &none, STDERR_FILENO, 0, &out), 74);
	ck_assert_str_eq(out.bytes, "csvp-test: cannot write standard output: No space left on device\n");
	buf_reset(&out);
	ck_assert_int_eq(capture(leave_closed, &none, STDERR_FILENO, 0, &out), 0);
	ck_assert_uint_eq(out.length, 0);
	buf_fini(&out);
}
END_TEST

START_TEST(options_are_set_by_name_where_there_is_no_command_line)
{
	ck_assert_int_eq(PARSE("x"), 0);
	ck_assert_int_eq(options_set(table, "key", "a", &e), 0);
	ck_assert_int_eq(options_set(table, "key", "b", &e), 0);
	ck_assert_uint_eq(keys.count, 2);
	ck_assert_str_eq(keys.values[1], "b");
	ck_assert_int_eq(options_set(table, "delimiter", "tab", &e), 0);
	ck_assert_int_eq(delimiter, '\t');
	ck_assert_int_eq(options_set(table, "force", "true", &e), 0);
	ck_assert(force);
	ck_assert_int_eq(options_set(table, "force", "false", &e), 0);
	ck_assert(!force);
	ck_assert_int_eq(options_set(table, "force", "", &e), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
	ck_assert_int_eq(options_set(table, "jobs", "many", &e), -1);
	ck_assert_int_eq(e.code, ERR_USAGE);
	ck_assert_int_eq(options_set(table, "forc", "true", &e), -1);
	ck_assert_int_eq(e.code, ERR_NOINPUT);
	options_release(table);
	ck_assert_uint_eq(keys.count, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, every_spelling_of_a_value_is_the_same);
	tcase_add_test(tests, letters_cluster_and_the_last_may_take_a_value);
	tcase_add_test(tests, operands_stand_anywhere_and_keep_their_order);
	tcase_add_test(tests, two_dashes_end_the_options);
	tcase_add_test(tests, a_list_collects_its_values_in_order);
	tcase_add_test(tests, values_are_read_by_their_kind);
	tcase_add_test(tests, an_unknown_option_is_named_with_the_nearest);
	tcase_add_test(tests, an_ambiguous_option_names_its_candidates);
	tcase_add_test(tests, a_bad_value_is_named_with_its_option);
	tcase_add_test(tests, progress_takes_its_value_only_attached);
	tcase_add_test(tests, help_tells_all_from_the_table);
	tcase_add_test(tests, a_subcommand_is_listed_and_is_no_option);
	tcase_add_test(tests, help_is_wrapped_to_the_terminal);
	tcase_add_test(tests, titles_are_bold_on_a_terminal_only_and_move_nothing);
	tcase_add_test(tests, version_is_one_line);
	tcase_add_test(tests, an_error_is_one_line_and_its_code);
	tcase_add_test(tests, options_are_set_by_name_where_there_is_no_command_line);
	tcase_add_test(tests, lost_output_is_an_error_unless_nobody_reads_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
