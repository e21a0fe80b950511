#include "pages.h"

#include <stdbool.h>
#include <string.h>

#include "call.h"
#include "embedded.h"

/* Nothing from elsewhere, no script and no style that does not stand in a file of its own. */
#define POLICY                                                                                                         \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"           \
	" form-action 'none'; base-uri 'none'"

/* Which file is served under which page, and as what. The first of a page is the page itself. */
static const struct served {
	const char *page, *file, *type;
} served[] = {
    {"jobs", "jobs.html", "text/html; charset=utf-8"},
    {"jobs", "page.css", "text/css; charset=utf-8"},
    {"jobs", "jobs.css", "text/css; charset=utf-8"},
    {"jobs", "jobs.js", "text/javascript; charset=utf-8"},
    {"jobs", "icon.svg", "image/svg+xml"},
    {"docs", "docs.html", "text/html; charset=utf-8"},
    {"docs", "docs.css", "text/css; charset=utf-8"},
    {"docs", "docs.js", "text/javascript; charset=utf-8"},
    {"docs", "swagger-ui.css", "text/css; charset=utf-8"},
    {"docs", "swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
    {"docs", "LICENSE", "text/plain; charset=utf-8"},
    {"docs", "NOTICE", "text/plain; charset=utf-8"},
    {"docs", "swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"},
};

static const struct embedded_file *
find(const char *name)
{
	const struct embedded_file *file = embedded_files;

	while (file->name != NULL && strcmp(file->name, name) != 0)
		file++;
	return file->name != NULL ? file : NULL;
}

static int
serve(struct call *c, const struct served *s, struct err *e)
{
	const struct embedded_file *file = find(s->file);
	const char *known = request_header(&c->request, "If-None-Match");

	if (file == NULL)
		return err_set(e, ERR_BUG, "%s is not in this program", s->file);
	/* Kept, but asked for again each time: a new program has new pages. */
	c->response.cache = "no-cache";
	c->response.policy = POLICY;
	response_header(&c->response, "ETag", "\"%s\"", file->digest);
	response_begin(&c->response, 200, s->type);
	if (known != NULL && strstr(known, file->digest) != NULL) {
		c->response.status = 304;
		return 0;
	}
	return response_write(&c->response, file->bytes, file->length, e);
}

static int
serve_page(struct call *c, const char *page, struct err *e)
{
	const struct request_segment *wanted = request_segment(&c->request, "file");

	for (size_t i = 0; i < sizeof served / sizeof *served; i++)
		if (strcmp(served[i].page, page) == 0 && (wanted == NULL || strcmp(served[i].file, wanted->text) == 0))
			return serve(c, &served[i], e);
	return err_set(e, ERR_NOINPUT, "there is nothing at this path");
}

int
api_pages_root(struct call *c, struct err *e)
{
	(void)e;
	return response_redirect(&c->response, 302, "/api/docs/");
}

int
api_pages_jobs(struct call *c, struct err *e)
{
	return serve_page(c, "jobs", e);
}

int
api_pages_docs(struct call *c, struct err *e)
{
	return serve_page(c, "docs", e);
}
