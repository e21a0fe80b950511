#include "search/espit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/digest.h"
#include "schema/type.h"
#include "search/es.h"
#include "schema/json.h"
#include "search/search_driver.h"

int
espit_open(struct es *es, const struct search_index *index, char **id, struct err *e)
{
	char *alias = es_alias(es, index);
	char *path =
		 buf_format("/%s/%s?keep_alive=" ESPIT_KEEP, alias, es->opensearch ? "_search/point_in_time" : "_pit"),
	     *name;
	int result = es_call(es, "POST", path, NULL, e);
	struct json j;

	free(path);
	free(alias);
	*id = NULL;
	/* OpenSearch has room for 300 of them. */
	if (result != 0)
		return e->code == ERR_AGAIN && es->response.status == 429 ? 0 : -1;
	if (es->response.status == 404)
		return search_missing(index, e);
	if (es->response.status != 200)
		return es_failed(es, &es->response, e);
	if (!es_answer(es, &j, e))
		return -1;
	while (json_member(&j, &name)) {
		if (strcmp(name, es->opensearch ? "pit_id" : "id") == 0 && *id == NULL) {
			const char *text = json_text(&j);

			*id = text != NULL ? buf_strdup(text) : NULL;
		} else {
			json_skip(&j);
		}
	}
	return *id != NULL ? 0 : es_nonsense(e);
}

void
espit_close(struct es *es, const char *id)
{
	struct buf body = {0};
	struct err ignored = {0};

	buf_string(&body, es->opensearch ? "{\"pit_id\":[" : "{\"id\":");
	type_to_json(TYPE_TEXT, &body, id, strlen(id));
	buf_string(&body, es->opensearch ? "]}" : "}");
	(void)!es_call(es, "DELETE", es->opensearch ? "/_search/point_in_time" : "/_pit", &body, &ignored);
	buf_fini(&body);
}

int
espit_state(struct es *es, const struct search_index *index, struct buf *state, struct err *e)
{
	char *alias = es_alias(es, index);
	char *path = buf_format("/%s/_stats/docs?level=shards&filter_path=indices.*.uuid,indices.*.shards.*.seq_no."
				"max_seq_no,indices.*.shards.*.docs,indices.*.shards.*.routing.primary",
	    alias);
	int result = es_call(es, "GET", path, NULL, e);
	unsigned char digest[DIGEST_BYTES];
	char hex[DIGEST_HEX];

	free(path);
	free(alias);
	if (result != 0)
		return -1;
	if (es->response.status == 404)
		return search_missing(index, e);
	if (es->response.status != 200)
		return es_failed(es, &es->response, e);
	digest_sha256(es->response.body.bytes, es->response.body.length, digest);
	digest_hex(digest, hex);
	buf_append(state, hex, 32);
	buf_byte(state, '\0');
	state->length--;
	return 0;
}
