#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "cli/options.h"
#include "cli/refs.h"
#include "db/pg.h"
#include "flow/rejects.h"
#include "flow/site.h"
#include "flow/status.h"

#include "print.h"

/* How often --wait looks and --watch draws, in milliseconds. */
#define LOOK_MS 100
#define DRAW_MS 500

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

/* Are all of them at their end? Keeps the worst verdict. */
struct waiting {
	bool all;
	enum err_code worst;
};

static int
look(void *ctx, const struct status *s, struct err *e)
{
	struct waiting *w = ctx;

	(void)e;
	if (s->verdict == ERR_AGAIN)
		w->all = false;
	w->worst = err_worse(w->worst, s->verdict);
	return 0;
}

static int
wait_for(struct pg *pg, const struct request *r, enum err_code *code, struct err *e)
{
	int64_t began = clk_now(clk_system());

	for (;;) {
		struct waiting w = {.all = true};

		if (sig_check(e) != 0 || status_jobs(pg, r->ids, r->count, look, &w, e) != 0)
			return -1;
		if (w.all) {
			*code = w.worst;
			return 0;
		}
		if (r->timeout > 0 && clk_now(clk_system()) - began >= r->timeout)
			return err_set(e, ERR_AGAIN, "not at its end after %" PRId64 " ms", r->timeout);
		clk_sleep(clk_system(), LOOK_MS);
	}
}

static int
print_once(struct pg *pg, const struct request *r, struct err *e)
{
	if (r->json)
		return print_json(pg, r->ids, r->count, e);
	return print_table(pg, r->ids, r->count, e);
}

/* Draw the table over itself until a signal, or until the jobs named are at their end. */
static int
watch(struct pg *pg, const struct request *r, struct err *e)
{
	for (;;) {
		struct waiting w = {.all = r->count > 0};

		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		if (status_jobs(pg, r->ids, r->count, look, &w, e) != 0 || print_once(pg, r, e) != 0)
			return -1;
		if (fflush(stdout) != 0)
			return err_set(e, ERR_IO, "stdout cannot be written");
		if (w.all)
			return 0;
		clk_sleep(clk_system(), DRAW_MS);
		if (sig_check(e) != 0)
			return -1;
	}
}

static int
run(const struct request *r, enum err_code *code, struct err *e)
{
	struct site *site = site_open(e);
	struct pg *pg = site != NULL ? site_connect(site, e) : NULL;
	int result = pg != NULL ? 0 : -1;

	if (result == 0 && r->wait)
		result = wait_for(pg, r, code, e);
	if (result == 0 && r->rejects)
		result = rejects_export(site, r->ids[0], write_out, NULL, e);
	else if (result == 0 && r->chunks)
		result = print_chunks(pg, r->ids, r->count, r->json, e);
	else if (result == 0 && r->watch)
		result = watch(pg, r, e);
	else if (result == 0)
		result = print_once(pg, r, e);
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
