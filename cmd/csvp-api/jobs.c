#include "jobs.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/num.h"
#include "base/sig.h"
#include "call.h"
#include "db/pg.h"
#include "flow/control.h"
#include "flow/deadletters.h"
#include "flow/rejects.h"
#include "flow/site.h"
#include "flow/status.h"
#include "queue/queue.h"
#include "schema/type.h"
#include "server.h"

/* PATIENCE_MS: for workers that are to let go of a job, and for locks. */
enum { PAGE = 20, FIRST_LOOK_MS = 50, LATER_LOOK_MS = 500, PATIENCE_MS = 5000 };

/* Append each job to a JSON array. */
struct listing {
	struct buf json;
	size_t count;
	int64_t last;
};

static int
list_job(void *ctx, const struct status *s, struct err *e)
{
	struct listing *l = ctx;

	(void)e;
	if (l->count++ > 0)
		buf_byte(&l->json, ',');
	status_to_json(s, &l->json);
	l->last = s->id;
	return 0;
}

static void
end_page(const struct call *c, struct listing *l, bool more)
{
	char cursor[24], *next;

	buf_string(&l->json, "],\"next\":");
	if (more) {
		snprintf(cursor, sizeof cursor, "%" PRId64, l->last);
		next = call_next(c, cursor);
		type_to_json(TYPE_TEXT, &l->json, next, strlen(next));
		free(next);
	} else {
		buf_string(&l->json, "null");
	}
	buf_byte(&l->json, '}');
}

int
api_jobs_list(struct call *c, struct err *e)
{
	struct status_wish wish = {
	    .dataset = call_parameter(c, "dataset"),
	    .state = call_parameter(c, "state"),
	    .before = call_number(c, "cursor", 0),
	    .limit = call_number(c, "page_size", PAGE),
	};
	struct listing l = {0};
	struct pg *pg = site_connect(c->site, e);
	bool more = false;
	int result = -1;

	buf_string(&l.json, "{\"results\":[");
	if (pg != NULL)
		result = status_recent(pg, &wish, list_job, &l, &more, e);
	end_page(c, &l, more);
	if (result == 0)
		response_text(&c->response, 200, "application/json", l.json.bytes);
	buf_fini(&l.json);
	site_release(c->site, pg);
	return result;
}

/* One job as JSON, and whether it is at its end, or stopped. */
struct showing {
	struct buf json;
	bool settled;
};

static int
show_job(void *ctx, const struct status *s, struct err *e)
{
	struct showing *shown = ctx;

	(void)e;
	buf_reset(&shown->json);
	status_to_json(s, &shown->json);
	shown->settled = s->verdict != ERR_AGAIN || strcmp(s->state, "paused") == 0;
	return 0;
}

/* Answer with the job as it is, after an operation on it, or as it was asked for. */
static int
answer_job(struct call *c, struct pg *pg, int64_t id, int64_t wait, struct err *e)
{
	struct showing shown = {0};
	int64_t end = clk_now(clk_system()) + wait, pause = FIRST_LOOK_MS, left;
	bool waits = wait > 0 && server_begin_wait(c->server);
	int result;

	while ((result = status_jobs(pg, &id, 1, show_job, &shown, e)) == 0 && waits && !shown.settled &&
	       !sig_pending() && (left = end - clk_now(clk_system())) > 0) {
		clk_sleep(clk_system(), pause < left ? pause : left);
		pause = pause * 2 < LATER_LOOK_MS ? pause * 2 : LATER_LOOK_MS;
	}
	if (waits)
		server_end_wait(c->server);
	if (result == 0) {
		if (!shown.settled)
			response_header(&c->response, "Retry-After", "1");
		response_text(&c->response, 200, "application/json", shown.json.bytes);
	}
	buf_fini(&shown.json);
	return result;
}

int
api_jobs_answer(struct call *c, int status, int64_t id, struct err *e)
{
	struct pg *pg = site_connect(c->site, e);
	int result = pg != NULL ? answer_job(c, pg, id, 0, e) : -1;

	if (result == 0)
		c->response.status = status;
	site_release(c->site, pg);
	return result;
}

int
api_jobs_show(struct call *c, struct err *e)
{
	int64_t id;
	struct pg *pg;
	int result;

	if (call_id(c, &id, e) != 0 || (pg = site_connect(c->site, e)) == NULL)
		return -1;
	result = answer_job(c, pg, id, call_number(c, "wait", 0) * 1000, e);
	site_release(c->site, pg);
	return result;
}

static int
write_chunk(void *ctx, const struct status_chunk *chunk, struct err *e)
{
	struct response *response = ctx;
	struct buf json = {0};
	int result;

	if (response->body.length > 1 || response->sent > 0)
		buf_byte(&json, ',');
	status_chunk_to_json(chunk, &json);
	result = response_write(response, json.bytes, json.length, e);
	buf_fini(&json);
	return result;
}

int
api_jobs_chunks(struct call *c, struct err *e)
{
	int64_t id;
	struct pg *pg;
	int result = -1;

	if (call_id(c, &id, e) != 0 || (pg = site_connect(c->site, e)) == NULL)
		return -1;
	if (response_string(&c->response, "[", e) == 0 && status_chunks(pg, id, write_chunk, &c->response, e) == 0)
		result = response_string(&c->response, "]", e);
	site_release(c->site, pg);
	return result;
}

static int
write_reject(void *ctx, const char *bytes, size_t length, struct err *e)
{
	return response_write(ctx, bytes, length, e);
}

int
api_jobs_rejects(struct call *c, struct err *e)
{
	int64_t id;

	if (call_id(c, &id, e) != 0)
		return -1;
	response_header(&c->response, "Content-Disposition", "attachment; filename=\"rejects-%" PRId64 ".csv\"", id);
	return rejects_export(c->site, id, write_reject, &c->response, e);
}

/* A verb on a job: 0, 1 it takes longer than a request, -1. */
typedef int control_verb(struct call *c, struct pg *pg, int64_t id, int64_t patience, struct err *e);

/* Do it, and answer with the job as it is then. What cannot be done to a job in this state is a conflict. */
static int
control(struct call *c, control_verb *verb, struct err *e)
{
	bool waits = server_begin_wait(c->server);
	int64_t id, patience = waits ? PATIENCE_MS : 0;
	struct pg *pg = NULL;
	int result = -1;

	if (call_id(c, &id, e) == 0 && (pg = site_connect(c->site, e)) != NULL && pg_patience(pg, PATIENCE_MS, e) == 0)
		result = verb(c, pg, id, patience, e);
	if (waits)
		server_end_wait(c->server);
	if (result >= 0) {
		bool held = result == 1;

		result = answer_job(c, pg, id, 0, e);
		if (result == 0 && held)
			c->response.status = 202;
	} else if (e->code == ERR_DATA) {
		result = response_refuse(&c->response, 409, e);
	}
	site_release(c->site, pg);
	return result;
}

static int
cancel(struct call *c, struct pg *pg, int64_t id, int64_t patience, struct err *e)
{
	(void)c;
	return control_cancel(pg, id, patience, e);
}

static int
pause_job(struct call *c, struct pg *pg, int64_t id, int64_t patience, struct err *e)
{
	(void)c;
	return control_pause(pg, id, patience, e);
}

static int
resume(struct call *c, struct pg *pg, int64_t id, int64_t patience, struct err *e)
{
	struct queue *queue = site_queue(c->site, e);
	int result = queue != NULL ? control_resume(pg, queue, id, e) : -1;

	(void)patience;
	site_release_queue(c->site, queue);
	return result;
}

static int
retry(struct call *c, struct pg *pg, int64_t id, int64_t patience, struct err *e)
{
	struct queue *queue = site_queue(c->site, e);
	int result = queue != NULL ? deadletters_retry(pg, queue, id, -1, NULL, NULL, e) : -1;

	(void)patience;
	site_release_queue(c->site, queue);
	return result;
}

int
api_jobs_cancel(struct call *c, struct err *e)
{
	return control(c, cancel, e);
}

int
api_jobs_pause(struct call *c, struct err *e)
{
	return control(c, pause_job, e);
}

int
api_jobs_resume(struct call *c, struct err *e)
{
	return control(c, resume, e);
}

int
api_jobs_retry(struct call *c, struct err *e)
{
	return control(c, retry, e);
}
