#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/finalise.h"
#include "flow/site.h"
#include "flow/stage.h"
#include "flow/status.h"
#include "flow/upload_options.h"
#include "ledger/job.h"
#include "table/reading.h"

#include "crew.h"
#include "pipeline.h"

/* What "try again later" (75) is answered with: so many more runs of the stages behind the upload, a second apart at first. */
#define TRIES 3
#define PAUSE_MS 1000

/* The jobs that came out of the pipeline, in order, each with the worst of its failure lines. */
struct outcome {
	struct ref *jobs;
	size_t count;
	enum err_code orphan; /* of failures without a job */
};

static int
note_ref(void *ctx, const struct ref *ref, struct err *e)
{
	struct outcome *o = ctx;
	size_t i = o->count;

	(void)e;
	if (ref->job == 0) {
		o->orphan = err_worse(o->orphan, ref->failure);
		return 0;
	}
	while (i > 0 && o->jobs[i - 1].job != ref->job)
		i--;
	if (i == 0) {
		o->jobs = buf_realloc(o->jobs, o->count + 1, sizeof *o->jobs);
		o->jobs[o->count++] = (struct ref){.job = ref->job, .chunk = -1};
		i = o->count;
	}
	o->jobs[i - 1].failure = err_worse(o->jobs[i - 1].failure, ref->failure);
	return 0;
}

/* The arguments that every stage gets: how much to say. */
static void
add_manner(struct option_list *arguments)
{
	static const char *const words[] = {"--quiet", NULL, "--verbose"};
	const char *word = words[log_level()];

	arguments->values = buf_realloc(arguments->values, arguments->count + 3, sizeof *arguments->values);
	if (word != NULL)
		arguments->values[arguments->count++] = buf_strdup(word);
	if (options_progress_json())
		arguments->values[arguments->count++] = buf_strdup("--progress=json");
	arguments->values[arguments->count] = NULL;
}

static void
free_arguments(struct option_list *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		free((char *)(uintptr_t)arguments->values[i]);
	free(arguments->values);
	*arguments = (struct option_list){0};
}

static struct option_list
arguments_of(const char *program, const char *jobs)
{
	struct option_list arguments = {.values = buf_calloc(2, sizeof(char *)), .count = 0};

	arguments.values[arguments.count++] = buf_strdup(program);
	if (jobs != NULL)
		arguments.values[arguments.count++] = buf_strdup(jobs);
	add_manner(&arguments);
	return arguments;
}

/* `first | csvp-split | csvp-load | csvp-index`; without `first` split has the operands. */
static int
run_stages(const struct option_list *first, const struct option_list *split, uint64_t threads, struct outcome *o,
    enum err_code *code, struct err *e)
{
	char jobs[32];
	struct option_list load, index;
	struct pipeline_stage stages[4];
	size_t count = 0;
	int result;

	snprintf(jobs, sizeof jobs, "--jobs=%" PRIu64, threads);
	load = arguments_of("csvp-load", jobs);
	index = arguments_of("csvp-index", jobs);
	if (first != NULL)
		stages[count++].argv = first->values;
	stages[count++].argv = split->values;
	stages[count++].argv = load.values;
	stages[count++].argv = index.values;
	result = pipeline_run(stages, count, note_ref, o, code, e);
	free_arguments(&load);
	free_arguments(&index);
	return result;
}

/* Split, load and index these jobs: what is done already passes through. */
static int
resume(const int64_t *ids, size_t count, uint64_t threads, struct outcome *o, enum err_code *code, struct err *e)
{
	struct option_list split = arguments_of("csvp-split", NULL);
	int result;

	split.values = buf_realloc(split.values, split.count + count + 1, sizeof *split.values);
	for (size_t i = 0; i < count; i++)
		split.values[split.count++] = buf_format("%" PRId64, ids[i]);
	split.values[split.count] = NULL;
	result = run_stages(NULL, &split, threads, o, code, e);
	free_arguments(&split);
	return result;
}

/* Does all that is to be tried again wait for a person? Where nobody can be asked, no. */
static bool
only_paused(const struct site *site, const struct outcome *o)
{
	struct err e;
	struct pg *pg = site_connect(site, &e);
	bool only = pg != NULL;

	for (size_t i = 0; only && i < o->count; i++) {
		struct job job;

		if (o->jobs[i].failure != ERR_AGAIN)
			continue;
		only = job_load(pg, o->jobs[i].job, &job, &e) == 0 && job.paused;
		job_fini(&job);
	}
	site_release(site, pg);
	return only;
}

/* What ended with "try again later" is tried again a few times. */
static int
retry(const struct site *site, struct outcome *o, uint64_t threads, enum err_code *code, struct err *e)
{
	int64_t pause = PAUSE_MS;

	for (int i = 0; i < TRIES && *code == ERR_AGAIN && o->orphan == ERR_NONE && o->count > 0 && !sig_pending() &&
			!only_paused(site, o);
	     i++) {
		int64_t *ids = buf_calloc(o->count, sizeof *ids);
		size_t count = o->count;
		int result;

		log_notice("not finished: trying again in %" PRId64 " s", pause / 1000);
		clk_sleep(clk_system(), pause);
		pause *= 2;
		for (size_t j = 0; j < count; j++) {
			ids[j] = o->jobs[j].job;
			o->jobs[j].failure = ERR_NONE;
		}
		result = resume(ids, count, threads, o, code, e);
		free(ids);
		if (result != 0)
			return -1;
	}
	return 0;
}

static int
print_object(void *ctx, const struct status *s, struct err *e)
{
	struct buf line = {0};
	int result = 0;

	(void)ctx;
	status_to_json(s, &line);
	buf_byte(&line, '\n');
	if (fwrite(line.bytes, 1, line.length, stdout) != line.length)
		result = err_set(e, ERR_IO, "stdout cannot be written");
	buf_fini(&line);
	return result;
}

/* --json: each job as csvp-status --json tells it. */
static int
print_objects(const struct site *site, const struct outcome *o, struct err *e)
{
	struct pg *pg = o->count > 0 ? site_connect(site, e) : NULL;
	int result = o->count == 0 || pg != NULL ? 0 : -1;

	for (size_t i = 0; result == 0 && i < o->count; i++)
		result = status_jobs(pg, &o->jobs[i].job, 1, print_object, NULL, e);
	pg_close(pg);
	return result;
}

/*
 * Each job's id when all of it is searchable, or its failure line; under -q (as in cron) success is silent. A reader
 * that has gone is a quiet end.
 */
static int
print_outcome(const struct outcome *o, enum err_code code, struct err *e)
{
	const struct ref orphan = {.chunk = -1, .failure = o->orphan};
	bool closed = false;
	int result = 0;

	if (code == ERR_NONE && log_level() == LOG_QUIET)
		return 0;
	for (size_t i = 0; result == 0 && i < o->count; i++)
		result = refs_print(&o->jobs[i], &closed, e);
	if (result == 0 && o->orphan != ERR_NONE)
		result = refs_print(&orphan, &closed, e);
	return closed ? 0 : result;
}

/* What is asked for, besides the options that csvp-upload gets. */
struct request {
	struct upload_settings settings;
	struct option upload[UPLOAD_OPTIONS_COUNT + 1]; /* rows over settings */
	uint64_t threads;
	bool resuming, dry_run, json, workers, enqueue;
};

/* The arguments of csvp-upload for these files. */
static struct option_list
upload_arguments(const struct request *r, char **files, size_t count)
{
	struct option_list upload = {.values = buf_calloc(1, sizeof(char *)), .count = 0};

	upload.values[upload.count++] = buf_strdup("csvp-upload");
	options_arguments(r->upload, &upload);
	add_manner(&upload);
	upload.values = buf_realloc(upload.values, upload.count + count + 4, sizeof *upload.values);
	if (r->dry_run)
		upload.values[upload.count++] = buf_strdup("--dry-run");
	if (r->enqueue)
		upload.values[upload.count++] = buf_strdup("--enqueue");
	upload.values[upload.count++] = buf_strdup("--");
	for (size_t i = 0; i < count; i++)
		upload.values[upload.count++] = buf_strdup(files[i]);
	upload.values[upload.count] = NULL;
	return upload;
}

static int
run_files(const struct request *r, char **files, size_t count, struct outcome *o, enum err_code *code, struct err *e)
{
	struct option_list upload = upload_arguments(r, files, count);
	struct option_list split = arguments_of("csvp-split", NULL);
	int result = run_stages(&upload, &split, r->threads, o, code, e);

	free_arguments(&upload);
	free_arguments(&split);
	return result;
}

/* --dry-run, --enqueue: only the upload has something to say. */
static int
become_upload(const struct request *r, char **files, size_t count, struct err *e)
{
	struct option_list upload = upload_arguments(r, files, count);
	int result = pipeline_become(upload.values, e);

	free_arguments(&upload);
	return result;
}

/* --resume: the jobs named, or all that are not at their end. */
static int
run_resume(const struct site *site, char **operands, size_t count, uint64_t threads, struct outcome *o,
    enum err_code *code, struct err *e)
{
	int64_t *ids = NULL;
	size_t id_count = 0;
	int result = 0;

	if (count == 0) {
		struct pg *pg = site_connect(site, e);

		result = pg != NULL && finalise_cancelled(pg, e) == 0 ? status_unfinished(pg, &ids, &id_count, e) : -1;
		pg_close(pg);
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct ref ref;

		result = refs_parse(operands[i], &ref, e);
		if (result == 0 && (ref.chunk >= 0 || ref.failure != ERR_NONE))
			result = err_set(e, ERR_USAGE, "--resume takes jobs, not '%s'", operands[i]);
		ids = buf_realloc(ids, id_count + 1, sizeof *ids);
		ids[id_count++] = ref.job;
	}
	if (result == 0 && id_count > 0)
		result = resume(ids, id_count, threads, o, code, e);
	free(ids);
	return result;
}

/* --workers: does not end but by a signal. */
static int
run_workers(const struct request *r, const struct site *site, struct err *e)
{
	struct option_list manner = {.values = buf_calloc(1, sizeof(char *)), .count = 0};
	int result;

	add_manner(&manner);
	result = crew_run(site, r->threads, manner.values, e);
	free_arguments(&manner);
	return result;
}

static int
check_request(const struct request *r, char **operands, size_t count, struct err *e)
{
	struct reading reading;
	int result;

	if (r->threads < 1 || r->threads > 64)
		return err_set(e, ERR_USAGE, "--jobs must be from 1 to 64");
	if (r->workers && count > 0)
		return err_set(
		    e, ERR_USAGE, "--workers takes no files: work comes by the queue; hint: csvp-upload --enqueue");
	if (r->workers || r->resuming)
		return 0;
	if (count == 0)
		return err_set(e, ERR_USAGE, "no file given; hint: --help, or `-` for stdin");
	reading_init(&reading);
	result = upload_options_check(&r->settings, operands, count, &reading, e);
	reading_fini(&reading);
	return result;
}

static int
run(const struct request *r, char **operands, size_t count, struct site *site, enum err_code *code, struct err *e)
{
	struct outcome o = {0};
	int result;

	if (r->workers)
		result = run_workers(r, site, e);
	else if (r->resuming)
		result = run_resume(site, operands, count, r->threads, &o, code, e);
	else
		result = run_files(r, operands, count, &o, code, e);
	if (result == 0)
		result = retry(site, &o, r->threads, code, e);
	if (result == 0 && r->json)
		result = print_objects(site, &o, e);
	else if (result == 0)
		result = print_outcome(&o, *code, e);
	free(o.jobs);
	return result;
}

/* What no stage could open is said once, here, for all of them. */
static int
run_site(const struct request *r, char **operands, size_t count, enum err_code *code, struct err *e)
{
	struct site *site = site_open(e);
	int result;

	if (site == NULL) {
		const struct outcome o = {.orphan = e->code};
		struct err ignored;

		if (!r->json && !r->workers && print_outcome(&o, e->code, &ignored) != 0)
			log_detail("%s", ignored.message);
		return -1;
	}
	result = run(r, operands, count, site, code, e);
	site_close(site);
	return result;
}

int
main(int argc, char **argv)
{
	struct request r = {.threads = (uint64_t)stage_threads()};
	const struct option own[] = {
	    {"jobs", 'j', "N", OPTION_COUNT, &r.threads, "chunks to load and index at a time (default: the cores)"},
	    {"resume", 0, NULL, OPTION_FLAG, &r.resuming, "go on with JOBs, or with all that are not at their end"},
	    {"workers", 0, NULL, OPTION_FLAG, &r.workers, "keep workers of all stages running, until a signal"},
	    {"enqueue", 0, NULL, OPTION_FLAG, &r.enqueue, "only upload, and leave the rest to the workers"},
	    {"dry-run", 'n', NULL, OPTION_FLAG, &r.dry_run, "store nothing; print what would be loaded"},
	    {"json", 0, NULL, OPTION_FLAG, &r.json, "print each job as csvp-status --json does, instead of its id"},
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	struct option options[UPLOAD_OPTIONS_COUNT + sizeof own / sizeof *own];
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_SEARCH_URL", "CSVP_HOME",
	    "CSVP_SCHEMA", "CSVP_AUTOSTART", "CSVP_QUEUE_URL", "CSVP_VISIBILITY", "CSVP_LOAD_RATE", "CSVP_INDEX_RATE",
	    "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-run",
	    "[-d DATASET] [-k COL]... FILE...|- | --resume [JOB...] | --workers",
	    "Upload, split, load and index CSV files: the pipeline in one word.", options, environment};
	enum err_code code = ERR_NONE;
	struct err e = {0};
	char **operands;
	size_t count;

	upload_options_init(&r.settings, r.upload);
	memcpy(options, r.upload, UPLOAD_OPTIONS_COUNT * sizeof *options);
	memcpy(options + UPLOAD_OPTIONS_COUNT, own, sizeof own);
	if (options_parse(&program, argc, argv, &operands, &count, &e) == 0 &&
	    check_request(&r, operands, count, &e) == 0) {
		bool upload_only = !r.workers && !r.resuming && (r.dry_run || r.enqueue);

		if ((upload_only ? become_upload(&r, operands, count, &e) : run_site(&r, operands, count, &code, &e)) ==
		    0)
			e = (struct err){.code = code};
	}
	return options_exit(&e);
}
