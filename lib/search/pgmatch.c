#include "search/pgmatch.h"

#include <stdbool.h>
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
	buf_fini(&m->still);
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
	char *words = pgsql_words_of(term->text);
	const char *function = "phraseto_tsquery";
	if (term->kind == QUERY_PREFIX) {
		char *quoted;
		for (char *c = words; (c = strpbrk(c, "'\\"));)
			*c = ' ';
		quoted = buf_format("'%s':*", words);
		free(words);
		words = quoted;
		function = "to_tsquery";
	}
	buf_printf(&m->words, "%s('simple', $%zu::text)", function, own_parameter(m, words));
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

/*
 * A record with this text has its words. That is not enough, but the index over the words leaves few records to look
 * at: with `country=Denmark` a fiftieth of them. A text without words says nothing.
 */
static void
write_words_of(struct pgmatch *m, struct buf *where, const char *value)
{
	size_t param = own_parameter(m, pgsql_words_of(value));
	buf_printf(where,
	    " AND (numnode(plainto_tsquery('simple', $%1$zu::text)) = 0"
	    " OR d._body @@ plainto_tsquery('simple', $%1$zu::text))",
	    param);
}

/* The condition on an expression: what stands behind it. */
static void
write_condition(struct buf *sql, const struct query_filter *filter, const char *type, size_t param)
{
	static const char *const operators[] = {
	    [QUERY_EQUAL] = "=",
	    [QUERY_NOT_EQUAL] = "<>",
	    [QUERY_LESS] = "<",
	    [QUERY_LESS_EQUAL] = "<=",
	    [QUERY_GREATER] = ">",
	    [QUERY_GREATER_EQUAL] = ">=",
	};
	if (filter->operator== QUERY_NULL)
		buf_string(sql, " IS NULL");
	else
		buf_printf(sql, " %s $%zu::%s", operators[filter->operator], param, type);
}

/* Append it to `where`; true if it needs the record. */
static bool
write_filter(struct pgmatch *m, struct buf *where, const struct search_index *index, const struct query_filter *filter)
{
	const struct column *column = &index->shape->columns[filter->column];
	size_t param = filter->operator!= QUERY_NULL ? pgmatch_parameter(m, filter->value) : 0;
	bool held;
	buf_string(where, " AND ");
	held = pgsql_column(where, index, filter->column);
	write_condition(where, filter, type_sql(column->type), param);
	if (filter->operator== QUERY_EQUAL && pgsql_body_holds(index, filter->column, filter->value))
		write_words_of(m, where, filter->value);
	if (held) {
		buf_string(&m->still, " AND t.");
		pg_quote_name(&m->still, column->name);
		write_condition(&m->still, filter, type_sql(column->type), param);
	}
	return !held;
}

void
pgmatch_write(struct pgmatch *m, const struct search_index *index, const struct query *query, char *const *near)
{
	struct buf where = {0}, sort = {0};
	bool joined = false;
	for (size_t i = 0; i < query->term_count; i++) {
		buf_string(&m->words, i > 0 ? " && " : "(");
		if (near[i])
			write_any(m, near[i]);
		else
			write_term(m, &query->terms[i]);
	}
	if (query->term_count > 0)
		buf_byte(&m->words, ')');

	for (size_t i = 0; i < query->filter_count; i++)
		joined |= write_filter(m, &where, index, &query->filters[i]);
	joined |= query->sort >= 0 && !pgsql_column(&sort, index, (size_t)query->sort);

	buf_string(&m->from, " FROM ");
	pgsql_documents(&m->from, index);
	buf_string(&m->from, " d");
	if (joined) {
		buf_string(&m->from, " JOIN ");
		pgsql_records(&m->from, index);
		buf_string(&m->from, " t ON ");
		pgsql_same_key(&m->from, index, "t", "d");
	}
	buf_string(&m->from, " WHERE true");
	if (m->words.length > 0)
		buf_printf(&m->from, " AND d._body @@ %s", m->words.bytes);
	buf_append(&m->from, where.bytes, where.length);
	buf_fini(&sort);
	buf_fini(&where);
}
