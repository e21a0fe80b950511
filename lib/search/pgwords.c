#include "search/pgwords.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/edits.h"
#include "db/pg.h"
#include "search/pgsql.h"
#include "search/query.h"
#include "search/search.h"
#include "search/spelling.h"

/* So many words one may stand for: each costs a look into the index. */
#define NEAR_MOST 100

void
pgwords_table(struct buf *sql, const struct search_index *index)
{
	buf_printf(sql, "csvp.word_%" PRId64, index->dataset);
}

void
pgwords_create(struct buf *sql, const struct search_index *index)
{
	buf_printf(sql,
	    "CREATE TABLE IF NOT EXISTS csvp.word_%1$" PRId64
	    " (word text COLLATE \"C\" PRIMARY KEY, spellings int[] NOT NULL);"
	    "CREATE INDEX IF NOT EXISTS word_%1$" PRId64 "_spellings ON csvp.word_%1$" PRId64 " USING gin (spellings)",
	    index->dataset);
}

/* Most words with a digit begin with one, and are passed over before they cost anything. */
void
pgwords_missing(struct buf *sql, const struct search_index *index, const char *relation)
{
	buf_printf(sql,
	    "SELECT w.word FROM (SELECT DISTINCT u.word FROM"
	    " (SELECT unnest(tsvector_to_array(%s._body)) COLLATE \"C\" AS word FROM %s) u WHERE u.word >= ':') w"
	    " WHERE w.word !~ '[0-9]' AND char_length(w.word) BETWEEN 2 AND %d AND NOT EXISTS (SELECT FROM ",
	    relation, relation, EDITS_LETTERS);
	pgwords_table(sql, index);
	buf_string(sql, " v WHERE v.word = w.word)");
}

/* Append the array literal of a word's spellings. */
static void
write_spellings(struct buf *array, const char *word, size_t strikes)
{
	int32_t spellings[SPELLING_MOST];
	size_t count = spelling_list(word, strikes, spellings);

	for (size_t i = 0; i < count; i++)
		buf_printf(array, "%c%" PRId32, i > 0 ? ',' : '{', spellings[i]);
	buf_byte(array, '}');
}

/* Whoever writes several words writes them in order, so that writers cannot deadlock. */
int
pgwords_add(struct pg *pg, const struct search_index *index, const struct pg_rows *rows, size_t column, struct err *e)
{
	struct buf sql = {0}, words = {0}, spellings = {0};
	size_t count = 0;
	int result = 0;

	for (size_t i = 0; i < pg_rows_count(rows); i++) {
		const char *word = pg_rows_text(rows, i, column);

		if (word == NULL)
			continue;
		buf_printf(&words, "%c\"%s\"", count > 0 ? ',' : '{', word);
		buf_string(&spellings, count > 0 ? ",\"" : "{\"");
		write_spellings(&spellings, word, 2);
		buf_byte(&spellings, '"');
		count++;
	}
	if (count > 0) {
		buf_byte(&words, '}');
		buf_byte(&spellings, '}');
		buf_string(&sql, "INSERT INTO ");
		pgwords_table(&sql, index);
		buf_string(&sql,
		    " SELECT u.word, u.spellings::int[] FROM unnest($1::text[], $2::text[]) AS u (word, spellings)"
		    " ORDER BY u.word COLLATE \"C\" ON CONFLICT DO NOTHING");
		result = PG_QUERY(pg, NULL, e, sql.bytes, words.bytes, spellings.bytes);
	}
	buf_fini(&spellings);
	buf_fini(&words);
	buf_fini(&sql);
	return result;
}

/* The one word that a term is, to be freed, and whether the table has it; NULL if the term is none or several. */
static int
read_word(struct pg *pg, const struct search_index *index, const struct query_term *term, char **word, bool *known,
    struct err *e)
{
	char *text = pgsql_words_of(term->text);
	char *sql = buf_format("SELECT w.word, EXISTS (SELECT FROM csvp.word_%" PRId64 " v WHERE v.word = w.word)"
			       " FROM (SELECT (tsvector_to_array(to_tsvector('simple', $1::text)))[1] AS word"
			       " WHERE numnode(phraseto_tsquery('simple', $1::text)) = 1) w",
	    index->dataset);
	struct pg_rows *rows;
	int result = PG_QUERY(pg, &rows, e, sql, text);

	*word = NULL;
	if (result == 0 && pg_rows_count(rows) > 0) {
		*word = buf_strdup(pg_rows_text(rows, 0, 0));
		*known = pg_rows_bool(rows, 0, 1);
	}
	if (result == 0)
		pg_rows_free(rows);
	free(sql);
	free(text);
	return result;
}

/* Is there a document with this word? 1, 0, -1. */
static int
has_documents(struct pg *pg, const struct search_index *index, const char *word, struct err *e)
{
	struct buf sql = {0};
	struct pg_rows *rows;
	int result;

	buf_string(&sql, "SELECT EXISTS (SELECT FROM ");
	pgsql_documents(&sql, index);
	buf_string(&sql, " d WHERE d._body @@ quote_literal($1)::tsquery)");
	result = PG_QUERY(pg, &rows, e, sql.bytes, word);
	buf_fini(&sql);
	if (result != 0)
		return -1;
	result = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return result;
}

/* The words of the table that share a spelling with this one, and it itself if the table has it. */
static int
read_candidates(struct pg *pg, const struct search_index *index, const char *word, size_t edits, struct pg_rows **rows,
    struct err *e)
{
	struct buf sql = {0}, spellings = {0};
	int result;

	write_spellings(&spellings, word, edits);
	buf_string(&sql, "SELECT v.word FROM ");
	pgwords_table(&sql, index);
	buf_string(&sql, " v WHERE v.spellings && $1::int[] ORDER BY v.word");
	result = PG_QUERY(pg, rows, e, sql.bytes, spellings.bytes);
	buf_fini(&spellings);
	buf_fini(&sql);
	return result;
}

/* The word, and those of the candidates nearest to it that documents have; NULL if there is none. */
static int
choose(struct pg *pg, const struct search_index *index, const char *word, size_t edits,
    const struct pg_rows *candidates, char **near, struct err *e)
{
	struct buf list = {0};
	size_t count = 0;
	int found = 0;

	buf_string(&list, word);
	for (size_t distance = 1; distance <= edits && count == 0 && found >= 0; distance++)
		for (size_t i = 0; i < pg_rows_count(candidates) && count < NEAR_MOST && found >= 0; i++) {
			const char *candidate = pg_rows_text(candidates, i, 0);

			if (edits_between(word, candidate) != distance)
				continue;
			found = has_documents(pg, index, candidate, e);
			if (found > 0) {
				buf_printf(&list, " %s", candidate);
				count++;
			}
		}
	if (count > 0 && found >= 0)
		*near = buf_detach(&list);
	buf_fini(&list);
	return found >= 0 ? 0 : -1;
}

static int
read_near(struct pg *pg, const struct search_index *index, const struct query_term *term, bool doubt, char **near,
    struct err *e)
{
	struct pg_rows *candidates;
	char *word;
	bool known;
	size_t edits;
	int found = 0, result = -1;

	if (read_word(pg, index, term, &word, &known, e) != 0)
		return -1;
	edits = word != NULL ? spelling_edits(word) : 0;
	if (edits > 0 && known)
		found = doubt ? has_documents(pg, index, word, e) : 1;
	if (edits == 0 || found != 0) {
		result = found < 0 ? -1 : 0;
	} else if (read_candidates(pg, index, word, edits, &candidates, e) == 0) {
		result = choose(pg, index, word, edits, candidates, near, e);
		pg_rows_free(candidates);
	}
	free(word);
	return result;
}

int
pgwords_near(
    struct pg *pg, const struct search_index *index, const struct query *query, bool doubt, char **near, struct err *e)
{
	for (size_t i = 0; i < query->term_count; i++)
		if (query->terms[i].kind == QUERY_WORDS && near[i] == NULL &&
		    read_near(pg, index, &query->terms[i], doubt, &near[i], e) != 0)
			return -1;
	return 0;
}
