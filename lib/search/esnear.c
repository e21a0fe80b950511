#include "search/esnear.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "schema/type.h"
#include "search/es.h"
#include "search/esjson.h"
#include "search/eswords.h"
#include "search/query.h"
#include "search/search.h"
#include "search/spelling.h"

/* Words near to one that are looked at. */
#define CANDIDATES 100

struct words {
	char **list;
	size_t count;
};

static void
add_word(struct words *words, const char *word)
{
	words->list = buf_realloc(words->list, words->count + 1, sizeof *words->list);
	words->list[words->count++] = buf_strdup(word);
}

static void
free_words(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->list[i]);
	free(words->list);
	*words = (struct words){0};
}

static void
write_text(struct buf *json, const char *text)
{
	type_to_json(TYPE_TEXT, json, text, strlen(text));
}

static int
ask(struct es *es, const struct search_index *index, const struct buf *json, struct err *e)
{
	char *alias = es_alias(es, index);
	char *path = buf_format("/%s/_search?allow_partial_search_results=false", alias);
	int result = es_call(es, "POST", path, json, e);

	free(path);
	free(alias);
	if (result != 0)
		return -1;
	if (es->response.status == 404)
		return es_missing(index, e);
	return es->response.status == 200 ? 0 : es_failed(es, &es->response, e);
}

/* {"doc_count":5} */
static bool
read_count(struct esjson *j, bool *some)
{
	char *name, *text;
	uint64_t count;

	if (!esjson_object(j))
		return false;
	while (esjson_member(j, &name)) {
		if (strcmp(name, "doc_count") != 0) {
			esjson_skip(j);
			continue;
		}
		text = esjson_text(j);
		if (text == NULL || !num_uint64(text, &count))
			return false;
		*some = count > 0;
	}
	return !j->bad;
}

/* Which of the words do documents have? A deleted document's words are still in the engine's dictionary for a time. */
static int
have_documents(struct es *es, const struct search_index *index, const struct words *words, bool *have, struct err *e)
{
	struct buf json = {0};
	struct esjson j;
	char *name;
	uint64_t i;
	int result;

	buf_string(&json, "{\"size\":0,\"track_total_hits\":false,\"aggs\":{");
	for (size_t k = 0; k < words->count; k++) {
		buf_printf(&json, "%s\"%zu\":{\"filter\":{\"match_phrase\":{\"text\":", k > 0 ? "," : "", k);
		write_text(&json, words->list[k]);
		buf_string(&json, "}}}");
	}
	buf_string(&json, "}}");
	result = ask(es, index, &json, e);
	buf_fini(&json);
	if (result != 0)
		return -1;
	if (!es_answer(es, &j, e))
		return -1;
	while (esjson_member(&j, &name)) {
		if (strcmp(name, "aggregations") != 0 || !esjson_object(&j)) {
			esjson_skip(&j);
			continue;
		}
		while (esjson_member(&j, &name))
			if (!num_uint64(name, &i) || i >= words->count || !read_count(&j, &have[i]))
				return es_nonsense(e);
	}
	return j.bad ? es_nonsense(e) : 0;
}

/* {"suggest":{"near":[{"text":"..","options":[{"text":"stoned","score":0.8,"freq":3}]}]}} */
static int
read_candidates(struct es *es, struct words *words, struct err *e)
{
	struct esjson j;
	char *name;

	if (!es_answer(es, &j, e))
		return -1;
	while (esjson_member(&j, &name)) {
		if (strcmp(name, "suggest") != 0 || !esjson_object(&j)) {
			esjson_skip(&j);
			continue;
		}
		if (!esjson_member(&j, &name) || !esjson_array(&j))
			return es_nonsense(e);
		while (esjson_element(&j) && esjson_object(&j))
			while (esjson_member(&j, &name)) {
				if (strcmp(name, "options") != 0 || !esjson_array(&j)) {
					esjson_skip(&j);
					continue;
				}
				while (esjson_element(&j) && esjson_object(&j))
					while (esjson_member(&j, &name)) {
						const char *text = strcmp(name, "text") == 0 ? esjson_text(&j) : NULL;

						if (text != NULL)
							add_word(words, text);
						else if (strcmp(name, "text") != 0)
							esjson_skip(&j);
					}
			}
		while (esjson_member(&j, &name))
			esjson_skip(&j);
	}
	return j.bad ? es_nonsense(e) : 0;
}

/* The words of the dictionary at most so many edits from this one (Elasticsearch, "Term suggester"). */
static int
suggest(
    struct es *es, const struct search_index *index, const char *word, size_t edits, struct words *words, struct err *e)
{
	struct buf json = {0};
	int result;

	buf_string(&json, "{\"size\":0,\"track_total_hits\":false,\"suggest\":{\"near\":{\"text\":");
	write_text(&json, word);
	buf_printf(&json,
	    ",\"term\":{\"field\":\"text\",\"suggest_mode\":\"always\",\"max_edits\":%zu,\"prefix_length\":0,"
	    "\"min_word_length\":1,\"accuracy\":0,\"max_term_freq\":1000000000,\"size\":%d,\"shard_size\":%d}}}}",
	    edits, CANDIDATES, CANDIDATES);
	result = ask(es, index, &json, e);
	buf_fini(&json);
	return result == 0 ? read_candidates(es, words, e) : -1;
}

/* What a mistyped word stands for: the words with documents at the least distance; *near stays NULL if there are none. */
static int
choose(struct es *es, const struct search_index *index, const char *word, char **near, struct err *e)
{
	int result = 0;

	for (size_t edits = 1; edits <= spelling_edits(word) && *near == NULL && result == 0; edits++) {
		struct words words = {0};
		struct buf chosen = {0};
		bool *have;

		result = suggest(es, index, word, edits, &words, e);
		have = buf_calloc(words.count + 1, sizeof *have);
		if (result == 0 && words.count > 0)
			result = have_documents(es, index, &words, have, e);
		for (size_t i = 0; i < words.count && result == 0; i++)
			if (have[i])
				buf_printf(&chosen, "%s%s", chosen.length > 0 ? " " : "", words.list[i]);
		if (chosen.length > 0)
			*near = buf_detach(&chosen);
		buf_fini(&chosen);
		free(have);
		free_words(&words);
	}
	return result;
}

int
esnear_find(struct es *es, const struct search_index *index, const struct query *query, char **near, struct err *e)
{
	size_t *terms = buf_calloc(query->term_count + 1, sizeof *terms);
	bool *have = buf_calloc(query->term_count + 1, sizeof *have);
	struct words words = {0};
	int result = 0;

	for (size_t i = 0; i < query->term_count; i++) {
		char *word = query->terms[i].kind == QUERY_WORDS ? eswords_only(query->terms[i].text) : NULL;

		if (word != NULL && spelling_edits(word) > 0) {
			terms[words.count] = i;
			add_word(&words, word);
		}
		free(word);
	}
	if (words.count > 0)
		result = have_documents(es, index, &words, have, e);
	for (size_t i = 0; i < words.count && result == 0; i++)
		if (!have[i])
			result = choose(es, index, words.list[i], &near[terms[i]], e);
	free_words(&words);
	free(have);
	free(terms);
	return result;
}
