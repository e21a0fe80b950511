#include <string.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"

struct subcommand {
	const char *name;
	const char *operands; /* NULL: none */
	const char *purpose;
	int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
    {"up", NULL, "start the private PostgreSQL", admin_up},
    {"down", NULL, "stop the private PostgreSQL", admin_down},
    {"migrate", NULL, "bring csvp's own tables in the database up to date", admin_migrate},
    {"psql", "[ARGUMENT...]", "run psql on the database that csvp uses", admin_psql},
    {"create-index", NULL, "make the search indexes that are missing", admin_create_index},
    {"dataset", "list | show | ...", "list, describe, define, change, drop datasets", admin_dataset},
    {"cancel", "JOB...", "stop jobs for good; what is loaded stays", admin_control},
    {"pause", "JOB...", "stop jobs for a while", admin_control},
    {"resume", "JOB...", "let paused jobs go on", admin_control},
    {"requeue", NULL, "tell the workers of all that is undone", admin_requeue},
    {"dead", "list | show | ...", "list, retry or forget what failed for good", admin_dead},
    {"verify", "[DATASET|JOB...]", "prove that objects, ledger, tables and index agree", admin_verify},
    {"gc", NULL, "remove what nothing refers to", admin_gc},
    {"throttle", "[load|index RATE]", "print or set how fast all workers together may be", admin_throttle},
    {"token", "create | list | ...", "who may use the HTTP API", admin_token},
    {"doctor", NULL, "ask every service what stands in the way", admin_doctor},
    {"config", NULL, "print every setting, its value and where it comes from", admin_config},
};

#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

static const struct subcommand *
find(const char *name)
{
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return NULL;
}

static int
refuse(const char *unknown, struct err *e)
{
	struct buf names = {0};

	for (size_t i = 0; i < SUBCOMMANDS; i++)
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", subcommands[i].name);
	if (unknown != NULL)
		err_set(e, ERR_USAGE, "unknown subcommand %s; hint: one of %s", unknown, names.bytes);
	else
		err_set(e, ERR_USAGE, "no subcommand; hint: one of %s", names.bytes);
	buf_fini(&names);
	return -1;
}

int
main(int argc, char **argv)
{
	struct option table[SUBCOMMANDS + 1] = {{0}};
	struct program program = {"csvp-admin", "SUBCOMMAND [OPTION...] [ARGUMENT...]",
	    "Everything about csvp that is not a step of the pipeline; `csvp-admin SUBCOMMAND --help` tells more.",
	    table, NULL};
	const struct subcommand *subcommand;
	struct err e = {0};
	char **operands;
	size_t count;
	int first = 1;

	while (first < argc && argv[first][0] == '-')
		first++;
	if (first < argc && (subcommand = find(argv[first])) != NULL) {
		/* Options before the subcommand are its own, as if they stood behind it. */
		char *name = argv[first];

		memmove(argv + 2, argv + 1, (size_t)(first - 1) * sizeof *argv);
		argv[1] = name;
		return subcommand->run(argc - 1, argv + 1);
	}
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		table[i] = (struct option){.name = subcommands[i].name,
		    .argument = subcommands[i].operands,
		    .kind = OPTION_COMMAND,
		    .help = subcommands[i].purpose};
	if (options_parse(&program, argc, argv, &operands, &count, &e) == 0)
		(void)refuse(count > 0 ? operands[0] : NULL, &e);
	return options_exit(&e);
}
