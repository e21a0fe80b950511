#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/rejects.h"
#include "flow/site.h"

#include "follow.h"
#include "view.h"

struct request {
	bool json, watch, wait, chunks, rejects;
	int64_t timeout; /* ms; 0: none */
	int64_t *ids;
	size_t count;
};

/* Operands, or the lines of stdin for a `-`. Chunk references stand for their jobs. */
static int
add_ref(struct request *r, const char *text, struct err *e)
{
	struct ref ref;

	if (refs_parse(text, &ref, e) != 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		if (r->ids[i] == ref.job)
			return 0;
	if (ref.job == 0)
		return 0;
	r->ids = buf_realloc(r->ids, r->count + 1, sizeof *r->ids);
	r->ids[r->count++] = ref.job;
	return 0;
}

static int
add_stdin(struct request *r, struct err *e)
{
	struct refs_reader *reader = refs_open(STDIN_FILENO);
	char *line;
	int got;

	while ((got = refs_next(reader, &line, e)) == 1)
		if (add_ref(r, line, e) != 0) {
			got = -1;
			break;
		}
	refs_close(reader);
	return got;
}

static int
write_out(void *ctx, const char *bytes, size_t length, struct err *e)
{
	(void)ctx;
	if (fwrite(bytes, 1, length, stdout) != length)
		return err_set(e, ERR_IO, "stdout cannot be written");
	return 0;
}

static int
run(const struct request *r, enum err_code *code, struct err *e)
{
	const struct view_wish wish = {r->ids, r->count, r->json, r->chunks};
	struct site *site = site_open(e);
	struct pg *pg = site != NULL ? site_connect(site, e) : NULL;
	enum err_code seen = ERR_NONE;
	int result = pg != NULL ? 0 : -1;

	if (result == 0 && r->watch)
		result = follow_watch(pg, &wish, r->timeout, &seen, e);
	else if (result == 0 && r->wait)
		result = follow_wait(pg, &wish, r->timeout, &seen, e);
	if (result == 0 && r->rejects)
		result = rejects_export(site, r->ids[0], write_out, NULL, e);
	else if (result == 0 && !r->watch)
		result = follow_once(pg, &wish, e);
	if (result == 0 && r->wait)
		*code = seen;
	pg_close(pg);
	site_close(site);
	return result;
}

int
main(int argc, char **argv)
{
	struct request r = {.timeout = 0};
	const struct option options[] = {
	    {"json", 0, NULL, OPTION_FLAG, &r.json, "one JSON object a line"},
	    {"watch", 0, NULL, OPTION_FLAG, &r.watch, "draw again as things change, until the JOBs are at their end"},
	    {"wait", 0, NULL, OPTION_FLAG, &r.wait, "wait until the JOBs are at their end; exit as they did"},
	    {"timeout", 0, "S", OPTION_MS, &r.timeout, "with --wait: at most this long, then exit 75"},
	    {"chunks", 0, NULL, OPTION_FLAG, &r.chunks, "the chunks of the JOBs"},
	    {"rejects", 0, NULL, OPTION_FLAG, &r.rejects, "the rejected records of one JOB, as CSV"},
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	static const char *const environment[] = {
	    "CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_HOME", "CSVP_AUTOSTART", "CSVP_CONFIG", NULL};
	const struct program program = {
	    "csvp-status", "[JOB...|-]", "Show jobs: their state, progress and books.", options, environment};
	enum err_code code = ERR_NONE;
	struct err e = {0};
	char **operands;
	size_t count;
	int result;

	result = options_parse(&program, argc, argv, &operands, &count, &e);
	for (size_t i = 0; result == 0 && i < count; i++)
		result = strcmp(operands[i], "-") == 0 ? add_stdin(&r, &e) : add_ref(&r, operands[i], &e);
	if (result == 0 && (r.wait || r.chunks || r.rejects) && r.count == 0)
		result = err_set(&e, ERR_USAGE, "--%s needs a JOB", r.wait ? "wait" : r.chunks ? "chunks" : "rejects");
	if (result == 0 && r.rejects && (r.watch || r.chunks || r.json))
		result = err_set(&e, ERR_USAGE, "--rejects prints CSV, and once: not with --watch, --chunks or --json");
	if (result == 0 && r.rejects && r.count != 1)
		result = err_set(&e, ERR_USAGE, "--rejects takes one JOB: each has columns of its own");
	if (result == 0 && r.timeout > 0 && !r.wait)
		result = err_set(&e, ERR_USAGE, "--timeout goes with --wait");
	/* No job came in by the pipe: nothing to show. */
	if (result == 0 && !(count > 0 && r.count == 0))
		result = run(&r, &code, &e);
	free(r.ids);
	if (result == 0)
		e = (struct err){.code = code};
	return options_exit(&e);
}
