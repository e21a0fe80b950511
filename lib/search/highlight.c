#include "search/highlight.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/letter.h"
#include "schema/shape.h"
#include "search/eswords.h"
#include "search/query.h"
#include "search/search.h"

/* Of a value so many characters are searched (pgsql.c, esdoc.c). */
#define VALUE_CHARACTERS 32768

/* Words in small letters, one behind the other. */
struct words {
	struct buf text;
	size_t *places;
	size_t count;
};

/* Where a word of the hit stands. */
struct place {
	size_t column, begin, end;
	bool found;
};

struct highlight {
	const struct query *query;
	const struct shape *shape;
	struct words *terms; /* of each term; of a mistyped one those that it stands for */
	bool known;
	struct words words; /* of the hit */
	struct place *places;
	size_t capacity;
	struct buf *texts; /* one a column */
	const char **marked;
};

static const char *
word_at(const struct words *w, size_t i)
{
	return w->text.bytes + w->places[i];
}

static void
words_fini(struct words *w)
{
	buf_fini(&w->text);
	free(w->places);
	*w = (struct words){0};
}

/* Add the next word of a text; false if there is none. */
static bool
add_word(struct words *w, const char **at, const char **begin)
{
	size_t place = w->text.length;

	if (!eswords_next(at, begin, &w->text))
		return false;
	buf_byte(&w->text, '\0');
	w->places = buf_realloc(w->places, w->count + 1, sizeof *w->places);
	w->places[w->count++] = place;
	return true;
}

struct highlight *
highlight_new(const struct query *query, const struct shape *shape)
{
	struct highlight *h = buf_calloc(1, sizeof *h);

	h->query = query;
	h->shape = shape;
	h->terms = buf_calloc(query->term_count + 1, sizeof *h->terms);
	h->texts = buf_calloc(shape->count + 1, sizeof *h->texts);
	h->marked = buf_calloc(shape->count + 1, sizeof *h->marked);
	return h;
}

void
highlight_free(struct highlight *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->query->term_count; i++)
		words_fini(&h->terms[i]);
	for (size_t i = 0; i < h->shape->count; i++)
		buf_fini(&h->texts[i]);
	words_fini(&h->words);
	free(h->terms);
	free(h->texts);
	free(h->marked);
	free(h->places);
	free(h);
}

static bool
is_near(const struct search_hit *hit, size_t term)
{
	return hit->near != NULL && hit->near[term] != NULL;
}

/* What words the terms stand for is the same for all hits of a query. */
static void
learn_terms(struct highlight *h, const struct search_hit *hit)
{
	for (size_t i = 0; i < h->query->term_count && !h->known; i++) {
		const char *at = is_near(hit, i) ? hit->near[i] : h->query->terms[i].text, *begin;

		while (add_word(&h->terms[i], &at, &begin))
			continue;
	}
	h->known = true;
}

static void
take_words(struct highlight *h, const struct search_hit *hit)
{
	h->words.count = 0;
	buf_reset(&h->words.text);
	for (size_t i = 0; i < h->shape->count; i++) {
		const char *value = hit->values[i], *at = value, *end = value, *begin;

		if (value == NULL || h->shape->columns[i].type != TYPE_TEXT)
			continue;
		for (size_t k = 0; k < VALUE_CHARACTERS && letter_next(&end) != 0; k++)
			continue;
		while (at < end && add_word(&h->words, &at, &begin)) {
			if (h->words.count > h->capacity) {
				h->capacity = 2 * h->words.count + 64;
				h->places = buf_realloc(h->places, h->capacity, sizeof *h->places);
			}
			h->places[h->words.count - 1] =
			    (struct place){i, (size_t)(begin - value), (size_t)(at - value), false};
		}
	}
}

static bool
same_word(const char *word, const char *wanted, bool prefix)
{
	return prefix ? strncmp(word, wanted, strlen(wanted)) == 0 : strcmp(word, wanted) == 0;
}

/* Do the term's words stand side by side from the i-th word on? */
static bool
stands_at(const struct highlight *h, const struct words *term, bool prefix, size_t i)
{
	if (term->count == 0 || i + term->count > h->words.count)
		return false;
	for (size_t k = 0; k < term->count; k++)
		if (!same_word(word_at(&h->words, i + k), word_at(term, k), prefix && k + 1 == term->count))
			return false;
	return true;
}

static void
find_term(struct highlight *h, const struct search_hit *hit, size_t number)
{
	const struct words *term = &h->terms[number];
	bool prefix = h->query->terms[number].kind == QUERY_PREFIX;

	for (size_t i = 0; i < h->words.count; i++) {
		if (is_near(hit, number)) {
			for (size_t k = 0; k < term->count && !h->places[i].found; k++)
				h->places[i].found = strcmp(word_at(&h->words, i), word_at(term, k)) == 0;
		} else if (stands_at(h, term, prefix, i)) {
			for (size_t k = 0; k < term->count; k++)
				h->places[i + k].found = true;
		}
	}
}

/* Write the texts of the columns in which something was found. */
static void
write_texts(struct highlight *h, const struct search_hit *hit)
{
	size_t column = SIZE_MAX, written = 0;

	for (size_t i = 0; i < h->shape->count; i++) {
		buf_reset(&h->texts[i]);
		h->marked[i] = NULL;
	}
	for (size_t i = 0; i < h->words.count; i++) {
		const struct place *p = &h->places[i];
		const char *value = hit->values[p->column];

		if (!p->found)
			continue;
		if (p->column != column)
			written = 0;
		column = p->column;
		buf_append(&h->texts[column], value + written, p->begin - written);
		buf_string(&h->texts[column], h->query->marks[0]);
		buf_append(&h->texts[column], value + p->begin, p->end - p->begin);
		buf_string(&h->texts[column], h->query->marks[1]);
		written = p->end;
		/* The last one of its column? */
		size_t next = i + 1;
		while (next < h->words.count && h->places[next].column == column && !h->places[next].found)
			next++;
		if (next == h->words.count || h->places[next].column != column) {
			buf_string(&h->texts[column], value + written);
			h->marked[column] = h->texts[column].bytes;
		}
	}
}

const char *const *
highlight_hit(struct highlight *h, const struct search_hit *hit)
{
	learn_terms(h, hit);
	take_words(h, hit);
	for (size_t i = 0; i < h->query->term_count; i++)
		find_term(h, hit, i);
	write_texts(h, hit);
	return h->marked;
}
