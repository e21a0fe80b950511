#include "search/esnear.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/edits.h"
#include "base/num.h"
#include "schema/type.h"
#include "search/es.h"
#include "schema/json.h"
#include "search/eswords.h"
#include "search/query.h"
#include "search/search_driver.h"
#include "search/spelling.h"

/* Words near to one that are looked for at most, and documents looked at at a time. */
#define CANDIDATES 100
#define HITS 20

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
		return search_missing(index, e);
	return es->response.status == 200 ? 0 : es_failed(es, &es->response, e);
}

/* {"doc_count":5} */
static bool
read_count(struct json *j, bool *some)
{
	char *name, *text;
	uint64_t count;

	if (!json_object(j))
		return false;
	while (json_member(j, &name)) {
		if (strcmp(name, "doc_count") != 0) {
			json_skip(j);
			continue;
		}
		text = json_text(j);
		if (text == NULL || !num_uint64(text, &count))
			return false;
		*some = count > 0;
	}
	return !j->bad;
}

/* Which of the words do documents have? */
static int
have_documents(struct es *es, const struct search_index *index, const struct words *words, bool *have, struct err *e)
{
	struct buf json = {0};
	struct json j;
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
	while (json_member(&j, &name)) {
		if (strcmp(name, "aggregations") != 0 || !json_object(&j)) {
			json_skip(&j);
			continue;
		}
		while (json_member(&j, &name))
			if (!num_uint64(name, &i) || i >= words->count || !read_count(&j, &have[i]))
				return es_nonsense(e);
	}
	return j.bad ? es_nonsense(e) : 0;
}

/* Ask for documents with words at most so many edits from this one, and none of those known already. */
static int
ask_near(struct es *es, const struct search_index *index, const char *word, size_t edits, const struct words *known,
    struct err *e)
{
	struct buf json = {0};
	int result;

	buf_printf(&json,
	    "{\"size\":%d,\"track_total_hits\":false,\"_source\":[\"s\",\"more\"],\"query\":{\"bool\":{\"filter\":{"
	    "\"match\":{\"text\":{\"fuzziness\":%zu,\"max_expansions\":%d,\"query\":",
	    HITS, edits, CANDIDATES);
	write_text(&json, word);
	buf_string(&json, "}}},\"must_not\":[");
	for (size_t i = 0; i < known->count; i++) {
		buf_string(&json, i > 0 ? ",{\"match_phrase\":{\"text\":" : "{\"match_phrase\":{\"text\":");
		write_text(&json, known->list[i]);
		buf_string(&json, "}}");
	}
	buf_string(&json, "]}}}");
	result = ask(es, index, &json, e);
	buf_fini(&json);
	return result;
}

/* The words that are looked for in what the engine has found. */
struct looking {
	const char *word;
	size_t edits;
	struct words *words;
};

static void
take_word(void *ctx, const char *word)
{
	struct looking *l = ctx;

	if (edits_between(l->word, word) > l->edits || l->words->count == CANDIDATES)
		return;
	for (size_t i = 0; i < l->words->count; i++)
		if (strcmp(l->words->list[i], word) == 0)
			return;
	add_word(l->words, word);
}

/* All texts in a value: of the columns, and the rest of long ones. */
static void
take_texts(struct json *j, struct looking *l)
{
	const char *text;
	char *name;

	if (json_object(j)) {
		while (json_member(j, &name))
			take_texts(j, l);
	} else if (json_array(j)) {
		while (json_element(j))
			take_texts(j, l);
	} else if ((text = json_text(j)) != NULL) {
		eswords_each(text, take_word, l);
	}
}

/* {"hits":{"hits":[{"_id":"..","_source":{"s":{"name":"..."}}}]}} */
static int
read_near(struct es *es, struct looking *l, struct err *e)
{
	struct json j;
	char *name;

	if (!es_answer(es, &j, e))
		return -1;
	while (json_member(&j, &name)) {
		if (strcmp(name, "hits") != 0 || !json_object(&j)) {
			json_skip(&j);
			continue;
		}
		while (json_member(&j, &name)) {
			if (strcmp(name, "hits") != 0 || !json_array(&j)) {
				json_skip(&j);
				continue;
			}
			while (json_element(&j) && json_object(&j))
				while (json_member(&j, &name))
					if (strcmp(name, "_source") == 0)
						take_texts(&j, l);
					else
						json_skip(&j);
		}
	}
	return j.bad ? es_nonsense(e) : 0;
}

/*
 * What a mistyped word stands for: the nearest words that documents have. The
 * engine finds the documents, but does not tell by which words (its suggester
 * knows deleted ones, too, and of those two edits away only such as begin
 * alike): they are picked out of the documents, until no other document is left.
 */
static int
choose(struct es *es, const struct search_index *index, const char *word, char **near, struct err *e)
{
	char *small = eswords_lower(word);
	int result = 0;

	for (size_t edits = 1; edits <= spelling_edits(word) && *near == NULL && result == 0; edits++) {
		struct words words = {0};
		struct looking looking = {small, edits, &words};
		struct buf chosen = {0};
		size_t before;

		do {
			before = words.count;
			result = ask_near(es, index, word, edits, &words, e);
			if (result == 0)
				result = read_near(es, &looking, e);
		} while (result == 0 && words.count > before && words.count < CANDIDATES);
		for (size_t i = 0; i < words.count; i++)
			buf_printf(&chosen, "%s%s", i > 0 ? " " : "", words.list[i]);
		if (words.count > 0 && result == 0)
			*near = buf_detach(&chosen);
		buf_fini(&chosen);
		free_words(&words);
	}
	free(small);
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
