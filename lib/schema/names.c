#include "schema/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "schema/letter.h"

enum {
	NAME_MAX_BYTES = 63, /* NAMEDATALEN - 1 */
	HASH_BYTES = 9,      /* _1a2b3c4d */
	COLUMNS_MAX = 1598,  /* PostgreSQL's 1600 without _version and _id */
};

/*
 * Names that cannot be typed as a column without quotes: what
 * pg_get_keywords() of PostgreSQL 15 to 17 calls reserved (catcode R and T),
 * and the system columns. Each between blanks.
 */
static const char reserved[] =
    " all analyse analyze and any array as asc asymmetric authorization binary both case cast check cmax cmin "
    "collate collation column concurrently constraint create cross ctid current_catalog current_date "
    "current_role current_schema current_time current_timestamp current_user default deferrable desc distinct "
    "do else end except false fetch for foreign freeze from full grant group having ilike in initially inner "
    "intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not "
    "notnull null offset on only or order outer overlaps placing primary references returning right select "
    "session_user similar some symmetric system_user table tableoid tablesample then to trailing true union "
    "unique user using variadic verbose when where window with xmax xmin ";

static bool
is_reserved(const char *name)
{
	char *word = buf_format(" %s ", name);
	bool found = strstr(reserved, word) != NULL;

	free(word);
	return found;
}

/* What a character is to the rule of words. */
enum kind { SEPARATOR, SMALL, CAPITAL, DIGIT };

static enum kind
kind_of(uint32_t c)
{
	if (!letter_is(c))
		return SEPARATOR;
	if (c >= '0' && c <= '9')
		return DIGIT;
	return letter_lower(c) != c ? CAPITAL : SMALL;
}

/* Does a capital begin a word, by the character before it and the text behind it? */
static bool
begins_word(enum kind before, const char *behind)
{
	int needed = before == CAPITAL ? 2 : before == DIGIT ? 1 : 0;

	while (needed > 0 && kind_of(letter_next(&behind)) == SMALL)
		needed--;
	return needed == 0;
}

static void
append_snake(struct buf *name, const char *text)
{
	enum kind before = SEPARATOR;
	uint32_t c;

	while ((c = letter_next(&text)) != 0) {
		enum kind kind = kind_of(c);
		char bytes[4];

		if (kind != SEPARATOR) {
			if (name->length > 0 && (before == SEPARATOR || (kind == CAPITAL && begins_word(before, text))))
				buf_byte(name, '_');
			if (name->length == 0 && kind == DIGIT)
				buf_byte(name, '_');
			buf_append(name, bytes, letter_write(bytes, letter_lower(c)));
		}
		before = kind;
	}
}

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t
hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

/* Shorten to at most `length` bytes, without half a character or a `_` at the end. */
static void
cut(struct buf *name, size_t length)
{
	if (name->length <= length)
		return;
	while (length > 0 && ((name->bytes[length] & 0xC0) == 0x80 || name->bytes[length - 1] == '_'))
		length--;
	name->length = length;
	name->bytes[length] = '\0';
}

/* A whole name of what append_snake made of `text`. */
static char *
finish(struct buf *name, const char *text)
{
	if (is_reserved(name->bytes))
		buf_byte(name, '_');
	if (name->length > NAME_MAX_BYTES) {
		cut(name, NAME_MAX_BYTES - HASH_BYTES);
		buf_printf(name, "_%08x", hash(text));
	}
	return buf_detach(name);
}

char *
names_column(const char *header, size_t position)
{
	struct buf name = {0};

	append_snake(&name, header);
	if (name.length == 0)
		buf_printf(&name, "column_%zu", position);
	return finish(&name, header);
}

char *
names_table(const char *dataset)
{
	struct buf name = {0};

	append_snake(&name, dataset);
	if (name.length == 0)
		buf_printf(&name, "dataset_%08x", hash(dataset));
	else if (strncmp(name.bytes, "pg_", 3) == 0)
		buf_byte(&name, '_');
	return finish(&name, dataset);
}

static bool
contains(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The first of NAME_2, NAME_3 ... that no column has. */
static char *
count_up(char *const *names, size_t count, const char *name)
{
	for (unsigned n = 2;; n++) {
		struct buf next = {0};
		char suffix[16];
		int length = snprintf(suffix, sizeof suffix, "_%u", n);

		buf_string(&next, name);
		cut(&next, NAME_MAX_BYTES - (size_t)length);
		buf_string(&next, suffix);
		if (!contains(names, count, next.bytes))
			return buf_detach(&next);
		buf_fini(&next);
	}
}

int
names_columns(const char *const *headers, size_t count, char **names, struct err *e)
{
	if (count > COLUMNS_MAX)
		return err_set(e, ERR_DATA,
		    "%zu columns, a table can have %d; hint: is the delimiter right? (--delimiter)", count,
		    COLUMNS_MAX);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (headers[i][0] != '\0' && strcmp(headers[i], headers[j]) == 0)
				return err_set(e, ERR_DATA, "columns %zu and %zu have the same header \"%s\"", j + 1,
				    i + 1, headers[i]);
	for (size_t i = 0; i < count; i++)
		names[i] = names_column(headers[i], i + 1);
	/* The first of a collision keeps the name; a counted one avoids names of later headers, too. */
	for (size_t i = 1; i < count; i++) {
		if (contains(names, i, names[i])) {
			char *next = count_up(names, count, names[i]);

			free(names[i]);
			names[i] = next;
		}
	}
	return 0;
}

/* Remove one of the endings from a name, unless nothing would be left. */
static void
strip(char *name, const char *const *endings)
{
	size_t length = strlen(name);

	for (; *endings != NULL; endings++) {
		size_t ending = strlen(*endings);

		if (length > ending && strcasecmp(name + length - ending, *endings) == 0) {
			name[length - ending] = '\0';
			return;
		}
	}
}

char *
names_dataset(const char *path)
{
	static const char *const compressed[] = {".gz", ".zst", NULL};
	static const char *const text[] = {".csv", ".tsv", ".txt", NULL};
	const char *slash = strrchr(path, '/');
	char *name = buf_strdup(slash != NULL ? slash + 1 : path);

	strip(name, compressed);
	strip(name, text);
	return name;
}
