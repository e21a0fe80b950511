#include "search/es.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "net/url.h"
#include "search/esbulk.h"
#include "search/esindex.h"
#include "schema/json.h"
#include "search/esquery.h"
#include "search/search_driver.h"

char *
es_alias(const struct es *es, const struct search_index *index)
{
	return buf_format("%s-%" PRId64, es->prefix, index->dataset);
}

int
es_nonsense(struct err *e)
{
	return err_set(e, ERR_BUG, "the search engine's answer makes no sense");
}

bool
es_answer(struct es *es, struct json *j, struct err *e)
{
	*j = (struct json){.at = es->response.body.bytes};
	if (es->response.body.length > 0 && json_object(j))
		return true;
	es_nonsense(e);
	return false;
}

/* The reason in {"error":{"reason":"...","root_cause":[{"reason":"..."}]}}, decoded in `body`; the inmost says most. */
static char *
reason_of(char *body)
{
	struct json j = {.at = body};
	char *name, *reason = NULL, *root = NULL;

	if (!json_object(&j))
		return NULL;
	while (json_member(&j, &name)) {
		if (strcmp(name, "error") != 0 || !json_object(&j)) {
			json_skip(&j);
			continue;
		}
		while (json_member(&j, &name)) {
			if (strcmp(name, "reason") == 0) {
				reason = json_text(&j);
			} else if (strcmp(name, "root_cause") == 0 && json_array(&j)) {
				while (json_element(&j) && json_object(&j))
					while (json_member(&j, &name))
						if (strcmp(name, "reason") == 0)
							root = json_text(&j);
						else
							json_skip(&j);
			} else {
				json_skip(&j);
			}
		}
	}
	return root != NULL ? root : reason;
}

int
es_failed(const struct es *es, const struct http_response *response, struct err *e)
{
	char *body = response->body.length > 0 ? buf_strdup(response->body.bytes) : NULL;
	const char *reason = body != NULL ? reason_of(body) : NULL;

	if (http_check(response, reason, e) == 0)
		err_set(e, ERR_BUG, "HTTP %d", response->status);
	free(body);
	return err_prefix(e, "search engine %s", es->base);
}

static int
call(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
{
	char *url = buf_format("%s%s", es->base, path);
	struct http_request request = {
	    .method = method,
	    .url = url,
	    .body = body != NULL ? body->bytes : NULL,
	    .length = body != NULL ? body->length : 0,
	    .type = "application/json",
	};
	int result = http_call(es->http, &request, &es->response, e);

	free(url);
	if (result != 0)
		return err_prefix(e, "search engine %s", es->base);
	if (es->response.status == 429 || es->response.status >= 500 || es->response.status == 401 ||
	    es->response.status == 403)
		return es_failed(es, &es->response, e);
	return 0;
}

/* What server is it? They differ in few things, but an older or another one would fail later, and worse. */
static int
greet(struct es *es, struct err *e)
{
	char *name, *number = NULL, *distribution = NULL;
	struct json j;
	int64_t major = 0;

	if (call(es, "GET", "/", NULL, e) != 0)
		return -1;
	if (es->response.status != 200)
		return es_failed(es, &es->response, e);
	j = (struct json){.at = es->response.body.bytes};
	if (es->response.body.length > 0 && json_object(&j))
		while (json_member(&j, &name)) {
			if (strcmp(name, "version") != 0 || !json_object(&j)) {
				json_skip(&j);
				continue;
			}
			while (json_member(&j, &name))
				if (strcmp(name, "number") == 0)
					number = json_text(&j);
				else if (strcmp(name, "distribution") == 0)
					distribution = json_text(&j);
				else
					json_skip(&j);
		}
	es->opensearch = distribution != NULL && strcmp(distribution, "opensearch") == 0;
	if (number == NULL)
		return err_set(e, ERR_CONFIG,
		    "%s is no search engine; hint: CSVP_SEARCH_URL names Elasticsearch 8 or OpenSearch 2", es->base);
	number[strcspn(number, ".")] = '\0';
	if (!num_int64(number, &major) || major < (es->opensearch ? 2 : 8))
		return err_set(e, ERR_CONFIG, "%s is %s %s; hint: csvp works with Elasticsearch 8 and OpenSearch 2",
		    es->base, es->opensearch ? "OpenSearch" : "Elasticsearch", number);
	es->greeted = true;
	return 0;
}

int
es_call(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
{
	if (!es->greeted && greet(es, e) != 0)
		return -1;
	return call(es, method, path, body, e);
}

int
es_ask(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
{
	struct err why;

	if (!es->greeted && call(es, method, path, body, &why) == 0 && es->response.status < 300)
		return 0;
	return es_call(es, method, path, body, e);
}

int
es_do(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
{
	if (es_call(es, method, path, body, e) != 0)
		return -1;
	return es->response.status < 300 ? 0 : es_failed(es, &es->response, e);
}

/* What an index may be called (Elasticsearch, "Create index API"), as far as people need it. */
static bool
valid_prefix(const char *prefix)
{
	size_t length = strlen(prefix);

	return length > 0 && length <= 100 && islower((unsigned char)prefix[0]) &&
	       strspn(prefix, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static int
configure(struct es *es, const struct url *url, struct http_options *http, char **key, struct err *e)
{
	const char *path = url->path + (url->path[0] == '/');
	const char *scheme = url->scheme + strlen("es+");
	bool ipv6 = url->host != NULL && strchr(url->host, ':') != NULL;
	uint64_t shards;

	if (url->host == NULL || url->host[0] == '\0')
		return err_set(e, ERR_CONFIG, "the search engine's URL has no host; hint: es+http://HOST:9200");
	es->base = buf_format(
	    "%s://%s%s%s:%u", scheme, ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", url->port != 0 ? url->port : 9200u);
	es->prefix = buf_strndup(path, strcspn(path, "/"));
	if (path[0] == '\0') {
		free(es->prefix);
		es->prefix = buf_strdup("csvp");
	}
	if (!valid_prefix(es->prefix) || path[strcspn(path, "/")] == '/')
		return err_set(e, ERR_CONFIG,
		    "\"%s\" cannot begin the names of indexes; hint: es+http://HOST:9200/NAME, NAME of a-z, 0-9, _ and "
		    "-",
		    path);
	es->shards = url_parameter(url, "shards");
	if (es->shards != NULL && (!num_uint64(es->shards, &shards) || shards < 1 || shards > 1024))
		return err_set(e, ERR_CONFIG, "shards=%s is not from 1 to 1024", es->shards);
	/* A password without a user is an API key. */
	if (url->password != NULL && (url->user == NULL || url->user[0] == '\0')) {
		*key = buf_format("Authorization: ApiKey %s", url->password);
		http->header = *key;
	} else {
		http->user = url->user;
		http->password = url->password;
	}
	return 0;
}

static void
es_close(void *self)
{
	struct es *es = self;

	if (es->bulk != NULL)
		esbulk_discard(es);
	esbulk_free(es->bulk);
	http_close(es->http);
	http_response_fini(&es->response);
	free(es->base);
	free(es->prefix);
	free(es->shards);
	free(es);
}

/* es+http[s]://[USER:PASSWORD@|:API-KEY@]HOST[:PORT][/PREFIX][?ca_file=PATH][&shards=N] */
static void *
es_open(const struct search_options *options, struct err *e)
{
	struct es *es = buf_calloc(1, sizeof *es);
	char *key = NULL, *ca_file;
	struct http_options http = {0};
	struct url url;

	if (url_parse(options->url, &url, e) != 0) {
		free(es);
		return NULL;
	}
	ca_file = url_parameter(&url, "ca_file");
	http.ca_file = ca_file;
	if (configure(es, &url, &http, &key, e) == 0)
		es->http = http_open(&http, e);
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
	free(ca_file);
	url_fini(&url);
	if (es->http != NULL)
		return es;
	es_close(es);
	return NULL;
}

const struct search_driver *
es_driver(void)
{
	static const struct search_driver driver = {
	    .scheme = "es+http",
	    .capabilities = SEARCH_WANTS_VALUES,
	    .open = es_open,
	    .close = es_close,
	    .exists = esindex_exists,
	    .create = esindex_create,
	    .put = esbulk_put,
	    .settle = esbulk_settle,
	    .discard = esbulk_discard,
	    .refresh = esindex_refresh,
	    .finish = esindex_finish,
	    .count = esindex_count,
	    .drop = esindex_drop,
	    .query = esquery_run,
	};
	return &driver;
}
