#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/deadletters.h"
#include "flow/site.h"
#include "ledger/chunk.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "queue/queue.h"

/* What the operands and options behind `dead VERB` are, and what they work on. */
struct request {
	struct pg *pg;
	struct queue *queue;
	const struct ref *refs; /* at least one; job 0: all */
	size_t count;
	bool json;
	struct grid *grid;
	uint64_t seen;
};

static char *
ref_of(const struct message *letter)
{
	return refs_text(&(struct ref){.job = letter->job, .chunk = letter->chunk});
}

/* Members are added to an object that is printed whole or, out of memory, not at all. */
static cJSON *
object_of(const struct message *letter)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddNumberToObject(object, "job", (double)letter->job);
	if (letter->chunk >= 0)
		cJSON_AddNumberToObject(object, "chunk", (double)letter->chunk);
	if (letter->stage != NULL)
		cJSON_AddStringToObject(object, "stage", letter->stage);
	if (letter->error != NULL)
		cJSON_AddStringToObject(object, "error", letter->error);
	return object;
}

static int
list_letter(void *ctx, const struct message *letter, struct err *e)
{
	struct request *r = ctx;
	char *ref;

	if (r->json)
		return admin_print_json(object_of(letter), e);
	ref = ref_of(letter);
	grid_row(r->grid, (const char *const[]){ref, letter->stage, letter->error});
	free(ref);
	return 0;
}

static int
list(struct request *r, struct err *e)
{
	static const char *const headers[] = {"REF", "STAGE", "ERROR"};
	static const bool right[] = {false, false, false};
	int result = 0;

	r->grid = grid_new(headers, right, 3);
	for (size_t i = 0; result == 0 && i < r->count; i++)
		result = deadletters_list(r->pg, r->queue, r->refs[i].job, r->refs[i].chunk, list_letter, r, e);
	if (!r->json)
		grid_print(r->grid);
	grid_free(r->grid);
	return result;
}

/* All that is known of one letter's work. */
struct about {
	struct job job;
	struct dataset dataset;
	struct chunk chunk; /* of a chunk */
};

static int
about_load(struct about *a, struct pg *pg, const struct message *letter, struct err *e)
{
	*a = (struct about){.chunk = {.job = letter->job}};
	if (job_load(pg, letter->job, &a->job, e) != 0 || dataset_load(pg, a->job.dataset, &a->dataset, e) != 0)
		return -1;
	return letter->chunk < 0 ? 0 : chunk_load(pg, letter->job, letter->chunk, &a->chunk, e);
}

static void
about_fini(struct about *a)
{
	dataset_fini(&a->dataset);
	job_fini(&a->job);
}

static int
show_json(const struct about *a, const struct message *letter, struct err *e)
{
	cJSON *object = object_of(letter);

	cJSON_AddStringToObject(object, "dataset", a->dataset.name);
	cJSON_AddStringToObject(object, "file", a->job.file);
	if (letter->chunk >= 0) {
		cJSON_AddNumberToObject(object, "line", (double)a->chunk.line);
		cJSON_AddNumberToObject(object, "byte", (double)a->chunk.byte);
		cJSON_AddNumberToObject(object, "length", (double)a->chunk.length);
		cJSON_AddNumberToObject(object, "records", (double)a->chunk.records);
	}
	return admin_print_json(object, e);
}

static void
show_text(const struct about *a, const struct message *letter)
{
	char *ref = ref_of(letter);

	printf("ref      %s\nstage    %s\ndataset  %s\nfile     %s\n", ref, letter->stage != NULL ? letter->stage : "",
	    a->dataset.name, a->job.file);
	if (letter->chunk >= 0)
		printf("records  %" PRIu64 " from line %" PRIu64 "\nbytes    %" PRIu64 " from byte %" PRIu64 "\n",
		    a->chunk.records, a->chunk.line, a->chunk.length, a->chunk.byte);
	printf("error    %s\n", letter->error != NULL ? letter->error : "");
	free(ref);
}

static int
show_letter(void *ctx, const struct message *letter, struct err *e)
{
	struct request *r = ctx;
	struct about about;
	int result = about_load(&about, r->pg, letter, e);

	if (result == 0 && r->json)
		result = show_json(&about, letter, e);
	else if (result == 0) {
		if (r->seen > 0)
			putchar('\n');
		show_text(&about, letter);
	}
	r->seen++;
	about_fini(&about);
	return result;
}

static int
show(struct request *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		uint64_t before = r->seen;

		if (deadletters_list(r->pg, r->queue, r->refs[i].job, r->refs[i].chunk, show_letter, r, e) != 0)
			return -1;
		if (r->seen == before && r->refs[i].job != 0) {
			char *ref = refs_text(&r->refs[i]);

			err_set(e, ERR_NOINPUT, "there is no dead letter of %s; hint: csvp-admin dead list", ref);
			free(ref);
			return -1;
		}
	}
	return 0;
}

static int
retried(void *ctx, const struct message *letter, struct err *e)
{
	struct request *r = ctx;
	struct ref ref = {.job = letter->job, .chunk = letter->chunk};
	bool closed;

	r->seen++;
	return r->json ? admin_print_json(object_of(letter), e) : refs_print(&ref, &closed, e);
}

static int
retry(struct request *r, struct err *e)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < r->count; i++)
		result = deadletters_retry(r->pg, r->queue, r->refs[i].job, r->refs[i].chunk, retried, r, e);
	if (result == 0 && r->seen == 0)
		log_notice("nothing has failed, or it is done by now");
	return result;
}

static int
purge(struct request *r, struct err *e)
{
	int64_t total = 0;

	for (size_t i = 0; i < r->count; i++) {
		int64_t count = deadletters_purge(r->queue, r->refs[i].job, r->refs[i].chunk, e);

		if (count < 0)
			return -1;
		total += count;
	}
	printf(r->json ? "{\"removed\":%" PRId64 "}\n" : "%" PRId64 " removed\n", total);
	return 0;
}

static const struct verb verbs[] = {
    {"list", "[JOB|JOB/CHUNK...]", "what failed for good, in which stage, and why", 0, SIZE_MAX, list},
    {"show", "[JOB|JOB/CHUNK...]", "the same with file, lines and bytes", 0, SIZE_MAX, show},
    {"retry", "[JOB|JOB/CHUNK...]", "try it again, and print its references", 0, SIZE_MAX, retry},
    {"purge", "[JOB|JOB/CHUNK...]", "forget the letters; what failed stays failed", 0, SIZE_MAX, purge},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static int
parse_refs(struct ref *refs, char **operands, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (refs_parse(operands[i], &refs[i], e) != 0)
			return -1;
		if (refs[i].failure != ERR_NONE)
			return err_set(e, ERR_USAGE, "'%s' is neither a job nor a chunk", operands[i]);
	}
	return 0;
}

static int
run(const struct verb *verb, struct request *r, struct err *e)
{
	struct site *site = site_open(e);
	int result = -1;

	r->pg = site != NULL ? site_connect(site, e) : NULL;
	r->queue = r->pg != NULL ? site_queue(site, e) : NULL;
	if (r->queue != NULL)
		result = verb->run(r, e);
	queue_close(r->queue);
	pg_close(r->pg);
	site_close(site);
	return result;
}

/* Look at the operands before a database is started for them. */
static int
act(struct request *r, const struct verb *verb, char **operands, size_t count, struct err *e)
{
	struct ref *refs = buf_calloc(count + 1, sizeof *refs);
	int result;

	refs[0] = (struct ref){.job = 0, .chunk = -1};
	r->refs = refs;
	r->count = count > 0 ? count : 1;
	result = parse_refs(refs, operands, count, e);
	if (result == 0)
		result = run(verb, r, e);
	free(refs);
	return result;
}

int
admin_dead(int argc, char **argv)
{
	struct request r = {.json = false};
	struct option table[VERBS + 2] = {{"json", 0, NULL, OPTION_FLAG, &r.json, "one JSON object a line"}};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_QUEUE_URL", "CSVP_HOME", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-admin dead", "list | show | retry | purge [JOB|JOB/CHUNK...]",
	    "Dead letters: what failed for good in the workers' hands. Without JOB or JOB/CHUNK, all of them.", table,
	    environment};

	return admin_verbs(&program, &(struct verbs){verbs, VERBS, table, act}, &r, argc, argv);
}
