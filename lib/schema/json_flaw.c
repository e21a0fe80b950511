#include "schema/json_flaw.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DEEPEST 100

struct text {
	const char *at, *end;
};

static bool
next_is(struct text *t, char byte)
{
	if (t->at == t->end || *t->at != byte)
		return false;
	t->at++;
	return true;
}

static void
blanks(struct text *t)
{
	while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\r' || *t->at == '\n'))
		t->at++;
}

static bool
digits(struct text *t)
{
	const char *first = t->at;

	while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
		t->at++;
	return t->at > first;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][-+]?[0-9]+)? */
static bool
number(struct text *t)
{
	next_is(t, '-');
	if (!next_is(t, '0') && !digits(t))
		return false;
	if (next_is(t, '.') && !digits(t))
		return false;
	if (!next_is(t, 'e') && !next_is(t, 'E'))
		return true;
	if (!next_is(t, '-'))
		next_is(t, '+');
	return digits(t);
}

static bool
word(struct text *t, const char *word)
{
	for (; *word != '\0'; word++)
		if (!next_is(t, *word))
			return false;
	return true;
}

static bool
hex4(struct text *t)
{
	for (int i = 0; i < 4; i++, t->at++)
		if (t->at == t->end || *t->at == '\0' || strchr("0123456789abcdefABCDEF", *t->at) == NULL)
			return false;
	return true;
}

static bool
string(struct text *t)
{
	if (!next_is(t, '"'))
		return false;
	while (t->at < t->end && (unsigned char)*t->at >= 0x20) {
		if (next_is(t, '"'))
			return true;
		if (!next_is(t, '\\')) {
			t->at++;
			continue;
		}
		if (next_is(t, 'u')) {
			if (!hex4(t))
				return false;
		} else if (t->at == t->end || *t->at == '\0' || strchr("\"\\/bfnrt", *t->at) == NULL) {
			return false;
		} else {
			t->at++;
		}
	}
	return false;
}

static bool value(struct text *t, int depth);

static bool
object(struct text *t, int depth)
{
	blanks(t);
	if (next_is(t, '}'))
		return true;
	do {
		blanks(t);
		if (!string(t))
			return false;
		blanks(t);
		if (!next_is(t, ':') || !value(t, depth))
			return false;
	} while (next_is(t, ','));
	return next_is(t, '}');
}

static bool
array(struct text *t, int depth)
{
	blanks(t);
	if (next_is(t, ']'))
		return true;
	do
		if (!value(t, depth))
			return false;
	while (next_is(t, ','));
	return next_is(t, ']');
}

/* A value and the blanks on both sides. */
static bool
value(struct text *t, int depth)
{
	bool whole;

	blanks(t);
	if (t->at == t->end || depth == DEEPEST)
		return false;
	switch (*t->at) {
	case '{':
		t->at++;
		whole = object(t, depth + 1);
		break;
	case '[':
		t->at++;
		whole = array(t, depth + 1);
		break;
	case '"':
		whole = string(t);
		break;
	case 't':
		whole = word(t, "true");
		break;
	case 'f':
		whole = word(t, "false");
		break;
	case 'n':
		whole = word(t, "null");
		break;
	default:
		whole = number(t);
	}
	if (whole)
		blanks(t);
	return whole;
}

size_t
json_flaw(const char *bytes, size_t length)
{
	struct text t = {bytes, bytes + length};

	return value(&t, 0) && t.at == t.end ? SIZE_MAX : (size_t)(t.at - bytes);
}
