#ifndef LEDGER_INDEX_REJECT_H
#define LEDGER_INDEX_REJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

/*
 * Rows that the search engine refuses for good (csvp.index_reject): a dataset
 * has as many rows as its index has documents and these. A writer that has a
 * document of a row in hand settles what became of it, in one transaction:
 *
 *	index_reject_begin; index_reject_forget of all that it has sent;
 *	index_reject_keep of those refused whose rows are still of that version
 *
 * A row that is changed meanwhile is sent by somebody else, who waits for this
 * transaction: what he forgets is then there, so none stays that is out of date.
 * Keys are `parts` canonical texts, of the key's columns or `_id`.
 */

/* `refused`: something is to be kept; others wait until the transaction ends, else only for those who keep. */
int index_reject_begin(struct pg *pg, int64_t dataset, bool refused, struct err *e) __attribute__((warn_unused_result));
int index_reject_forget(struct pg *pg, int64_t dataset, const char *const *keys, size_t count, size_t parts,
    struct err *e) __attribute__((warn_unused_result));
int index_reject_keep(struct pg *pg, int64_t dataset, const char *const *key, size_t parts, int64_t version,
    const char *reason, struct err *e) __attribute__((warn_unused_result));

/* How many a dataset has; -1. */
int64_t index_reject_count(struct pg *pg, int64_t dataset, struct err *e) __attribute__((warn_unused_result));

/* In SQL: how many are records of a job; `j`, in quotes, is a csvp.job or csvp.job_status. */
#define INDEX_REJECTS_OF_JOB(j)                                                                                        \
	"(SELECT count(*) FROM csvp.index_reject x WHERE x.dataset = " j ".dataset AND x.version >= " j ".seq << 39"   \
	" AND x.version < (" j ".seq << 39) + (1::bigint << 38))"

/* Valid during the call it is given to. */
struct index_reject {
	const char *key;   /* its parts, comma-separated */
	const char *parts; /* the same as an array of JSON */
	int64_t job, byte; /* of the record in its object; job 0: the row is of an edit */
	const char *reason;
};
typedef int index_reject_each(void *ctx, const struct index_reject *reject, struct err *e);

/* Those of a dataset in the order of their versions. */
int index_reject_list(struct pg *pg, int64_t dataset, index_reject_each *each, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

#endif
