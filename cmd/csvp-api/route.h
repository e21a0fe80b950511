#ifndef API_ROUTE_H
#define API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/api_token.h"

struct call;
struct err;

/*
 * The table of routes: dispatch, the checks of what comes in, and the OpenAPI
 * document are made from the same rows, so that they cannot drift.
 */

enum route_kind { ROUTE_TEXT, ROUTE_INTEGER, ROUTE_BOOLEAN, ROUTE_CHOICE };

/* A query parameter, or a header. Anything else in a query is 400, a value that is none of its kind, too. */
struct route_parameter {
	const char *name; /* NULL ends an array of them */
	enum route_kind kind;
	const char *text;
	int64_t least, most; /* ROUTE_INTEGER */
	const char *choices; /* ROUTE_CHOICE: words apart by blanks */
	const char *example; /* one that works, as it stands in a URL; NULL: none */
	bool header;
	bool repeatable;
	bool required;
};

/* What may come back, beside the problem documents that any route may give. */
struct route_answer {
	int status; /* 0 ends an array of them */
	const char *text;
	const char *schema; /* of components.json, for JSON; NULL: no body, or text of the route's type */
};

struct route {
	const char *method;
	const char *pattern;                          /* segments; {name} stands for any one */
	enum api_scope scope;                         /* that a caller must have */
	int (*handle)(struct call *c, struct err *e); /* 0: answered; -1: *e becomes a problem document */
	const char *id;                               /* operationId */
	const char *tag;
	const char *summary;
	const char *text;                         /* more, in Markdown; NULL: nothing more */
	const struct route_parameter *parameters; /* NULL: none */
	bool hidden;                              /* for browsers: not in the document */
	bool open;                                /* its query takes other names, too: the handler checks them */
	const char *takes; /* media types of the body, apart by blanks; NULL: a body is passed over */
	const char *body;  /* schema of the JSON body; NULL: binary */
	bool empty;        /* a body may be missing */
	const char *gives; /* media types of the answer, the first by default; NULL: JSON */
	struct route_answer answers[4];
};

/* Once, before anything else: fill in the rows that are made from other tables. */
void route_init(void);

size_t route_count(void);
const struct route *route_at(size_t index);

#endif
