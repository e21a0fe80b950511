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
#include "flow/upload.h"
#include "ledger/job.h"
#include "schema/names.h"
#include "table/reading.h"

#include "dry_run.h"

/* What the options say, before it is put into struct upload. */
struct settings {
	const char *dataset, *encoding, *max_rejects, *missing;
	struct option_list keys, types, nulls, nulls_in;
	bool existing, no_header, pad, truncate, add_columns, fail_fast, force, dry_run, json;
	uint64_t skip_lines, max_record;
	struct dialect dialect;
};

static int
fill_reading(const struct settings *s, struct reading *r, struct err *e)
{
	r->dialect = s->dialect;
	r->dialect.header = !s->no_header;
	r->dialect.skip_lines = (uint32_t)s->skip_lines;
	r->dialect.max_record = (uint32_t)s->max_record;
	r->pad = s->pad;
	r->truncate = s->truncate;
	r->add_columns = s->add_columns;
	r->missing_null = s->missing != NULL;
	if (s->skip_lines > UINT32_MAX)
		return err_set(e, ERR_USAGE, "--skip-lines %" PRIu64 " is more than a file has", s->skip_lines);
	if (s->max_record < 1 || s->max_record > (1u << 30))
		return err_set(e, ERR_USAGE, "--max-record must be from 1 byte to 1G");
	if (s->missing != NULL && strcmp(s->missing, "null") != 0)
		return err_set(e, ERR_USAGE, "--missing '%s': the only word is null", s->missing);
	if (s->encoding != NULL)
		r->encoding = buf_strdup(s->encoding);
	for (size_t i = 0; i < s->nulls.count; i++)
		reading_add_null(r, s->nulls.values[i]);
	for (size_t i = 0; i < s->nulls_in.count; i++)
		if (reading_add_pair(&r->nulls_in, &r->null_in_count, "null-in", s->nulls_in.values[i], e) != 0)
			return -1;
	for (size_t i = 0; i < s->types.count; i++)
		if (reading_add_pair(&r->types, &r->type_count, "type", s->types.values[i], e) != 0)
			return -1;
	return 0;
}

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
	if (written < 0) {
		*closed = true;
		return err_set(e, ERR_IO, "stdout cannot be written");
	}
	return 0;
}

/* One file; a failure is printed, handed on as a failure line, and does not stop the next file. */
static enum err_code
upload_one(const struct site *site, const struct settings *s, struct upload *u, bool *closed)
{
	struct progress *progress = NULL;
	struct upload_result result;
	struct err e = {0};
	char *name = NULL;
	int status;

	if (u->dataset == NULL)
		u->dataset = name = names_dataset(u->path);
	if (s->dry_run) {
		status = dry_run(site, u, &e);
	} else {
		progress = progress_new("upload");
		status = upload_file(site, u, progress, &result, &e);
		progress_free(progress);
		if (status == 0)
			status = print_result(s, &result, closed, &e);
	}
	free(name);
	if (status == 0)
		return ERR_NONE;
	if (*closed)
		return ERR_AGAIN;
	if (!sig_pending())
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
upload_all(const struct settings *s, char **files, size_t count, struct err *e)
{
	struct site *site = NULL;
	struct reading reading;
	struct upload upload = {
	    .dataset = s->dataset,
	    .existing = s->existing,
	    .key = s->keys.values,
	    .key_count = s->keys.count,
	    .reading = &reading,
	    .max_rejects = s->max_rejects,
	    .fail_fast = s->fail_fast,
	    .force = s->force,
	};
	enum err_code worst = ERR_NONE;
	bool closed = false;
	int result = -1;

	reading_init(&reading);
	if (s->dataset == NULL && (count != 1 || strcmp(files[0], "-") == 0)) {
		err_set(e, ERR_USAGE, "%s needs -d DATASET", count == 1 ? "stdin" : "more than one file");
		goto done;
	}
	if (s->dataset != NULL && s->dataset[0] == '\0') {
		err_set(e, ERR_USAGE, "the dataset's name is empty");
		goto done;
	}
	if ((s->max_rejects != NULL && job_check_limit(s->max_rejects, e) != 0) || fill_reading(s, &reading, e) != 0)
		goto done;
	site = site_open(e);
	if (site == NULL)
		goto done;
	for (size_t i = 0; i < count && !closed && !sig_pending(); i++) {
		upload.path = files[i];
		worst = err_worse(worst, upload_one(site, s, &upload, &closed));
		upload.dataset = s->dataset;
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
	struct settings s = {.dialect = dialect_default(), .max_record = DIALECT_MAX_RECORD};
	const struct option options[] = {
	    {"dataset", 'd', "DATASET", OPTION_STRING, &s.dataset, "dataset to load into (default: the file's name)"},
	    {"existing", 0, NULL, OPTION_FLAG, &s.existing, "the dataset must exist already"},
	    {"key", 'k', "COL", OPTION_LIST, &s.keys, "key column; repeat for a key of several (default: records are appended)"},
	    {"type", 0, "COL=TYPE", OPTION_LIST, &s.types, "type of a column, instead of the inferred one"},
	    {"delimiter", 0, "CHAR", OPTION_CHAR, &s.dialect.delimiter, "between fields (default: ,)"},
	    {"quote", 0, "CHAR", OPTION_CHAR, &s.dialect.quote, "around fields (default: \"; none: no quoting)"},
	    {"escape", 0, "CHAR", OPTION_CHAR, &s.dialect.escape, "before a quote (default: none, quotes are doubled)"},
	    {"comment", 0, "CHAR", OPTION_CHAR, &s.dialect.comment, "pass over records that begin with it"},
	    {"skip-lines", 0, "N", OPTION_COUNT, &s.skip_lines, "pass over the first N lines"},
	    {"no-header", 0, NULL, OPTION_FLAG, &s.no_header, "the first record is data; columns are column_1, ..."},
	    {"null", 0, "STR", OPTION_LIST, &s.nulls, "a spelling of NULL, besides the unquoted empty field"},
	    {"null-in", 0, "COL=STR", OPTION_LIST, &s.nulls_in, "a spelling of NULL in one column"},
	    {"encoding", 0, "NAME", OPTION_STRING, &s.encoding, "of the file, as iconv knows it (default: UTF-8)"},
	    {"pad", 0, NULL, OPTION_FLAG, &s.pad, "fill short records with NULL"},
	    {"truncate", 0, NULL, OPTION_FLAG, &s.truncate, "drop fields beyond the header"},
	    {"max-record", 0, "BYTES", OPTION_BYTES, &s.max_record, "longest record (default: 16M)"},
	    {"add-columns", 0, NULL, OPTION_FLAG, &s.add_columns, "add unknown columns to the dataset"},
	    {"missing", 0, "null", OPTION_STRING, &s.missing, "columns the file lacks become NULL"},
	    {"max-rejects", 0, "N|N%", OPTION_STRING, &s.max_rejects, "rejects that may be (default: 0)"},
	    {"fail-fast", 0, NULL, OPTION_FLAG, &s.fail_fast, "begin no chunk once over that limit"},
	    {"force", 0, NULL, OPTION_FLAG, &s.force, "make a new job even for bytes csvp has"},
	    {"dry-run", 'n', NULL, OPTION_FLAG, &s.dry_run, "store nothing; print what would be loaded"},
	    {"json", 0, NULL, OPTION_FLAG, &s.json, "print an object a file instead of the job's id"},
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_SCHEMA", "CSVP_AUTOSTART",
	    "CSVP_CONFIG", NULL};
	const struct program program = {
	    "csvp-upload", "[-d DATASET] [-k COL]... [FILE...|-]", "Store CSV files for ever and open a job for each.", options, environment};
	struct err e = {0};
	char **files;
	char *standard_input[] = {(char[]){"-"}, NULL};
	size_t count;

	if (options_parse(&program, argc, argv, &files, &count, &e) == 0) {
		if (count == 0 && isatty(STDIN_FILENO))
			err_set(&e, ERR_USAGE, "no file given, and stdin is a terminal; hint: --help");
		else if (upload_all(&s, count > 0 ? files : standard_input, count > 0 ? count : 1, &e) != 0 && e.code == ERR_NONE)
			e.code = ERR_BUG;
	}
	return options_exit(&e);
}
