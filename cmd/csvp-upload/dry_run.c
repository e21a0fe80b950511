#include "dry_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/grid.h"
#include "flow/preview.h"
#include "flow/upload.h"
#include "ledger/job.h"
#include "schema/shape.h"
#include "table/reading.h"

static const char *
note(const struct preview *p, size_t column)
{
	if (shape_in_key(&p->shape, column))
		return "key";
	return p->shape.columns[column].undecided ? "no value yet" : "";
}

static void
print_columns(const struct preview *p)
{
	static const char *const headers[] = {"header", "column", "type", ""};
	static const bool right[] = {false, false, false, false};
	struct grid *grid = grid_new(headers, right, 4);

	for (size_t i = 0; i < p->shape.count; i++) {
		const struct column *c = &p->shape.columns[i];

		grid_row(grid, (const char *const[]){c->header, c->name, type_sql(c->type), note(p, i)});
	}
	grid_print(grid);
	grid_free(grid);
}

static void
print_rejects(const struct preview *p)
{
	static const char *const headers[] = {"line", "byte", "column", "code", "reason"};
	static const bool right[] = {true, true, false, false, false};
	struct grid *grid = grid_new(headers, right, 5);

	for (size_t i = 0; i < p->rejects.count; i++) {
		const struct reject *r = &p->rejects.rejects[i];
		char line[24], byte[24];

		snprintf(line, sizeof line, "%" PRIu64, r->line);
		snprintf(byte, sizeof byte, "%" PRIu64, r->byte);
		grid_row(grid, (const char *const[]){line, byte, r->header, r->code, r->reason});
	}
	printf("\n");
	grid_print(grid);
	grid_free(grid);
	if (p->rejected > p->rejects.count)
		printf("... and %" PRIu64 " more\n", p->rejected - p->rejects.count);
}

/* What csvp-load would say of them, and its exit status. */
static int
judge(const struct upload *u, const struct preview *p, struct err *e)
{
	const char *limit = u->max_rejects != NULL ? u->max_rejects : "0";
	const struct reject *first = p->rejects.rejects;
	struct reject_summary summary = {
	    .file = u->path,
	    .rejected = p->rejected,
	    .records = p->records,
	    .limit = limit,
	    .over = job_over_limit(limit, p->rejected, p->records),
	    .utf8 = u->reading->encoding == NULL,
	    .line = first->line,
	    .byte = first->byte,
	    .header = first->header,
	    .code = first->code,
	    .reason = first->reason,
	};
	struct buf words = {0};

	reject_words(&words, &summary);
	if (summary.over) {
		err_set(e, ERR_DATA, "%s", words.bytes);
	} else {
		log_notice("%s", words.bytes);
		*e = (struct err){.code = ERR_REJECTS};
	}
	buf_fini(&words);
	return -1;
}

int
dry_run(const struct site *site, const struct upload *u, struct err *e)
{
	struct preview p;
	int result = 0;

	if (preview_file(site, u, &p, e) != 0)
		return -1;
	printf("%s -> %s (%s): %" PRIu64 " records, ", u->path, u->dataset, p.is_new ? "new" : "existing", p.records);
	if (p.rejected > 0)
		printf("%" PRIu64 " rejected, ", p.rejected);
	printf("%" PRIu64 " blank lines, %" PRIu64 " bytes%s\n", p.blank_lines, p.bytes,
	    p.shape.key_count == 0 ? ", appended"
	    : p.unique_keys        ? ", keys unique"
				   : ", keys not proven unique");
	print_columns(&p);
	if (p.rejected > 0) {
		print_rejects(&p);
		result = judge(u, &p, e);
	}
	preview_fini(&p);
	return result;
}
