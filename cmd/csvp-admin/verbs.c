#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"

/* The verbs' rows of --help, behind those of the options. */
static void
add_rows(const struct verbs *verbs)
{
	struct option *row = verbs->table;

	while (row->name != NULL)
		row++;
	for (size_t i = 0; i < verbs->count; i++)
		*row++ = (struct option){.name = verbs->all[i].name,
		    .argument = verbs->all[i].operands,
		    .kind = OPTION_COMMAND,
		    .help = verbs->all[i].purpose};
}

static int
refuse(const struct verbs *verbs, const char *word, struct err *e)
{
	struct buf names = {0};

	for (size_t i = 0; i < verbs->count; i++)
		buf_printf(&names, "%s%s", i == 0 ? "" : i + 1 < verbs->count ? ", " : " or ", verbs->all[i].name);
	err_set(e, ERR_USAGE, "%s%s; hint: %s", word != NULL ? "unknown verb " : "no verb", word != NULL ? word : "",
	    names.bytes);
	buf_fini(&names);
	return -1;
}

static int
act(const struct program *program, const struct verbs *verbs, struct request *r, char **operands, size_t count,
    struct err *e)
{
	const struct verb *verb = verbs->all;

	while (verb < verbs->all + verbs->count && (count == 0 || strcmp(operands[0], verb->name) != 0))
		verb++;
	if (verb == verbs->all + verbs->count)
		return refuse(verbs, count > 0 ? operands[0] : NULL, e);
	if (count - 1 < verb->least || count - 1 > verb->most)
		return err_set(e, ERR_USAGE, "usage: %s %s %s", program->name, verb->name,
		    verb->operands != NULL ? verb->operands : "");
	return verbs->act(r, verb, operands + 1, count - 1, e);
}

int
admin_verbs(const struct program *program, const struct verbs *verbs, struct request *r, int argc, char **argv)
{
	struct err e = {0};
	char **operands;
	size_t count;

	add_rows(verbs);
	if (options_parse(program, argc, argv, &operands, &count, &e) == 0 &&
	    act(program, verbs, r, operands, count, &e) != 0 && e.code == ERR_NONE)
		e.code = ERR_BUG;
	return options_exit(&e);
}
