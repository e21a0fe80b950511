#ifndef LEDGER_API_TOKEN_H
#define LEDGER_API_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pg;

/* What a caller of the HTTP API may do; each includes those before it. */
enum api_scope { API_NONE, API_READ, API_WRITE, API_ADMIN };

/* "none", "read", "write", "admin"; and back, or false. */
const char *api_token_scope(enum api_scope scope);
bool api_token_find_scope(const char *text, enum api_scope *out);

/*
 * Bearer tokens (RFC 6750): `csvp_ID_SECRET`, 256 random bits. Only the
 * SHA-256 of the whole is kept in csvp.api_token, so a token is shown once.
 */
enum { API_TOKEN_TEXT = 80 };

/* Make one; `lifetime` in milliseconds, 0 or less: for ever. 65 if there is one of this name, 64 if the name is empty. */
int api_token_create(struct pg *pg, const char *name, enum api_scope scope, int64_t lifetime,
    char token[API_TOKEN_TEXT], struct err *e) MUST_CHECK;

/* Valid during the call it is given to. */
struct api_token {
	const char *name, *created_at, *expires_at; /* RFC 3339 in UTC; NULL: never */
	enum api_scope scope;
	bool expired;
};
typedef int api_token_each(void *ctx, const struct api_token *token, struct err *e);
int api_token_list(struct pg *pg, api_token_each *each, void *ctx, struct err *e) MUST_CHECK;

/* From now on it is no token. 66 if there is none of this name. */
int api_token_revoke(struct pg *pg, const char *name, struct err *e) MUST_CHECK;

/* 1 it is one, and *scope what it may do; 0 it is none, was revoked or has expired; -1. Takes as long for all of them. */
int api_token_check(struct pg *pg, const char *token, enum api_scope *scope, struct err *e) MUST_CHECK;

#endif
