#include "cli/redact.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define MASK "***"

static bool
secret_name(const char *name)
{
	static const char *const names[] = {"PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", NULL};

	for (const char *const *known = names; *known != NULL; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}

/*
 * "scheme://user:password@": a password in a URL ends at the last @ before the
 * query, since people write / and @ in passwords unencoded. Returns what is
 * behind the part appended.
 */
static const char *
append_authority(struct buf *out, const char *value)
{
	const char *begin = strstr(value, "://"), *at, *colon;

	if (begin == NULL)
		return value;
	begin += 3;
	at = memrchr(begin, '@', strcspn(begin, "?"));
	if (at == NULL)
		at = memrchr(begin, '@', strlen(begin));
	colon = at != NULL ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
	if (colon == NULL)
		return value;
	buf_append(out, value, (size_t)(colon + 1 - value));
	buf_string(out, MASK);
	return at;
}

/* Where the value of "password = ..." ends; quoted as libpq quotes, else at a blank or an ampersand. */
static const char *
value_end(const char *text)
{
	if (*text != '\'')
		return text + strcspn(text, " \t&");
	for (text++; *text != '\0' && *text != '\''; text++)
		if (*text == '\\' && text[1] != '\0')
			text++;
	return *text != '\0' ? text + 1 : text;
}

char *
redact_value(const char *name, const char *value)
{
	static const char word[] = "password";
	struct buf out = {0};
	const char *found;

	if (secret_name(name))
		return buf_strdup(MASK);
	value = append_authority(&out, value);
	/* As a parameter of the URL or of a conninfo: password, sslpassword. */
	while ((found = strcasestr(value, word)) != NULL) {
		const char *equals = found + strlen(word);

		equals += strspn(equals, " \t");
		if (*equals == '=') {
			equals++;
			equals += strspn(equals, " \t");
			buf_append(&out, value, (size_t)(equals - value));
			buf_string(&out, MASK);
			value = value_end(equals);
		} else {
			buf_append(&out, value, (size_t)(equals - value));
			value = equals;
		}
	}
	buf_string(&out, value);
	return buf_detach(&out);
}
