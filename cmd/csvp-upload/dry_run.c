#include "dry_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/grid.h"
#include "flow/preview.h"
#include "flow/upload.h"
#include "schema/shape.h"

static const char *
note(const struct preview *p, size_t column)
{
	for (size_t i = 0; i < p->shape.key_count; i++)
		if (p->shape.key[i] == column)
			return "key";
	return p->shape.columns[column].undecided ? "no value yet" : "";
}

int
dry_run(const struct site *site, const struct upload *u, struct err *e)
{
	static const char *const headers[] = {"header", "column", "type", ""};
	static const bool right[] = {false, false, false, false};
	struct preview p;
	struct grid *grid;

	if (preview_file(site, u, &p, e) != 0)
		return -1;
	printf("%s -> %s (%s): %" PRIu64 " records, %" PRIu64 " blank lines, %" PRIu64 " bytes%s\n", u->path,
	    u->dataset, p.is_new ? "new" : "existing", p.records, p.blank_lines, p.bytes,
	    p.shape.key_count == 0 ? ", appended"
	    : p.unique_keys        ? ", keys unique"
				   : ", keys not proven unique");
	grid = grid_new(headers, right, 4);
	for (size_t i = 0; i < p.shape.count; i++) {
		const struct column *c = &p.shape.columns[i];

		grid_row(grid, (const char *const[]){c->header, c->name, type_sql(c->type), note(&p, i)});
	}
	grid_print(grid);
	grid_free(grid);
	preview_fini(&p);
	return 0;
}
