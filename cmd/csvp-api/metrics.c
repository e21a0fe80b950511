#include "metrics.h"

#include "base/buf.h"
#include "call.h"
#include "db/pg.h"
#include "flow/metrics.h"
#include "flow/site.h"
#include "queue/queue.h"
#include "server.h"
#include "stats.h"

int
api_metrics(struct call *c, struct err *e)
{
	struct pg *pg = site_connect(c->site, e);
	struct queue *queue = pg != NULL ? site_queue(c->site, e) : NULL;
	struct buf text = {0};
	int result = queue != NULL ? metrics_print(pg, queue, &text, e) : -1;

	/* A process that answers one request has nothing to count: behind plain CGI the web server's log has it. */
	if (result == 0 && server_persistent(c->server))
		stats_print(&text);
	if (result == 0)
		response_text(&c->response, 200, "text/plain; version=0.0.4; charset=utf-8", text.bytes);
	buf_fini(&text);
	site_release_queue(c->site, queue);
	site_release(c->site, pg);
	return result;
}
