#include "io/disposition.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Append what is between quotes; the end behind the second one, NULL: there is none. */
static const char *
unquote(const char *at, struct buf *value)
{
	for (at++; *at != '"'; at++) {
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		if (*at == '\0')
			return NULL;
		buf_byte(value, *at);
	}
	return at + 1;
}

char *
disposition_parameter(const char *header, const char *name)
{
	struct buf value = {0};
	const char *at = header + strcspn(header, ";");

	while (at != NULL && *at == ';') {
		size_t length;
		bool wanted;

		at = skip_blanks(at + 1);
		length = strcspn(at, "=; \t");
		wanted = length == strlen(name) && strncasecmp(at, name, length) == 0;
		at = skip_blanks(at + length);
		buf_reset(&value);
		if (*at == '=') {
			at = skip_blanks(at + 1);
			length = strcspn(at, "; \t");
			if (*at == '"') {
				at = unquote(at, &value);
			} else {
				buf_append(&value, at, length);
				at += length;
			}
			if (wanted && at != NULL) {
				return buf_detach(&value);
			}
		}
		if (at != NULL)
			at = skip_blanks(at);
	}
	buf_fini(&value);
	return NULL;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The byte that "%XX" at `at` stands for; -1: it is none. */
static int
escaped(const char *at)
{
	int high = at[0] == '%' ? hex_digit(at[1]) : -1;
	int low = high >= 0 ? hex_digit(at[2]) : -1;

	return low >= 0 ? high * 16 + low : -1;
}

/* Decode in place the escapes that `decodes` says; false: one of them is NUL. */
static bool
unescape(char *text, const char *decodes)
{
	char *to = text;

	for (const char *at = text; *at != '\0';) {
		int byte = escaped(at);

		if (byte == 0)
			return false;
		if (byte > 0 && (decodes == NULL || strchr(decodes, byte) != NULL)) {
			*to++ = (char)byte;
			at += 3;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	return true;
}

char *
disposition_file(const char *header)
{
	char *extended = disposition_parameter(header, "filename*");
	char *file;

	/* charset'language'value */
	if (extended != NULL && strncasecmp(extended, "UTF-8'", 6) == 0) {
		char *value = strchr(extended + 6, '\'');

		if (value != NULL && unescape(value + 1, NULL)) {
			file = buf_strdup(value + 1);
			free(extended);
			return file;
		}
	}
	free(extended);
	file = disposition_parameter(header, "filename");
	if (file != NULL && !unescape(file, "\"\r\n")) {
		free(file);
		file = NULL;
	}
	return file;
}
