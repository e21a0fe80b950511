#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/refs.h"
#include "flow/site.h"
#include "flow/stage.h"
#include "flow/upload.h"
#include "flow/upload_options.h"
#include "schema/names.h"
#include "table/reading.h"

#include "dry_run.h"

/* What is printed, besides what is uploaded. */
struct settings {
	struct upload_settings upload;
	bool dry_run, json, enqueue;
};

static int
print_result(const struct settings *s, const struct upload_result *result, bool *closed, struct err *e)
{
	char *line;
	ssize_t written;

	if (!s->json)
		return refs_print(&(struct ref){.job = result->job, .chunk = -1}, closed, e);
	line = buf_format("{\"id\":%" PRId64 ",\"reused\":%s,\"bytes\":%" PRIu64 ",\"sha256\":\"%s\"}\n", result->job,
	    result->reused ? "true" : "false", result->bytes, result->sha256);
	written = write(STDOUT_FILENO, line, strlen(line));
	free(line);
	*closed = written < 0 && errno == EPIPE;
	return written < 0 ? err_set(e, ERR_IO, "cannot write standard output: %s", strerror(errno)) : 0;
}

/* One file; a failure is printed, handed on as a failure line, and does not stop the next file. */
static enum err_code
upload_one(const struct site *site, const struct settings *s, struct upload *u, bool *closed)
{
	struct progress *progress = NULL;
	struct upload_result result;
	struct err e = {0};
	char *name = NULL;
	int status = upload_check_name(u->path, &e);

	if (u->dataset == NULL)
		u->dataset = name = names_dataset(u->path);
	if (status != 0) {
		result.job = 0;
	} else if (s->dry_run) {
		status = dry_run(site, u, &e);
	} else {
		progress = progress_new("upload");
		status = upload_file(site, u, progress, &result, &e);
		progress_free(progress);
		if (status == 0 && s->enqueue && (status = upload_enqueue(site, &result, &e)) != 0)
			err_prefix(&e, "job %lld is stored, but the workers are not told", (long long)result.job);
		if (status == 0)
			status = print_result(s, &result, closed, &e);
	}
	free(name);
	if (status == 0)
		return ERR_NONE;
	if (*closed)
		return ERR_AGAIN;
	if (!sig_pending() && e.message[0] != '\0')
		log_error("%s", e.message);
	if (!s->dry_run && !s->json) {
		/* A job that failed by its rejects is known by its id. */
		struct err ignored;
		struct ref line = {.job = result.job, .chunk = -1, .failure = e.code};

		if (refs_print(&line, closed, &ignored) != 0)
			log_detail("%s", ignored.message);
	}
	return e.code;
}

static int
upload_all(const struct settings *s, char **files, size_t count, bool *began, struct err *e)
{
	struct site *site = NULL;
	struct reading reading;
	struct upload upload = {
	    .dataset = s->upload.dataset,
	    .existing = s->upload.existing,
	    .key = s->upload.keys.values,
	    .key_count = s->upload.keys.count,
	    .reading = &reading,
	    .max_rejects = s->upload.max_rejects,
	    .fail_fast = s->upload.fail_fast,
	    .force = s->upload.force,
	};
	enum err_code worst = ERR_NONE;
	bool closed = false;
	int result = -1;

	reading_init(&reading);
	if (upload_options_check(&s->upload, files, count, &reading, e) != 0)
		goto done;
	site = site_open(e);
	if (site == NULL)
		goto done;
	*began = true;
	for (size_t i = 0; i < count && !closed && !sig_pending(); i++) {
		upload.path = files[i];
		worst = err_worse(worst, upload_one(site, s, &upload, &closed));
		upload.dataset = s->upload.dataset;
	}
	if (sig_check(e) == 0)
		*e = (struct err){.code = worst};
	else
		e->message[0] = '\0';
	result = e->code == ERR_NONE ? 0 : -1;

done:
	site_close(site);
	reading_fini(&reading);
	return result;
}

int
main(int argc, char **argv)
{
	struct settings s = {.dry_run = false};
	struct option options[UPLOAD_OPTIONS_COUNT + 4] = {{0}};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_SCHEMA",
	    "CSVP_AUTOSTART", "CSVP_QUEUE_URL", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-upload", "[-d DATASET] [-k COL]... [FILE...|-]",
	    "Store CSV files for ever and open a job for each.", options, environment};
	struct err e = {0};
	char **files;
	char *standard_input[] = {(char[]){"-"}, NULL};
	size_t count;
	bool began = false;

	upload_options_init(&s.upload, options);
	options[UPLOAD_OPTIONS_COUNT] =
	    (struct option){"dry-run", 'n', NULL, OPTION_FLAG, &s.dry_run, "store nothing; print what would be loaded"};
	options[UPLOAD_OPTIONS_COUNT + 1] =
	    (struct option){"json", 0, NULL, OPTION_FLAG, &s.json, "print an object a file instead of the job's id"};
	options[UPLOAD_OPTIONS_COUNT + 2] =
	    (struct option){"enqueue", 0, NULL, OPTION_FLAG, &s.enqueue, "hand on to the workers by queue, too"};
	if (options_parse(&program, argc, argv, &files, &count, &e) == 0) {
		if (count == 0 && isatty(STDIN_FILENO))
			err_set(&e, ERR_USAGE, "no file given, and stdin is a terminal; hint: --help");
		else if (upload_all(&s, count > 0 ? files : standard_input, count > 0 ? count : 1, &began, &e) != 0 &&
			 e.code == ERR_NONE)
			e.code = ERR_BUG;
	}
	return began || s.dry_run || s.json ? options_exit(&e) : stage_refuse(&e);
}
