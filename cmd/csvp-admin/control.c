#include <inttypes.h>
#include <string.h>

#include "admin.h"
#include "base/err.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/control.h"
#include "flow/site.h"
#include "queue/queue.h"

static const struct command {
	const char *name, *program, *purpose;
	int (*stop)(struct pg *pg, int64_t job, int64_t patience, struct err *e); /* NULL: let it go on */
} commands[] = {
    {"cancel", "csvp-admin cancel", "Stop jobs for good: what is under way is rolled back, what is loaded stays.",
	control_cancel},
    {"pause", "csvp-admin pause", "Stop jobs until csvp-admin resume: what is under way is rolled back.",
	control_pause},
    {"resume", "csvp-admin resume", "Let paused jobs go on; workers are told at once.", NULL},
};

/* Do it to each job named; the first that fails ends it. */
static int
control_jobs(const struct command *command, char **operands, size_t count, struct err *e)
{
	struct queue *queue = NULL;
	struct site *site;
	struct pg *pg;
	int result;

	if (count == 0)
		return err_set(e, ERR_USAGE, "no JOB given; hint: csvp-status lists them");
	site = site_open(e);
	pg = site != NULL ? site_connect(site, e) : NULL;
	if (pg != NULL && command->stop == NULL)
		queue = site_queue(site, e);
	result = pg != NULL && (queue != NULL || command->stop != NULL) ? 0 : -1;
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct ref ref;

		result = refs_parse(operands[i], &ref, e);
		if (result == 0 && (ref.chunk >= 0 || ref.failure != ERR_NONE))
			result = err_set(e, ERR_USAGE, "'%s' is not a job", operands[i]);
		if (result == 0)
			result = command->stop != NULL ? command->stop(pg, ref.job, -1, e)
						       : control_resume(pg, queue, ref.job, e);
	}
	queue_close(queue);
	pg_close(pg);
	site_close(site);
	return result;
}

int
admin_control(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_HOME", "CSVP_CONFIG", NULL};
	const struct command *command = commands;
	struct err e = {0};
	char **operands;
	size_t count;

	while (strcmp(command->name, argv[0]) != 0)
		command++;
	const struct program program = {command->program, "JOB...", command->purpose, table, environment};

	if (options_parse(&program, argc, argv, &operands, &count, &e) == 0 &&
	    control_jobs(command, operands, count, &e) != 0 && e.code == ERR_NONE)
		e.code = ERR_BUG;
	return options_exit(&e);
}
