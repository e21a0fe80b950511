#include "flow/upload_options.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/utf8.h"
#include "ledger/job.h"
#include "schema/type.h"
#include "table/reading.h"

void
upload_options_init(struct upload_settings *s, struct option *options)
{
	const struct option rows[UPLOAD_OPTIONS_COUNT] = {
	    {"dataset", 'd', "DATASET", OPTION_STRING, &s->dataset, "dataset to load into (default: the file's name)"},
	    {"existing", 0, NULL, OPTION_FLAG, &s->existing, "the dataset must exist already"},
	    {"key", 'k', "COL", OPTION_LIST, &s->keys,
		"key column; repeat for a key of several (default: records are appended)"},
	    {"type", 0, "COL=TYPE", OPTION_LIST, &s->types, "type of a column, instead of the inferred one"},
	    {"delimiter", 0, "CHAR", OPTION_CHAR, &s->dialect.delimiter, "between fields (default: ,)"},
	    {"quote", 0, "CHAR", OPTION_CHAR, &s->dialect.quote, "around fields (default: \"; none: no quoting)"},
	    {"escape", 0, "CHAR", OPTION_CHAR, &s->dialect.escape,
		"before a quote (default: none, quotes are doubled)"},
	    {"comment", 0, "CHAR", OPTION_CHAR, &s->dialect.comment, "pass over records that begin with it"},
	    {"skip-lines", 0, "N", OPTION_COUNT, &s->skip_lines, "pass over the first N lines"},
	    {"no-header", 0, NULL, OPTION_FLAG, &s->no_header, "the first record is data; columns are column_1, ..."},
	    {"null", 0, "STR", OPTION_LIST, &s->nulls, "a spelling of NULL, besides the unquoted empty field"},
	    {"null-in", 0, "COL=STR", OPTION_LIST, &s->nulls_in, "a spelling of NULL in one column"},
	    {"encoding", 0, "NAME", OPTION_STRING, &s->encoding, "of the file, as iconv knows it (default: UTF-8)"},
	    {"pad", 0, NULL, OPTION_FLAG, &s->pad, "fill short records with NULL"},
	    {"truncate", 0, NULL, OPTION_FLAG, &s->truncate, "drop fields beyond the header"},
	    {"max-record", 0, "BYTES", OPTION_BYTES, &s->max_record, "longest record (default: 16M)"},
	    {"add-columns", 0, NULL, OPTION_FLAG, &s->add_columns, "add unknown columns to the dataset"},
	    {"missing", 0, "null", OPTION_STRING, &s->missing, "columns the file lacks become NULL"},
	    {"max-rejects", 0, "N|N%", OPTION_STRING, &s->max_rejects, "rejects that may be (default: 0)"},
	    {"fail-fast", 0, NULL, OPTION_FLAG, &s->fail_fast, "begin no chunk once over that limit"},
	    {"force", 0, NULL, OPTION_FLAG, &s->force, "make a new job even for bytes csvp has"},
	};

	*s = (struct upload_settings){.dialect = dialect_default(), .max_record = DIALECT_MAX_RECORD};
	memcpy(options, rows, sizeof rows);
}

static int
check_words(const struct upload_settings *s, char *const *files, size_t count, struct err *e)
{
	if (s->dataset == NULL && (count != 1 || strcmp(files[0], "-") == 0))
		return err_set(e, ERR_USAGE, "%s needs -d DATASET", count == 1 ? "stdin" : "more than one file");
	if (s->dataset != NULL && s->dataset[0] == '\0')
		return err_set(e, ERR_USAGE, "the dataset's name is empty");
	if (s->dataset != NULL && utf8_flaw(s->dataset, strlen(s->dataset)) < strlen(s->dataset))
		return err_set(e, ERR_USAGE, "the dataset's name is not UTF-8");
	for (size_t i = 0; i < count; i++)
		if (files[i][0] == '\0')
			return err_set(e, ERR_USAGE, "the name of file %zu is empty", i + 1);
	if (s->max_rejects != NULL && job_check_limit(s->max_rejects, e) != 0)
		return -1;
	if (s->missing != NULL && strcmp(s->missing, "null") != 0)
		return err_set(e, ERR_USAGE, "--missing '%s': the only word is null", s->missing);
	if (s->skip_lines > UINT32_MAX)
		return err_set(e, ERR_USAGE, "--skip-lines %" PRIu64 " is more than a file has", s->skip_lines);
	if (s->max_record > UINT32_MAX)
		return err_set(e, ERR_USAGE, "--max-record %" PRIu64 " is more than the 1G that can be", s->max_record);
	return 0;
}

int
upload_check_name(const char *path, struct err *e)
{
	struct buf name = {0};
	int result = 0;

	if (utf8_flaw(path, strlen(path)) < strlen(path)) {
		for (const char *p = path; *p != '\0'; p++)
			buf_printf(&name, (unsigned char)*p < 0x80 ? "%c" : "\\x%02x", (unsigned char)*p);
		result = err_set(e, ERR_DATA,
		    "%s: the file's name is not UTF-8; hint: rename it, or csvp-upload -d DATASET - <FILE", name.bytes);
		buf_fini(&name);
	}
	return result;
}

int
upload_options_check(
    const struct upload_settings *s, char *const *files, size_t count, struct reading *r, struct err *e)
{
	if (check_words(s, files, count, e) != 0)
		return -1;
	r->dialect = s->dialect;
	r->dialect.header = !s->no_header;
	r->dialect.skip_lines = (uint32_t)s->skip_lines;
	r->dialect.max_record = (uint32_t)s->max_record;
	if (dialect_check(&r->dialect, e) != 0)
		return -1;
	r->pad = s->pad;
	r->truncate = s->truncate;
	r->add_columns = s->add_columns;
	r->missing_null = s->missing != NULL;
	if (s->encoding != NULL)
		r->encoding = buf_strdup(s->encoding);
	for (size_t i = 0; i < s->nulls.count; i++)
		reading_add_null(r, s->nulls.values[i]);
	for (size_t i = 0; i < s->nulls_in.count; i++)
		if (reading_add_pair(&r->nulls_in, &r->null_in_count, "null-in", s->nulls_in.values[i], e) != 0)
			return -1;
	for (size_t i = 0; i < s->types.count; i++) {
		enum type_id type;

		if (reading_add_pair(&r->types, &r->type_count, "type", s->types.values[i], e) != 0)
			return -1;
		/* Before anything is stored: a job with such an option could never be split. */
		if (!type_parse(r->types[i].value, &type))
			return err_set(e, ERR_USAGE,
			    "--type %s: unknown type; hint: bigint, numeric, boolean, date, timestamp, timestamptz or "
			    "text",
			    s->types.values[i]);
	}
	return 0;
}
