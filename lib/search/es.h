#ifndef SEARCH_ES_H
#define SEARCH_ES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

struct err;
struct esbulk;
struct json;
struct search_index;

/*
 * A connection to Elasticsearch 8 or OpenSearch 2, for the files of this
 * driver: es.c talks, esindex.c makes indexes, esbulk.c writes documents
 * (esdoc.c), esquery.c asks (esmatch.c).
 *
 * A dataset's documents are in the index PREFIX-DATASET-1, known by its alias
 * PREFIX-DATASET: whoever fills another one swaps the alias. An index says in
 * its mapping (`_meta`) which dataset made it; one of another database's
 * dataset with the same number is never touched.
 */
struct es {
	struct http *http;
	char *base;   /* http://host:port */
	char *prefix; /* of the names of indexes */
	char *shards; /* of a new index */
	bool opensearch;
	bool greeted; /* the server has said what it is */
	struct http_response response;
	int64_t created; /* the dataset whose index is known to be there, with all columns of: */
	uint64_t shape;

	struct esbulk *bulk; /* documents on their way; NULL: none yet */
};

/* The name of a dataset's index for all that read and write it: PREFIX-DATASET. The caller frees it. */
char *es_alias(const struct es *es, const struct search_index *index);

/*
 * One request; `path` is what stands behind the host, `body` may be NULL. 0
 * for any status but those of trouble on the way (75: 429, 5xx, broken off)
 * and of a refusal (77); the answer is in es->response until the next one.
 */
int es_call(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
    __attribute__((warn_unused_result));

/*
 * The same for what only reads an index: no round trip to learn what server it
 * is, unless the answer makes that a question.
 */
int es_ask(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
    __attribute__((warn_unused_result));

/* The same as es_call, and any other status than 2xx is an error, too: 66 for 404 of an index that is missing, else 70. */
int es_do(struct es *es, const char *method, const char *path, const struct buf *body, struct err *e)
    __attribute__((warn_unused_result));

/* Fill the error from a response that es_do would not take. Returns -1. */
int es_failed(const struct es *es, const struct http_response *response, struct err *e);

/* Read the answer; false, with the error set, if the response is no JSON object. */
bool es_answer(struct es *es, struct json *j, struct err *e);

/* An answer that is not what the server promises (70). Returns -1. */
int es_nonsense(struct err *e);

#endif
