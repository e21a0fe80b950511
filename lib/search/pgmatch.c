#include "search/pgmatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/pg.h"
#include "schema/shape.h"
#include "search/pgsql.h"
#include "search/query.h"
#include "search/search.h"

void
pgmatch_fini(struct pgmatch *m)
{
	for (size_t i = 0; i < m->owned_count; i++)
		free(m->owned[i]);
	free(m->owned);
	free(m->params);
	buf_fini(&m->words);
	buf_fini(&m->from);
}

size_t
pgmatch_parameter(struct pgmatch *m, const char *value)
{
	m->params = buf_realloc(m->params, m->param_count + 1, sizeof *m->params);
	m->params[m->param_count++] = value;
	return m->param_count;
}

/* Add a parameter that it frees itself. */
static size_t
own_parameter(struct pgmatch *m, char *value)
{
	m->owned = buf_realloc(m->owned, m->owned_count + 1, sizeof *m->owned);
	m->owned[m->owned_count++] = value;
	return pgmatch_parameter(m, value);
}

/*
 * A term as a tsquery. phraseto_tsquery() takes any text. to_tsquery() has a
 * syntax, which alone knows prefixes: there the term goes in between quotes,
 * and a quote or backslash in it, neither a letter nor a digit, as a blank.
 */
static void
write_term(struct pgmatch *m, const struct query_term *term)
{
	char param[32];
	if (term->kind == QUERY_PREFIX) {
		char *text = buf_strdup(term->text);
		for (char *c = text; (c = strpbrk(c, "'\\"));)
			*c = ' ';
		snprintf(param, sizeof param, "$%zu::text", own_parameter(m, text));
		buf_string(&m->words, "to_tsquery('simple', '''' || ");
		pgsql_words(&m->words, param);
		buf_string(&m->words, " || ''':*')");
	} else {
		snprintf(param, sizeof param, "$%zu::text", pgmatch_parameter(m, term->text));
		buf_string(&m->words, "phraseto_tsquery('simple', ");
		pgsql_words(&m->words, param);
		buf_byte(&m->words, ')');
	}
}

/* Any of these words, as the text of a tsquery. */
static void
write_any(struct pgmatch *m, const char *words)
{
	struct buf text = {0};
	for (const char *word = words; *word;) {
		size_t length = strcspn(word, " ");
		buf_printf(&text, "%s'%.*s'", text.length > 0 ? " | " : "", (int)length, word);
		word += length + (word[length] == ' ');
	}
	buf_printf(&m->words, "$%zu::tsquery", own_parameter(m, buf_detach(&text)));
}

static void
write_filter(struct pgmatch *m, const struct shape *shape, const struct query_filter *filter)
{
	static const char *const operators[] = {
	    [QUERY_EQUAL] = "=",
	    [QUERY_NOT_EQUAL] = "<>",
	    [QUERY_LESS] = "<",
	    [QUERY_LESS_EQUAL] = "<=",
	    [QUERY_GREATER] = ">",
	    [QUERY_GREATER_EQUAL] = ">=",
	};
	const struct column *column = &shape->columns[filter->column];
	buf_string(&m->from, " AND t.");
	pg_quote_name(&m->from, column->name);
	if (filter->operator== QUERY_NULL) {
		buf_string(&m->from, " IS NULL");
		return;
	}
	buf_printf(&m->from, " %s $%zu::%s", operators[filter->operator], pgmatch_parameter(m, filter->value),
	    type_sql(column->type));
	if (column->type == TYPE_TEXT)
		buf_string(&m->from, " COLLATE \"C\"");
}

void
pgmatch_write(struct pgmatch *m, const struct search_index *index, const struct query *query, char *const *near)
{
	for (size_t i = 0; i < query->term_count; i++) {
		buf_string(&m->words, i > 0 ? " && " : "(");
		if (near[i])
			write_any(m, near[i]);
		else
			write_term(m, &query->terms[i]);
	}
	if (query->term_count > 0)
		buf_byte(&m->words, ')');

	buf_string(&m->from, " FROM ");
	pgsql_documents(&m->from, index);
	buf_string(&m->from, " d");
	if (query->filter_count > 0 || query->sort >= 0) {
		buf_string(&m->from, " JOIN ");
		pgsql_records(&m->from, index);
		buf_string(&m->from, " t ON ");
		pgsql_same_key(&m->from, index, "t", "d");
	}
	buf_string(&m->from, " WHERE true");
	if (m->words.length > 0)
		buf_printf(&m->from, " AND d._body @@ %s", m->words.bytes);
	for (size_t i = 0; i < query->filter_count; i++)
		write_filter(m, index->shape, &query->filters[i]);
}
