#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "db/pg.h"
#include "flow/site.h"
#include "flow/verify.h"
#include "ledger/dataset.h"
#include "ledger/job.h"

static void
print_finding(void *ctx, const char *text)
{
	progress_hide();
	printf("%s: %s\n", (const char *)ctx, text);
	fflush(stdout);
	progress_show();
}

/* A dataset by its name, or the dataset of a job by its id. */
static char *
dataset_of(struct pg *pg, const char *operand, struct err *e)
{
	struct dataset d = {0};
	struct job job = {0};
	char *name = NULL;
	int64_t id;

	if (!num_int64(operand, &id) || dataset_find(pg, operand, &d, e) == 1)
		name = buf_strdup(operand);
	else if (job_load(pg, id, &job, e) == 0 && dataset_load(pg, job.dataset, &d, e) == 0)
		name = buf_strdup(d.name);
	job_fini(&job);
	dataset_fini(&d);
	return name;
}

static int
verify_one(const struct site *site, const char *name, struct grid *grid, bool *disagrees, struct err *e)
{
	struct progress *progress = progress_new("verify");
	struct verify_result r;
	char text[5][24];
	int result = verify_dataset(site, name, progress, print_finding, (void *)(uintptr_t)name, &r, e);
	const uint64_t numbers[] = {r.jobs, r.records, r.rows, r.documents, r.changes};

	progress_free(progress);
	if (result != 0)
		return -1;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (r.broken)
			strcpy(text[i], "-");
		else
			snprintf(text[i], sizeof text[i], "%" PRIu64, numbers[i]);
	}
	grid_row(grid, (const char *const[]){name, text[0], text[1], text[2], text[3], text[4],
			   r.findings == 0 ? "agrees" : "DISAGREES"});
	*disagrees = *disagrees || r.findings > 0;
	return 0;
}

static int
verify_all(const struct site *site, struct pg *pg, char **operands, size_t count, bool *disagrees, struct err *e)
{
	static const char *const headers[] = {"DATASET", "JOBS", "RECORDS", "ROWS", "DOCUMENTS", "CHANGES", "RESULT"};
	static const bool right[] = {false, true, true, true, true, true, false};
	struct grid *grid = grid_new(headers, right, sizeof headers / sizeof *headers);
	struct pg_rows *rows = NULL;
	int result = 0;

	if (count == 0)
		result = pg_query(pg, &rows, e, "SELECT name FROM csvp.dataset ORDER BY name", 0, NULL);
	for (size_t i = 0; result == 0 && i < (count > 0 ? count : pg_rows_count(rows)); i++) {
		char *name = count > 0 ? dataset_of(pg, operands[i], e) : buf_strdup(pg_rows_text(rows, i, 0));

		result = name != NULL ? verify_one(site, name, grid, disagrees, e) : -1;
		free(name);
	}
	pg_rows_free(rows);
	grid_print(grid);
	grid_free(grid);
	return result;
}

int
admin_verify(int argc, char **argv)
{
	static const struct option table[] = {{.name = NULL}};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_SEARCH_URL", "CSVP_HOME", NULL};
	static const struct program program = {"csvp-admin verify", "[DATASET|JOB...]",
	    "Prove from the stores that objects, ledger, tables and index agree; exit 65 if they do not.", table,
	    environment};
	struct site *site = NULL;
	struct pg *pg = NULL;
	bool disagrees = false;
	struct err e = {0};
	char **operands;
	size_t count;

	if (options_parse(&program, argc, argv, &operands, &count, &e) != 0)
		return options_exit(&e);
	site = site_open(&e);
	pg = site != NULL ? site_connect(site, &e) : NULL;
	if (pg != NULL && verify_all(site, pg, operands, count, &disagrees, &e) == 0) {
		e = (struct err){0};
		if (disagrees)
			err_set(&e, ERR_DATA, "the stores do not agree: see above");
	}
	pg_close(pg);
	site_close(site);
	return options_exit(&e);
}
