#include "cli/help.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/config.h"
#include "cli/options.h"

/* A longer label stands on a line of its own, else one of them would push every description to the right. */
#define LABEL_MAX 30
/* Descriptions in a narrower column than this read worse than descriptions below their label. */
#define TEXT_MIN 24

static const char exit_codes[] =
    "0 done, 3 done with rejects inside the limit, 64 usage, 65 bad data, 66 no such input, 69 service unavailable "
    "for good, 70 bug, 74 I/O, 75 try again later, 77 not permitted, 78 configuration, 130 or 143 interrupted";

bool
help_bold(int fd)
{
	const char *no = getenv("NO_COLOR");

	return (no == NULL || *no == '\0') && isatty(fd) != 0;
}

static size_t
column_of(const struct buf *out)
{
	const char *line = out->length > 0 ? memrchr(out->bytes, '\n', out->length) : NULL;

	return out->length - (line != NULL ? (size_t)(line + 1 - out->bytes) : 0);
}

void
help_wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
	size_t column = column_of(out);
	bool fresh = true; /* nothing of text on this line yet, so no blank before the word */

	while (*(text += strspn(text, " ")) != '\0') {
		size_t word = strcspn(text, " ");

		if (!fresh && column + 1 + word > width) {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
			fresh = true;
		}
		if (!fresh) {
			buf_byte(out, ' ');
			column++;
		}
		buf_append(out, text, word);
		column += word;
		text += word;
		fresh = false;
	}
	buf_byte(out, '\n');
}

/* On a line of its own, so that what makes it bold is in no column. */
static void
title(struct buf *out, const char *text, bool bold)
{
	buf_printf(out, "\n%s%s:%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

static char *
option_label(const struct option *o)
{
	const char *argument = o->argument;
	struct buf label = {0};

	if (o->kind == OPTION_COMMAND)
		buf_string(&label, o->name);
	else if (o->letter != '\0')
		buf_printf(&label, "-%c, --%s", o->letter, o->name);
	else
		buf_printf(&label, "    --%s", o->name);
	if (argument != NULL && argument[0] == '?')
		buf_printf(&label, "[=%s]", argument + 1);
	else if (argument != NULL)
		buf_printf(&label, " %s", argument);
	return buf_detach(&label);
}

static size_t
widest(size_t so_far, size_t label)
{
	return label > so_far && label <= LABEL_MAX ? label : so_far;
}

/* The column where descriptions begin: behind the longest label of all sections, or below the labels if too narrow. */
static size_t
text_column(const struct program *program, const struct option *const *tables, size_t width)
{
	size_t most = 0;

	for (; *tables != NULL; tables++)
		for (const struct option *o = *tables; o->name != NULL; o++) {
			char *label = option_label(o);

			most = widest(most, strlen(label));
			free(label);
		}
	for (const char *const *name = program->environment; name != NULL && *name != NULL; name++)
		most = widest(most, strlen(*name));
	most += 4;
	return most + TEXT_MIN <= width ? most : 0;
}

static void
entry(struct buf *out, const char *label, const char *text, size_t column, size_t width)
{
	size_t indent = column > 0 ? column : 8;

	buf_printf(out, "  %s", label);
	if (strlen(label) + 4 > column)
		buf_byte(out, '\n');
	buf_printf(out, "%*s", (int)(indent - column_of(out)), "");
	help_wrap(out, text, indent, width);
}

/* The rows of one kind, subcommands or options, under their title. */
static void
section(struct buf *out, const struct option *const *tables, bool commands, size_t column, size_t width, bool bold)
{
	bool first = true;

	for (; *tables != NULL; tables++)
		for (const struct option *o = *tables; o->name != NULL; o++) {
			char *label;

			if ((o->kind == OPTION_COMMAND) != commands)
				continue;
			if (first)
				title(out, commands ? "subcommands" : "options", bold);
			first = false;
			label = option_label(o);
			entry(out, label, o->help, column, width);
			free(label);
		}
}

void
help_text(const struct program *program, const struct option *common, size_t width, bool bold, struct buf *out)
{
	static const char usage[] = "usage: ";
	const struct option *const tables[] = {program->options, common, NULL};
	size_t column = text_column(program, tables, width);
	size_t hanging = strlen(usage) + strlen(program->name) + 1;

	buf_printf(out, "%s%s%s", usage, program->name, program->usage[0] != '\0' ? " " : "");
	help_wrap(out, program->usage, hanging < width / 2 ? hanging : 8, width);
	help_wrap(out, program->purpose, 0, width);
	section(out, tables, true, column, width, bold);
	section(out, tables, false, column, width, bold);
	if (program->environment != NULL && program->environment[0] != NULL) {
		title(out, "environment", bold);
		for (const char *const *name = program->environment; *name != NULL; name++)
			entry(out, *name, config_meaning(*name), column, width);
	}
	title(out, "exit codes", bold);
	buf_string(out, "  ");
	help_wrap(out, exit_codes, 2, width);
	buf_printf(out, "\nsee %.*s(1)\n", (int)strcspn(program->name, " "), program->name);
}
