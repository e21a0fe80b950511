#ifndef NET_URL_H
#define NET_URL_H

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * The parts of a URL (RFC 3986) as CSVP_*_URL hold them: scheme and host in
 * lower case, all but the query percent-decoded. NULL where there is none;
 * `path` is then "". An IPv6 host has no brackets.
 */
struct url {
	char *scheme;
	char *user;
	char *password;
	char *host;
	uint16_t port; /* 0: none given */
	char *path;
	char *query; /* still encoded: url_parameter takes it apart */
};

/*
 * Parse `SCHEME:PATH` or `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?QUERY]`.
 * A fragment is refused, because a # in a password is what it would be. Errors
 * are 78 and never show a password. On failure *out needs no url_fini.
 */
int url_parse(const char *text, struct url *out, struct err *e) __attribute__((warn_unused_result));
void url_fini(struct url *url);

/* The decoded value of a parameter NAME=VALUE of the query, for the caller to free; NULL if it is not there. */
char *url_parameter(const struct url *url, const char *name);

/* Replace %XX in place; the new length, or -1 at a % without two hex digits and at %00. */
ptrdiff_t url_decode(char *text);

/* A path as it stands in a URL: all but letters, digits, "-._~" and slashes as %XX (RFC 3986 2.3). The caller frees. */
char *url_encode(const char *path);

/* The same for a value in a query, where slashes are encoded, too. */
char *url_encode_value(const char *text);

/* The URL for a message: password and query left out, whether it parses or not. The caller frees it. */
char *url_redact(const char *text);

#endif
