#include "db/pg.h"

#include <string.h>

#include "base/buf.h"

static void
quoted(struct buf *sql, const char *text, char quote, char escape)
{
	buf_byte(sql, quote);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == quote || *p == escape)
			buf_byte(sql, *p);
		buf_byte(sql, *p);
	}
	buf_byte(sql, quote);
}

void
pg_quote_name(struct buf *sql, const char *name)
{
	quoted(sql, name, '"', '"');
}

void
pg_quote_literal(struct buf *sql, const char *text)
{
	/* In E'' a backslash means the same under every setting; the blank keeps the E off a word before it. */
	if (strchr(text, '\\') != NULL)
		buf_string(sql, " E");
	quoted(sql, text, '\'', strchr(text, '\\') != NULL ? '\\' : '\'');
}

void
pg_quote_array(struct buf *sql, const char *const *texts, size_t count, size_t stride)
{
	struct buf array = {0};

	buf_byte(&array, '{');
	for (size_t i = 0; i < count; i++) {
		buf_string(&array, i > 0 ? ",\"" : "\"");
		for (const char *s = texts[i * stride]; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\')
				buf_byte(&array, '\\');
			buf_byte(&array, *s);
		}
		buf_byte(&array, '"');
	}
	buf_byte(&array, '}');
	pg_quote_literal(sql, array.bytes);
	buf_fini(&array);
}
