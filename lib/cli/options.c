#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/edits.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "base/sig.h"
#include "cli/grid.h"
#include "cli/help.h"
#include "cli/nearest.h"

static struct {
	bool help, version, quiet, verbose;
	const char *progress;
	struct buf lists; /* every value array handed out: reachable until the end, so no leak to report */
} state;

static const struct option common[] = {
    {"progress", '\0', "?json", OPTION_STRING, &state.progress,
	"progress on standard error: a line if it is a terminal (default), or JSON lines"},
    {"quiet", 'q', NULL, OPTION_FLAG, &state.quiet, "print errors only"},
    {"verbose", 'v', NULL, OPTION_FLAG, &state.verbose, "say what is being done"},
    {"help", 'h', NULL, OPTION_FLAG, &state.help, "print this help and exit"},
    {"version", '\0', NULL, OPTION_FLAG, &state.version, "print the version and exit"},
    {NULL, '\0', NULL, OPTION_FLAG, NULL, NULL},
};

/* One run over the command line: what is left of it. */
struct parser {
	const struct program *program;
	int argc;
	char **argv;
	int next; /* index of the argument not yet looked at */
};

typedef int visit(const struct option *option, void *ctx);

/* Call `each` on the program's rows, then the common ones, until it returns non-zero. */
static const struct option *
walk(const struct program *program, visit *each, void *ctx)
{
	const struct option *tables[] = {program->options, common};

	for (size_t t = 0; t < 2; t++)
		for (const struct option *o = tables[t]; o != NULL && o->name != NULL; o++)
			if (o->kind != OPTION_COMMAND && each(o, ctx))
				return o;
	return NULL;
}

static int
has_letter(const struct option *o, void *ctx)
{
	const char *letter = ctx;

	return o->letter == *letter;
}

/* Looking for a long name: an exact one, those it abbreviates, and the one nearest to it. */
struct search {
	const char *name;
	const struct option *prefixed[8];
	size_t prefixed_count;
	const struct option *near;
};

static int
match_name(const struct option *o, void *ctx)
{
	struct search *s = ctx;

	if (strcmp(o->name, s->name) == 0)
		return 1;
	if (strncmp(o->name, s->name, strlen(s->name)) == 0 &&
	    s->prefixed_count < sizeof s->prefixed / sizeof *s->prefixed)
		s->prefixed[s->prefixed_count++] = o;
	if (nearest_plausible(s->name, o->name) &&
	    (s->near == NULL || edits_between(s->name, o->name) < edits_between(s->name, s->near->name)))
		s->near = o;
	return 0;
}

static const struct option *
find_long(const struct program *program, const char *name, struct err *e)
{
	struct search s = {.name = name};
	const struct option *exact = walk(program, match_name, &s);
	struct buf list = {0};

	if (exact != NULL)
		return exact;
	if (*name != '\0' && s.prefixed_count == 1)
		return s.prefixed[0];
	if (*name != '\0' && s.prefixed_count > 1) {
		for (size_t i = 0; i < s.prefixed_count; i++)
			buf_printf(&list, "%s--%s", i > 0 ? ", " : "", s.prefixed[i]->name);
		err_set(e, ERR_USAGE, "ambiguous option --%s; hint: one of %s", name, list.bytes);
		buf_fini(&list);
	} else if (s.near != NULL) {
		err_set(e, ERR_USAGE, "unknown option --%s; hint: did you mean --%s", name, s.near->name);
	} else {
		err_set(e, ERR_USAGE, "unknown option --%s; hint: %s --help lists the options", name, program->name);
	}
	return NULL;
}

static void
list_append(const struct parser *p, struct option_list *list, const char *value)
{
	/* Each argument gives one value at most, so argc slots always suffice. */
	if (list->count == 0) {
		list->values = buf_calloc((size_t)p->argc, sizeof *list->values);
		buf_append(&state.lists, &list->values, sizeof list->values);
	}
	list->values[list->count++] = value;
}

static bool
parse_char(const char *value, char *out)
{
	if (strcmp(value, "none") == 0)
		*out = '\0';
	else if (strcmp(value, "tab") == 0 || strcmp(value, "\\t") == 0)
		*out = '\t';
	else if (value[0] != '\0' && value[1] == '\0')
		*out = value[0];
	else
		return false;
	return true;
}

/* Of any kind but a list. */
static int
assign_value(const struct option *o, const char *value, struct err *e)
{
	const char *expected = NULL;

	switch (o->kind) {
	case OPTION_COMMAND:
	case OPTION_LIST:
		break;
	case OPTION_FLAG:
		*(bool *)o->value = true;
		break;
	case OPTION_STRING:
		*(const char **)o->value = value;
		break;
	case OPTION_COUNT:
		expected = num_uint64(value, o->value) ? NULL : "a whole number";
		break;
	case OPTION_BYTES:
		expected = num_bytes(value, o->value) ? NULL : "a size such as 65536, 64k or 8M";
		break;
	case OPTION_MS:
		expected = num_milliseconds(value, o->value) ? NULL : "a time such as 500ms, 30s or 5m";
		break;
	case OPTION_CHAR:
		expected = parse_char(value, o->value) ? NULL : "one byte, tab or none";
		break;
	}
	if (expected != NULL)
		return err_set(e, ERR_USAGE, "option --%s: \"%s\" is not %s", o->name, value, expected);
	return 0;
}

static int
assign(const struct parser *p, const struct option *o, const char *value, struct err *e)
{
	if (o->kind != OPTION_LIST)
		return assign_value(o, value, e);
	list_append(p, o->value, value);
	return 0;
}

int
options_set(const struct option *options, const char *name, const char *value, struct err *e)
{
	const struct option *o = options;

	while (o->name != NULL && strcmp(o->name, name) != 0)
		o++;
	if (o->name == NULL)
		return err_set(e, ERR_NOINPUT, "there is no option %s", name);
	if (o->kind == OPTION_LIST) {
		struct option_list *list = o->value;

		list->values = buf_realloc(list->values, list->count + 1, sizeof *list->values);
		list->values[list->count++] = value;
		return 0;
	}
	if (o->kind == OPTION_FLAG && strcmp(value, "true") != 0) {
		*(bool *)o->value = false;
		return strcmp(value, "false") == 0
			   ? 0
			   : err_set(e, ERR_USAGE, "option --%s: \"%s\" is neither true nor false", name, value);
	}
	return assign_value(o, value, e);
}

void
options_release(const struct option *options)
{
	for (const struct option *o = options; o->name != NULL; o++)
		if (o->kind == OPTION_LIST) {
			struct option_list *list = o->value;

			free(list->values);
			*list = (struct option_list){0};
		}
}

/* The value of an option that wants one and had none attached: the next argument. */
static int
assign_next(struct parser *p, const struct option *o, struct err *e)
{
	if (o->argument == NULL)
		return assign(p, o, NULL, e);
	if (o->argument[0] == '?')
		return assign(p, o, "", e);
	if (p->next >= p->argc)
		return err_set(e, ERR_USAGE, "option --%s needs a value: %s", o->name, o->argument);
	return assign(p, o, p->argv[p->next++], e);
}

static int
parse_long(struct parser *p, const char *argument, struct err *e)
{
	const char *equals = strchr(argument, '=');
	char *name = buf_strndup(argument, equals != NULL ? (size_t)(equals - argument) : strlen(argument));
	const struct option *o = find_long(p->program, name, e);

	free(name);
	if (o == NULL)
		return -1;
	if (equals == NULL)
		return assign_next(p, o, e);
	if (o->argument == NULL)
		return err_set(e, ERR_USAGE, "option --%s takes no value: \"%s\"", o->name, equals + 1);
	return assign(p, o, equals + 1, e);
}

static int
parse_letters(struct parser *p, char *letters, struct err *e)
{
	for (; *letters != '\0'; letters++) {
		const struct option *o = walk(p->program, has_letter, letters);

		if (o == NULL)
			return err_set(e, ERR_USAGE, "unknown option -%c; hint: %s --help lists the options", *letters,
			    p->program->name);
		if (o->argument != NULL && o->argument[0] != '?' && letters[1] != '\0')
			return assign(p, o, letters + 1, e);
		if (assign_next(p, o, e) != 0)
			return -1;
	}
	return 0;
}

static void __attribute__((noreturn)) print_and_exit(const struct buf *text)
{
	static const struct err none;

	fwrite(text->bytes, 1, text->length, stdout);
	exit(options_exit(&none));
}

static void
answer_common(const struct program *program)
{
	static struct buf text;

	if (state.help) {
		help_text(program, common, (size_t)grid_width(STDOUT_FILENO), help_bold(STDOUT_FILENO), &text);
		print_and_exit(&text);
	}
	if (state.version) {
		buf_printf(&text, "%.*s %s\n", (int)strcspn(program->name, " "), program->name, CSVP_VERSION);
		print_and_exit(&text);
	}
}

/*
 * A descriptor that the caller closed would be the next file's: what is meant for a stream must never end there. It is
 * opened the wrong way round, so that its use stays an error: else a closed standard input would be an empty file.
 */
static void
occupy_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

int
options_parse(const struct program *program, int argc, char **argv, char ***operands, size_t *count, struct err *e)
{
	struct parser p = {program, argc, argv, 1};
	bool only_operands = false;
	size_t kept = 0;

	buf_fini(&state.lists);
	memset(&state, 0, sizeof state);
	occupy_streams();
	log_init(program->name, LOG_NORMAL);
	sig_init();
	while (p.next < argc) {
		char *argument = argv[p.next++];

		if (only_operands || argument[0] != '-' || argument[1] == '\0') {
			/* Operands move down over arguments already consumed; never over one still to come. */
			argv[1 + kept++] = argument;
			continue;
		}
		if (strcmp(argument, "--") == 0) {
			only_operands = true;
			continue;
		}
		if ((argument[1] == '-' ? parse_long(&p, argument + 2, e) : parse_letters(&p, argument + 1, e)) != 0)
			return -1;
		answer_common(program);
	}
	if (argc > 0)
		argv[1 + kept] = NULL;
	if (state.progress != NULL && *state.progress != '\0' && !options_progress_json())
		return err_set(e, ERR_USAGE, "option --progress: \"%s\" is not json", state.progress);
	log_init(program->name, state.quiet ? LOG_QUIET : state.verbose ? LOG_VERBOSE : LOG_NORMAL);
	*operands = argc > 0 ? argv + 1 : argv;
	*count = kept;
	return 0;
}

/* Has the reader of a pipe or socket gone? Then nobody is there to miss what could not be written. */
static bool
reader_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

int
options_exit(const struct err *e)
{
	if (e->code != ERR_NONE && e->message[0] != '\0')
		log_error("%s", e->message);
	errno = EIO;
	if ((fflush(stdout) != 0 || ferror(stdout)) && !reader_gone(STDOUT_FILENO)) {
		log_error("cannot write standard output: %s", strerror(errno));
		return (int)err_worse(e->code, ERR_IO);
	}
	return (int)e->code;
}

bool
options_progress_json(void)
{
	return state.progress != NULL && strcmp(state.progress, "json") == 0;
}

static void
argument_append(struct option_list *arguments, const char *name, const char *value)
{
	arguments->values = buf_realloc(arguments->values, arguments->count + 1, sizeof *arguments->values);
	arguments->values[arguments->count++] =
	    value != NULL ? buf_format("--%s=%s", name, value) : buf_format("--%s", name);
}

void
options_arguments(const struct option *options, struct option_list *arguments)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		char number[24];

		switch (o->kind) {
		case OPTION_FLAG:
			if (*(const bool *)o->value)
				argument_append(arguments, o->name, NULL);
			break;
		case OPTION_STRING:
			if (*(const char *const *)o->value != NULL)
				argument_append(arguments, o->name, *(const char *const *)o->value);
			break;
		case OPTION_LIST:
			for (size_t i = 0; i < ((const struct option_list *)o->value)->count; i++)
				argument_append(arguments, o->name, ((const struct option_list *)o->value)->values[i]);
			break;
		case OPTION_COUNT:
		case OPTION_BYTES:
			snprintf(number, sizeof number, "%" PRIu64, *(const uint64_t *)o->value);
			argument_append(arguments, o->name, number);
			break;
		case OPTION_MS:
			snprintf(number, sizeof number, "%" PRId64 "ms", *(const int64_t *)o->value);
			argument_append(arguments, o->name, number);
			break;
		case OPTION_CHAR:
			number[0] = *(const char *)o->value;
			number[1] = '\0';
			argument_append(arguments, o->name, number[0] != '\0' ? number : "none");
			break;
		case OPTION_COMMAND:
			break;
		}
	}
}
