#include "search/query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/edits.h"
#include "cli/nearest.h"
#include "schema/letter.h"
#include "schema/shape.h"
#include "schema/type.h"

#define BLANKS " \t\r\n"

void
query_init(struct query *q)
{
	*q = (struct query){.sort = -1, .limit = QUERY_ALL};
}

void
query_fini(struct query *q)
{
	for (size_t i = 0; i < q->term_count; i++)
		free(q->terms[i].text);
	free(q->terms);
	for (size_t i = 0; i < q->filter_count; i++)
		free(q->filters[i].value);
	free(q->filters);
	free(q->cursor);
	free(q->facets);
	free(q->marks[0]);
	free(q->marks[1]);
	query_init(q);
}

static int
check_utf8(const char *text, struct err *e)
{
	for (const char *s = text, *next = text; *s; s = next)
		/* The character that stands for a fault may itself be in the text. */
		if (letter_next(&next) == LETTER_INVALID && next - s != 3)
			return err_set(e, ERR_USAGE, "not UTF-8 at byte %zu of \"%s\"", (size_t)(s - text) + 1, text);
	return 0;
}

static void
add_term(struct query *q, enum query_kind kind, const char *text, size_t length)
{
	q->terms = buf_realloc(q->terms, q->term_count + 1, sizeof *q->terms);
	q->terms[q->term_count++] = (struct query_term){kind, buf_strndup(text, length)};
}

int
query_text(struct query *q, const char *text, struct err *e)
{
	if (check_utf8(text, e) != 0)
		return -1;
	for (const char *s = text; *s;) {
		const char *end = *s == '"' ? strchr(s + 1, '"') : NULL;
		if (end) {
			if (s + 1 + strspn(s + 1, BLANKS) < end)
				add_term(q, QUERY_PHRASE, s + 1, (size_t)(end - s - 1));
			s = end + 1;
			continue;
		}
		size_t length = strcspn(s, BLANKS "\"");
		bool asks = strspn(s, "*") < length;
		if (asks && s[length - 1] == '*')
			add_term(q, QUERY_PREFIX, s, length - 1);
		else if (asks)
			add_term(q, QUERY_WORDS, s, length);
		s += length > 0 ? length : 1;
	}
	return 0;
}

static int
unknown_column(const struct shape *shape, const char *name, struct err *e)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;
	struct buf list = {0};
	for (size_t i = 0; i < shape->count; i++) {
		const char *const spellings[] = {shape->columns[i].header, shape->columns[i].name};
		for (size_t j = 0; j < 2; j++) {
			const char *known = spellings[j];
			size_t edits = strcasecmp(name, known) == 0 ? 0 : edits_between(name, known);
			if (edits < least && (edits == 0 || nearest_plausible(name, known))) {
				least = edits;
				nearest = known;
			}
		}
		if (list.length < 300)
			buf_printf(&list, "%s%s", i > 0 ? ", " : "", shape->columns[i].name);
		else if (list.bytes[list.length - 1] != '.')
			buf_string(&list, ", ...");
	}
	if (nearest)
		err_set(e, ERR_USAGE, "no column \"%s\"; hint: did you mean \"%s\"?", name, nearest);
	else
		err_set(
		    e, ERR_USAGE, "no column \"%s\"; hint: there are %s", name, list.length > 0 ? list.bytes : "none");
	buf_fini(&list);
	return -1;
}

/* The column that these bytes name, as they are or without the blanks around them; -1 and an error if none. */
static ssize_t
find_column(const struct shape *shape, const char *bytes, size_t length, struct err *e)
{
	char *exact = buf_strndup(bytes, length);
	ssize_t column = shape_find(shape, exact);
	free(exact);
	if (column >= 0)
		return column;
	while (length > 0 && isspace((unsigned char)bytes[length - 1]))
		length--;
	while (length > 0 && isspace((unsigned char)*bytes))
		bytes++, length--;
	char *name = buf_strndup(bytes, length);
	column = shape_find(shape, name);
	if (column < 0)
		unknown_column(shape, name, e);
	free(name);
	return column;
}

/* The operator that begins at `s`; *length gets its bytes, 0 if there is none. */
static enum query_operator
operator_at(const char *s, size_t *length)
{
	static const struct {
		const char *spelling;
		enum query_operator operator;
	} table[] = {
	    {"!=", QUERY_NOT_EQUAL},
	    {"<=", QUERY_LESS_EQUAL},
	    {">=", QUERY_GREATER_EQUAL},
	    {"=", QUERY_EQUAL},
	    {"<", QUERY_LESS},
	    {">", QUERY_GREATER},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		*length = strlen(table[i].spelling);
		if (strncmp(s, table[i].spelling, *length) == 0)
			return table[i].operator;
	}
	*length = 0;
	return QUERY_NULL;
}

/* The value as the column's type wants it, malloced; NULL and the type's reason if it cannot be. */
static char *
complete(enum type_id type, const char *value, const char **reason)
{
	size_t length = strlen(value);
	*reason = type_check(type, value, length);
	if (!*reason)
		return buf_strdup(value);
	if (type != TYPE_TIMESTAMP && type != TYPE_TIMESTAMPTZ)
		return NULL;
	const char *zone = type == TYPE_TIMESTAMPTZ ? "Z" : "";
	if (!type_check(TYPE_DATE, value, length))
		return buf_format("%s 00:00%s", value, zone);
	if (type == TYPE_TIMESTAMPTZ && !type_check(TYPE_TIMESTAMP, value, length))
		return buf_format("%s%s", value, zone);
	return NULL;
}

static void
add_filter(struct query *q, size_t column, enum query_operator operator, char * value)
{
	q->filters = buf_realloc(q->filters, q->filter_count + 1, sizeof *q->filters);
	q->filters[q->filter_count++] = (struct query_filter){column, operator, value };
}

/* False and the type's reason if the value cannot be. */
static bool
add_checked(struct query *q, const struct shape *shape, size_t column, enum query_operator operator, const char * value,
    const char **reason)
{
	char *checked = complete(shape->columns[column].type, value, reason);
	if (checked)
		add_filter(q, column, operator, checked);
	return checked != NULL;
}

/* `COL is null`: what there is to read if there is no operator. */
static int
where_null(struct query *q, const struct shape *shape, const char *expression, struct err *e)
{
	static const char suffix[] = "is null";
	size_t length = strlen(expression), tail = sizeof suffix - 1;
	while (length > 0 && isspace((unsigned char)expression[length - 1]))
		length--;
	if (length < tail + 2 || strncasecmp(expression + length - tail, suffix, tail) != 0 ||
	    !isspace((unsigned char)expression[length - tail - 1]))
		return err_set(e, ERR_USAGE,
		    "no operator in \"%s\"; hint: COL=VALUE, or != < <= > >=, or \"COL is null\"", expression);
	ssize_t column = find_column(shape, expression, length - tail - 1, e);
	if (column < 0)
		return -1;
	add_filter(q, (size_t)column, QUERY_NULL, NULL);
	return 0;
}

int
query_where(struct query *q, const struct shape *shape, const char *expression, struct err *e)
{
	if (check_utf8(expression, e) != 0)
		return -1;
	size_t before = strcspn(expression, "!<>="), length = 0;
	enum query_operator operator= QUERY_NULL;
	/* A `!` alone is a character. */
	for (; expression[before]; before += 1 + strcspn(expression + before + 1, "!<>=")) {
		operator= operator_at(expression + before, &length);
		if (length > 0)
			break;
	}
	if (length == 0)
		return where_null(q, shape, expression, e);
	ssize_t column = find_column(shape, expression, before, e);
	if (column < 0)
		return -1;
	const char *value = expression + before + length, *reason;
	if (before > 0 && isspace((unsigned char)expression[before - 1]))
		while (isspace((unsigned char)*value))
			value++;
	if (!add_checked(q, shape, (size_t)column, operator, value, &reason))
		return err_set(e, ERR_USAGE, "\"%s\" in \"%s\": %s", value, expression, reason);
	return 0;
}

int
query_filter(struct query *q, const struct shape *shape, const char *column, enum query_operator operator,
    const char * value, struct err *e)
{
	const char *reason;
	if (check_utf8(column, e) != 0 || check_utf8(value, e) != 0)
		return -1;
	ssize_t found = find_column(shape, column, strlen(column), e);
	if (found < 0)
		return -1;
	if (!add_checked(q, shape, (size_t)found, operator, value, &reason))
		return err_set(e, ERR_USAGE, "\"%s\": %s", value, reason);
	return 0;
}

int
query_sort(struct query *q, const struct shape *shape, const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	size_t length = strlen(text);
	q->descending = false;
	if (check_utf8(text, e) != 0)
		return -1;
	/* A header may hold a colon itself. */
	if (colon && shape_find(shape, text) < 0 && (strcmp(colon, ":desc") == 0 || strcmp(colon, ":asc") == 0)) {
		q->descending = strcmp(colon, ":desc") == 0;
		length = (size_t)(colon - text);
	}
	q->sort = find_column(shape, text, length, e);
	return q->sort < 0 ? -1 : 0;
}

int
query_facet(struct query *q, const struct shape *shape, const char *column, struct err *e)
{
	if (check_utf8(column, e) != 0)
		return -1;
	ssize_t found = find_column(shape, column, strlen(column), e);
	if (found < 0)
		return -1;
	for (size_t i = 0; i < q->facet_count; i++)
		if (q->facets[i] == (size_t)found)
			return 0;
	if (q->facet_count == QUERY_MOST_FACETS)
		return err_set(e, ERR_USAGE, "\"%s\" is one too many: at most %d columns are counted at once", column,
		    QUERY_MOST_FACETS);
	q->facets = buf_realloc(q->facets, q->facet_count + 1, sizeof *q->facets);
	q->facets[q->facet_count++] = (size_t)found;
	return 0;
}

int
query_highlight(struct query *q, const char *marks, struct err *e)
{
	if (!marks)
		marks = "[,]";
	const char *comma = strchr(marks, ',');
	if (check_utf8(marks, e) != 0)
		return -1;
	if (!comma)
		return err_set(e, ERR_USAGE, "\"%s\" is not BEGIN,END", marks);
	free(q->marks[0]);
	free(q->marks[1]);
	q->marks[0] = buf_strndup(marks, (size_t)(comma - marks));
	q->marks[1] = buf_strdup(comma + 1);
	return 0;
}
