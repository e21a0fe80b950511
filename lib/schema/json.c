#include "schema/json.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "schema/letter.h"

static void
blanks(struct json *j)
{
	j->at += strspn(j->at, " \t\r\n");
}

static bool
fault(struct json *j)
{
	static char nothing[1];

	j->bad = true;
	j->at = nothing;
	return false;
}

static bool
enter(struct json *j, char bracket)
{
	blanks(j);
	if (*j->at != bracket)
		return false;
	j->at++;
	j->first = true;
	return true;
}

bool
json_object(struct json *j)
{
	return enter(j, '{');
}

bool
json_array(struct json *j)
{
	return enter(j, '[');
}

/* Go to the next thing inside brackets; false behind the closing one. */
static bool
next(struct json *j, char closing)
{
	blanks(j);
	if (*j->at == closing) {
		j->at++;
		j->first = false;
		return false;
	}
	if (!j->first && *j->at++ != ',')
		return fault(j);
	j->first = false;
	blanks(j);
	return *j->at != '\0' || fault(j);
}

/* Four hex digits; UINT32_MAX if they are none. */
static uint32_t
hex4(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		if (!isxdigit(c))
			return UINT32_MAX;
		value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

/* What stands behind \u, and a second one if it is half a pair; *from is moved behind it. */
static uint32_t
escaped(const char **from)
{
	uint32_t c = hex4(*from), low;

	if (c == UINT32_MAX || c == 0)
		return UINT32_MAX;
	*from += 4;
	if (c < 0xD800 || c > 0xDFFF)
		return c;
	if (c > 0xDBFF || (*from)[0] != '\\' || (*from)[1] != 'u' || (low = hex4(*from + 2)) == UINT32_MAX ||
	    low < 0xDC00 || low > 0xDFFF)
		return UINT32_MAX;
	*from += 6;
	return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

static char *
string(struct json *j)
{
	static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
	char *text = j->at + 1, *to = text;
	const char *from = text;

	for (;;) {
		size_t plain = strcspn(from, "\"\\");

		memmove(to, from, plain);
		to += plain;
		from += plain;
		if (*from++ != '\\')
			break;
		if (*from == 'u') {
			uint32_t c;

			from++;
			if ((c = escaped(&from)) == UINT32_MAX)
				break;
			to += letter_write(to, c);
			continue;
		}
		const char *letter = *from != '\0' ? strchr(letters, *from) : NULL;

		if (letter == NULL && (*from == '\0' || strchr("\"\\/", *from) == NULL))
			break;
		*to++ = letter != NULL ? values[letter - letters] : *from;
		from++;
	}
	if (from[-1] != '"') {
		fault(j);
		return NULL;
	}
	*to = '\0';
	j->at += from - j->at;
	return text;
}

/* A number, true, false, null: one byte to the left, so that there is room for the NUL. */
static char *
word(struct json *j)
{
	size_t length = strcspn(j->at, ",]} \t\r\n");
	char *text = j->at - 1;

	if (length == 0) {
		fault(j);
		return NULL;
	}
	j->at += length;
	if (length == 4 && strncmp(text + 1, "null", 4) == 0)
		return NULL;
	memmove(text, text + 1, length);
	text[length] = '\0';
	return text;
}

bool
json_member(struct json *j, char **name)
{
	if (!next(j, '}'))
		return false;
	*name = *j->at == '"' ? string(j) : NULL;
	if (*name == NULL)
		return fault(j);
	blanks(j);
	return *j->at++ == ':' || fault(j);
}

bool
json_element(struct json *j)
{
	return next(j, ']');
}

char *
json_text(struct json *j)
{
	blanks(j);
	if (*j->at == '"')
		return string(j);
	if (*j->at == '{' || *j->at == '[') {
		fault(j);
		return NULL;
	}
	return word(j);
}

void
json_skip(struct json *j)
{
	size_t depth = 0;

	do {
		blanks(j);
		if (*j->at == '"') {
			for (j->at++; *j->at != '"' && *j->at != '\0'; j->at += 1 + strcspn(j->at + 1, "\"\\"))
				if (*j->at == '\\' && *++j->at == '\0')
					break;
			if (*j->at++ == '\0') {
				fault(j);
				return;
			}
		} else if (*j->at == '{' || *j->at == '[') {
			depth++;
			j->at++;
		} else if (*j->at == '}' || *j->at == ']') {
			depth--;
			j->at++;
		} else if (*j->at == ',' || *j->at == ':') {
			j->at++;
		} else {
			size_t length = strcspn(j->at, ",:]}[{\" \t\r\n");

			if (length == 0) {
				fault(j);
				return;
			}
			j->at += length;
		}
	} while (depth > 0 && !j->bad);
}
