#include "net/url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"

/* isalnum() and tolower() ask the locale; RFC 3986 does not. */
static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
lower(char *text)
{
	for (; *text != '\0'; text++)
		if (is_alpha(*text))
			*text |= 0x20;
}

ptrdiff_t
url_decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		int byte = *from;

		if (byte == '%') {
			if (hex(from[1]) < 0 || hex(from[2]) < 0)
				return -1;
			byte = hex(from[1]) << 4 | hex(from[2]);
			if (byte == 0)
				return -1;
			from += 2;
		}
		*to++ = (char)byte;
	}
	*to = '\0';
	return to - text;
}

static char *
decoded(const char *begin, const char *end, struct err *e)
{
	char *text = buf_strndup(begin, (size_t)(end - begin));

	if (url_decode(text) < 0) {
		err_set(e, ERR_CONFIG, "a %% without two hex digits behind it; hint: write %% itself as %%25");
		free(text);
		return NULL;
	}
	return text;
}

static int
parse_userinfo(const char *begin, const char *end, struct url *out, struct err *e)
{
	const char *colon = memchr(begin, ':', (size_t)(end - begin));

	out->user = decoded(begin, colon != NULL ? colon : end, e);
	if (out->user == NULL)
		return -1;
	if (colon != NULL && (out->password = decoded(colon + 1, end, e)) == NULL)
		return -1;
	return 0;
}

static int
parse_port(const char *begin, const char *end, struct url *out, struct err *e)
{
	char *text = buf_strndup(begin, (size_t)(end - begin));
	uint64_t port = 0;
	int status = 0;

	/* RFC 3986 3.2.3 lets a colon stand without a port. */
	if (text[0] != '\0' && (!num_uint64(text, &port) || port < 1 || port > UINT16_MAX))
		status = err_set(e, ERR_CONFIG, "port '%s' is no number from 1 to 65535", text);
	out->port = (uint16_t)port;
	free(text);
	return status;
}

/* [IPv6 address]; returns what follows the bracket. */
static const char *
parse_literal(const char *begin, const char *end, struct url *out, struct err *e)
{
	const char *close = memchr(begin, ']', (size_t)(end - begin));
	struct in6_addr address;

	if (close == NULL) {
		err_set(e, ERR_CONFIG, "'[' without ']' around the host");
		return NULL;
	}
	out->host = buf_strndup(begin + 1, (size_t)(close - begin - 1));
	if (inet_pton(AF_INET6, out->host, &address) != 1) {
		err_set(e, ERR_CONFIG, "'%s' is no IPv6 address", out->host);
		return NULL;
	}
	return close + 1;
}

static int
parse_authority(const char *begin, const char *end, struct url *out, struct err *e)
{
	const char *at = memchr(begin, '@', (size_t)(end - begin));
	const char *colon;

	if (at != NULL) {
		if (parse_userinfo(begin, at, out, e) != 0)
			return -1;
		begin = at + 1;
		if (memchr(begin, '@', (size_t)(end - begin)) != NULL)
			return err_set(e, ERR_CONFIG, "more than one @; hint: write an @ in a password as %%40");
	}
	if (begin < end && *begin == '[') {
		colon = parse_literal(begin, end, out, e);
		if (colon == NULL)
			return -1;
		if (colon < end && *colon != ':')
			return err_set(e, ERR_CONFIG, "something other than a port follows the host");
	} else {
		colon = memchr(begin, ':', (size_t)(end - begin));
		if (colon == NULL)
			colon = end;
		out->host = decoded(begin, colon, e);
		if (out->host == NULL)
			return -1;
	}
	lower(out->host);
	return colon < end ? parse_port(colon + 1, end, out, e) : 0;
}

/* What RFC 3986 never lets stand unescaped and would be silently part of something else. */
static int
check_characters(const char *text, struct err *e)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(e, ERR_CONFIG, "a blank or control character; hint: write a blank as %%20");
		else if (*p == '#')
			return err_set(e, ERR_CONFIG, "a #; hint: write a # in a password or path as %%23");
	return 0;
}

static int
parse(const char *text, struct url *out, struct err *e)
{
	const char *p = text, *end;

	if (check_characters(text, e) != 0)
		return -1;
	while (is_alpha(*p) || (p > text && (is_digit(*p) || *p == '+' || *p == '-' || *p == '.')))
		p++;
	if (p == text || *p != ':')
		return err_set(e, ERR_CONFIG, "no scheme; hint: a URL begins as in file:///folder or https://host");
	out->scheme = buf_strndup(text, (size_t)(p - text));
	lower(out->scheme);
	p++;
	if (strncmp(p, "//", 2) == 0) {
		p += 2;
		end = p + strcspn(p, "/?");
		if (parse_authority(p, end, out, e) != 0)
			return -1;
		p = end;
	}
	end = p + strcspn(p, "?");
	out->path = decoded(p, end, e);
	if (out->path == NULL)
		return -1;
	if (*end == '?') {
		char *query = decoded(end + 1, end + strlen(end), e);

		if (query == NULL)
			return -1;
		free(query);
		out->query = buf_strdup(end + 1);
	}
	return 0;
}

int
url_parse(const char *text, struct url *out, struct err *e)
{
	char *shown;

	*out = (struct url){0};
	if (parse(text, out, e) == 0)
		return 0;
	url_fini(out);
	shown = url_redact(text);
	err_prefix(e, "URL '%s'", shown);
	free(shown);
	return -1;
}

void
url_fini(struct url *url)
{
	free(url->scheme);
	free(url->user);
	free(url->password);
	free(url->host);
	free(url->path);
	free(url->query);
	*url = (struct url){0};
}

char *
url_parameter(const struct url *url, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = url->query; p != NULL && *p != '\0';) {
		size_t whole = strcspn(p, "&");

		if (whole > length && strncmp(p, name, length) == 0 && p[length] == '=') {
			char *value = buf_strndup(p + length + 1, whole - length - 1);

			url_decode(value); /* cannot fail: url_parse has tried it */
			return value;
		}
		p += whole + (p[whole] == '&');
	}
	return NULL;
}

static char *
encode(const char *text, const char *kept)
{
	struct buf encoded = {0};

	buf_string(&encoded, "");
	for (const char *p = text; *p != '\0'; p++)
		if (is_alpha(*p) || is_digit(*p) || strchr(kept, *p) != NULL)
			buf_byte(&encoded, *p);
		else
			buf_printf(&encoded, "%%%02X", (unsigned char)*p);
	return buf_detach(&encoded);
}

char *
url_encode(const char *path)
{
	return encode(path, "-._~/");
}

char *
url_encode_value(const char *text)
{
	return encode(text, "-._~");
}

char *
url_redact(const char *text)
{
	const char *authority = strstr(text, "//");
	const char *at = strrchr(text, '@');
	const char *colon = NULL;

	/* Up to the last @, not the first / or ?: an unescaped password may hold them all. */
	if (authority == NULL)
		authority = text;
	if (at != NULL && authority < at)
		colon = memchr(authority, ':', (size_t)(at - authority));
	if (colon == NULL)
		return buf_strndup(text, strcspn(text, "?"));
	return buf_format("%.*s:***%.*s", (int)(colon - text), text, (int)strcspn(at, "?"), at);
}
