#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

#include "admin.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/api_token.h"

/* What the operands and options behind `token VERB` are. */
struct request {
	struct pg *pg;
	const char *name, *scope;
	int64_t lifetime; /* in milliseconds; -1: for ever */
	bool json;
	struct grid *grid;
};

static int
print_token(void *ctx, const struct api_token *token, struct err *e)
{
	struct request *r = ctx;
	cJSON *object;

	if (!r->json) {
		grid_row(r->grid, (const char *const[]){token->name, api_token_scope(token->scope), token->created_at,
				      token->expired ? "expired" : token->expires_at});
		return 0;
	}
	object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "name", token->name);
	cJSON_AddStringToObject(object, "scope", api_token_scope(token->scope));
	cJSON_AddStringToObject(object, "created_at", token->created_at);
	if (token->expires_at != NULL)
		cJSON_AddStringToObject(object, "expires_at", token->expires_at);
	else
		cJSON_AddNullToObject(object, "expires_at");
	return admin_print_json(object, e);
}

static int
list(struct request *r, struct err *e)
{
	static const char *const headers[] = {"TOKEN", "SCOPE", "CREATED", "EXPIRES"};
	static const bool right[] = {false, false, false, false};
	int result;

	r->grid = grid_new(headers, right, 4);
	result = api_token_list(r->pg, print_token, r, e);
	if (!r->json)
		grid_print(r->grid);
	grid_free(r->grid);
	return result;
}

static int
create(struct request *r, struct err *e)
{
	char token[API_TOKEN_TEXT];
	enum api_scope scope;

	if (r->scope == NULL || !api_token_find_scope(r->scope, &scope) || scope == API_NONE)
		return err_set(e, ERR_USAGE, "--scope must be read, write or admin");
	if (r->lifetime == 0)
		return err_set(
		    e, ERR_USAGE, "--expires 0: it would never be good; hint: without --expires it is for ever");
	if (api_token_create(r->pg, r->name, scope, r->lifetime, token, e) != 0)
		return -1;
	puts(token);
	return 0;
}

static int
revoke(struct request *r, struct err *e)
{
	return api_token_revoke(r->pg, r->name, e);
}

static const struct verb verbs[] = {
    {"create", "NAME", "make a token and print it, this once (--scope)", 1, 1, create},
    {"list", NULL, "the tokens there are, without their secrets", 0, 0, list},
    {"revoke", "NAME", "make it worthless at once", 1, 1, revoke},
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* Look at the operands before a database is started for them. */
static int
act(struct request *r, const struct verb *verb, char **operands, size_t count, struct err *e)
{
	struct site *site;
	int result = -1;

	if ((r->scope != NULL || r->lifetime >= 0) && verb->run != create)
		return err_set(e, ERR_USAGE, "--scope and --expires go with create");
	r->name = count > 0 ? operands[0] : NULL;
	site = site_open(e);
	r->pg = site != NULL ? site_connect(site, e) : NULL;
	if (r->pg != NULL)
		result = verb->run(r, e);
	pg_close(r->pg);
	site_close(site);
	return result;
}

int
admin_token(int argc, char **argv)
{
	struct request r = {.lifetime = -1};
	struct option table[VERBS + 4] = {
	    {"scope", 0, "SCOPE", OPTION_STRING, &r.scope,
		"with create: read, write or admin, what the token is good for"},
	    {"expires", 0, "TIME", OPTION_MS, &r.lifetime,
		"with create: so long it is good, as 12h (default: for ever)"},
	    {"json", 0, NULL, OPTION_FLAG, &r.json, "with list: one JSON object a line"},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_HOME", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-admin token", "create | list | revoke ...",
	    "Tokens of the HTTP API: who may read, write, or do all of it.", table, environment};

	return admin_verbs(&program, &(struct verbs){verbs, VERBS, table, act}, &r, argc, argv);
}
