#include "ledger/api_token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/num.h"
#include "db/pg.h"
#include "io/digest.h"

#define PREFIX "csvp_"
#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

enum { SECRET_BYTES = 32 };

static const char *const scopes[] = {"none", "read", "write", "admin"};

const char *
api_token_scope(enum api_scope scope)
{
	return scopes[scope];
}

bool
api_token_find_scope(const char *text, enum api_scope *out)
{
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		if (strcmp(text, scopes[i]) == 0) {
			*out = (enum api_scope)i;
			return true;
		}
	}
	return false;
}

static int
write_token(int64_t id, char token[API_TOKEN_TEXT], struct err *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char secret[SECRET_BYTES];
	int length = snprintf(token, API_TOKEN_TEXT, PREFIX "%" PRId64 "_", id);
	unsigned bits = 0, count = 0;

	if (getrandom(secret, sizeof secret, 0) != sizeof secret)
		return err_errno(e, errno, "no random bytes for a token");
	/* Six bits a letter, as base64url without padding (RFC 4648). */
	for (size_t i = 0; i < sizeof secret; i++) {
		bits = bits << 8 | secret[i];
		for (count += 8; count >= 6; count -= 6)
			token[length++] = letters[bits >> (count - 6) & 63];
	}
	token[length++] = letters[bits << (6 - count) & 63];
	token[length] = '\0';
	return 0;
}

static void
digest_of(const char *token, char hex[DIGEST_HEX])
{
	unsigned char sha256[DIGEST_BYTES];

	digest_sha256(token, strlen(token), sha256);
	digest_hex(sha256, hex);
}

int
api_token_create(
    struct pg *pg, const char *name, enum api_scope scope, int64_t lifetime, char token[API_TOKEN_TEXT], struct err *e)
{
	struct pg_rows *rows;
	char id[24], hex[DIGEST_HEX], milliseconds[24];
	int64_t number;

	if (*name == '\0')
		return err_set(e, ERR_USAGE, "a token needs a name, to be revoked by");
	if (pg_query(pg, &rows, e, "SELECT nextval(pg_get_serial_sequence('csvp.api_token', 'id'))", 0, NULL) != 0)
		return -1;
	number = pg_rows_int(rows, 0, 0);
	pg_rows_free(rows);
	if (write_token(number, token, e) != 0)
		return -1;
	digest_of(token, hex);
	snprintf(id, sizeof id, "%" PRId64, number);
	snprintf(milliseconds, sizeof milliseconds, "%" PRId64, lifetime);
	if (PG_QUERY(pg, NULL, e,
		"INSERT INTO csvp.api_token (id, name, scope, sha256, expires_at) OVERRIDING SYSTEM VALUE"
		" VALUES ($1, $2, $3, decode($4, 'hex'), now() + $5::bigint * interval '1 ms')",
		id, name, scopes[scope], hex, lifetime > 0 ? milliseconds : NULL) == 0)
		return 0;
	if (strcmp(pg_sqlstate(pg), "23505") == 0)
		err_set(e, ERR_DATA, "there is a token %s already; hint: csvp-admin token revoke %s", name, name);
	return -1;
}

struct visit {
	api_token_each *each;
	void *ctx;
};

static int
visit_row(void *ctx, const struct pg_rows *row, struct err *e)
{
	const struct visit *v = ctx;
	struct api_token token = {
	    .name = pg_rows_text(row, 0, 0),
	    .created_at = pg_rows_text(row, 0, 2),
	    .expires_at = pg_rows_text(row, 0, 3),
	    .expired = pg_rows_bool(row, 0, 4),
	};

	if (!api_token_find_scope(pg_rows_text(row, 0, 1), &token.scope))
		return err_set(e, ERR_BUG, "token %s has no scope", token.name);
	return v->each(v->ctx, &token, e);
}

int
api_token_list(struct pg *pg, api_token_each *each, void *ctx, struct err *e)
{
	struct visit v = {each, ctx};

	return pg_stream(pg,
	    "SELECT name, scope, " TIME("created_at") ", " TIME("expires_at") ", coalesce(expires_at <= now(), false)"
									      " FROM csvp.api_token ORDER BY name",
	    0, NULL, visit_row, &v, e);
}

int
api_token_revoke(struct pg *pg, const char *name, struct err *e)
{
	struct pg_rows *rows;
	uint64_t gone;

	if (PG_QUERY(pg, &rows, e, "DELETE FROM csvp.api_token WHERE name = $1", name) != 0)
		return -1;
	gone = pg_rows_affected(rows);
	pg_rows_free(rows);
	if (gone == 0)
		return err_set(e, ERR_NOINPUT, "there is no token %s; hint: csvp-admin token list", name);
	return 0;
}

/* Every byte is looked at, so that how long it takes tells nothing. */
static bool
same(const char *a, const char *b, size_t length)
{
	unsigned difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= (unsigned char)a[i] ^ (unsigned char)b[i];
	return difference == 0;
}

/* The id in a token; 0, which no row has, if it is none. */
static int64_t
id_of(const char *token)
{
	const char *begin = token + strlen(PREFIX), *end;
	char digits[20];
	int64_t id;

	if (strncmp(token, PREFIX, strlen(PREFIX)) != 0 || (end = strchr(begin, '_')) == NULL ||
	    (size_t)(end - begin) >= sizeof digits)
		return 0;
	snprintf(digits, sizeof digits, "%.*s", (int)(end - begin), begin);
	return num_int64(digits, &id) ? id : 0;
}

int
api_token_check(struct pg *pg, const char *token, enum api_scope *scope, struct err *e)
{
	static const char nobody[DIGEST_HEX] = "";
	struct pg_rows *rows;
	char id[24], hex[DIGEST_HEX];
	bool there, good;

	snprintf(id, sizeof id, "%" PRId64, id_of(token));
	digest_of(token, hex);
	/* Found by its number: what a secret is compared with does not depend on the secret. */
	if (PG_QUERY(pg, &rows, e,
		"SELECT encode(sha256, 'hex'), scope FROM csvp.api_token WHERE id = $1 AND (expires_at > now()) IS NOT "
		"FALSE",
		id) != 0)
		return -1;
	there = pg_rows_count(rows) == 1 && pg_rows_length(rows, 0, 0) == DIGEST_HEX - 1;
	good = same(there ? pg_rows_text(rows, 0, 0) : nobody, hex, DIGEST_HEX - 1) && there &&
	       api_token_find_scope(pg_rows_text(rows, 0, 1), scope);
	pg_rows_free(rows);
	return good;
}
