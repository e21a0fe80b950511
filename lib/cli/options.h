#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* What an option's value goes into; the pointer of the row has that type. */
enum option_kind {
	OPTION_FLAG,   /* bool *; set to true */
	OPTION_STRING, /* const char ** */
	OPTION_LIST,   /* struct option_list *; repeatable */
	OPTION_COUNT,  /* uint64_t *; a number */
	OPTION_BYTES,  /* uint64_t *; 8M, 64k, 1000 */
	OPTION_MS,     /* int64_t *; 2s, 500ms */
	OPTION_CHAR,   /* char *; one byte, or "tab", "\\t", "none" */
	OPTION_COMMAND /* no option but a subcommand, listed by --help; no value */
};

/* A list's values stay valid until the next options_parse; they point into argv. */
struct option_list {
	const char **values;
	size_t count;
};

/* One option: parser, --help, the man page check and completions read this one row. */
struct option {
	const char *name;     /* long name, without -- */
	char letter;          /* short name, or '\0' */
	const char *argument; /* "DATASET" in --help; NULL for a flag; "?WHEN" optional (--progress=json) */
	enum option_kind kind;
	void *value;
	const char *help; /* one line */
};

struct program {
	const char *name;               /* "csvp-load"; "csvp-admin verify": the page is that of the first word */
	const char *usage;              /* "[-j N] [REF...]" */
	const char *purpose;            /* one line */
	const struct option *options;   /* ends with a row whose name is NULL */
	const char *const *environment; /* CSVP_* names it reads, NULL-terminated; for --help */
};

/*
 * GNU long options and clustered letters, operands anywhere, "--" ends them.
 * Every program also has -h/--help, --version, -q/--quiet, -v/--verbose (log level)
 * and --progress[=json]; --help and --version print on stdout and exit 0.
 * Unknown or ambiguous options and bad values are 64, naming the option, and
 * the nearest known one as a hint. *operands gets a NULL-terminated array
 * inside argv (permuted), *count its length.
 * Returns 0, or -1 with *e set. Calls log_init and sig_init.
 */
int options_parse(const struct program *program, int argc, char **argv, char ***operands, size_t *count, struct err *e)
    __attribute__((warn_unused_result));

/*
 * Give one option of a table a value by its name, where there is no command
 * line: a flag takes "true" or "false". The rows' values are the caller's; what
 * a list points to must outlive it. 64, naming the option; -1 also with
 * ERR_NOINPUT for a name that is in no row. options_release frees the lists.
 */
int options_set(const struct option *options, const char *name, const char *value, struct err *e)
    __attribute__((warn_unused_result));
void options_release(const struct option *options);

/*
 * After options_parse: append to `arguments` what gives these options the
 * values they have now ("--name=value", malloced), for a program that hands
 * them on to another one.
 */
void options_arguments(const struct option *options, struct option_list *arguments);

/*
 * The last call of main: print `e` as the program's one error line (nothing
 * for ERR_NONE or an empty message), flush stdout, return the code for exit().
 * Output that cannot be written is 74, unless its reader has gone.
 */
int options_exit(const struct err *e);

/* Was --progress=json given? */
bool options_progress_json(void);

#endif
