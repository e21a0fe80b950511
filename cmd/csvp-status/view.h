#ifndef STATUS_VIEW_H
#define STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct pg;

/* What is to be seen. */
struct view_wish {
	const int64_t *ids; /* all jobs if count is 0 */
	size_t count;
	bool json;
	bool chunks; /* the chunks of the jobs, instead of the jobs */
};

/* One look at it. All zeros before the first; view_fini after the last. */
struct view {
	struct buf text;     /* to be printed: tables and sentences, or JSON objects, one a line */
	size_t head;         /* lines of it that head the first table */
	struct buf facts;    /* a JSON object a line: as long as they are the same, nothing has happened */
	bool ended;          /* all jobs that were named are at their end */
	enum err_code worst; /* of their verdicts so far */
	int64_t open;        /* the first that is not at its end, and its state */
	char open_state[16];
};

/* Look anew. Tables fit for `width` cells, 0: nothing is cut or wrapped; `colours`: bold and coloured. 66: no such job. */
int view_take(
    struct view *v, struct pg *pg, const struct view_wish *wish, size_t width, bool colours, struct err *e) MUST_CHECK;
void view_fini(struct view *v);

#endif
