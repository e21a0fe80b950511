#ifndef LEDGER_DATASET_H
#define LEDGER_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;
struct shape;

enum dataset_state { DATASET_NEW, DATASET_BUILDING, DATASET_READY };

/* A row of csvp.dataset. Strings are owned; free with dataset_fini. */
struct dataset {
	int64_t id;
	char *name;
	char *table_schema;
	char *table_name;
	enum dataset_state state;
	int64_t seal;       /* jobs with a lower seq are refused */
	int64_t generation; /* raised when a column changes */
	int64_t builder;    /* the job whose chunks fill a table still without its key */
	bool keyed;         /* it has a key; else records are appended */
	char *created_at;
};

void dataset_fini(struct dataset *d);

/* By name: 1 found, 0 not there, -1. */
int dataset_find(struct pg *pg, const char *name, struct dataset *d, struct err *e) __attribute__((warn_unused_result));
/* As dataset_find, but 66 if there is none. The second reads its shape, too: 66 while it has no columns. */
int dataset_load_named(struct pg *pg, const char *name, struct dataset *d, struct err *e)
    __attribute__((warn_unused_result));
int dataset_load_shaped(struct pg *pg, const char *name, struct dataset *d, struct shape *shape, struct err *e)
    __attribute__((warn_unused_result));

/* By id; 66 if it is gone. */
int dataset_load(struct pg *pg, int64_t id, struct dataset *d, struct err *e) __attribute__((warn_unused_result));

/* May a new dataset be called so? 1 to 200 bytes without control characters; else 64. */
#define DATASET_LONGEST_NAME 200
int dataset_check_name(const char *name, struct err *e) __attribute__((warn_unused_result));

/*
 * Find or define it, with the table it will have in `schema`; safe when two
 * do so at once. *created says whether this call made it. 64 as
 * dataset_check_name, 65 if its table's name belongs to another dataset.
 * Leaves no transaction open.
 */
int dataset_ensure(struct pg *pg, const char *name, const char *schema, struct dataset *d, bool *created, struct err *e)
    __attribute__((warn_unused_result));

/* Take back a definition that no job has used, and no person with `dataset create`; else it stays. */
int dataset_forget(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));

/* The columns (header, name, order: the ledger's; types: the catalog's) and the key. */
int dataset_shape(struct pg *pg, const struct dataset *d, struct shape *shape, struct err *e)
    __attribute__((warn_unused_result));

/* Write the columns of a new dataset; inside the transaction that makes its table. It is building, by this job. */
int dataset_define(struct pg *pg, int64_t id, const struct shape *shape, int64_t builder, struct err *e)
    __attribute__((warn_unused_result));

/* The key is built; inside the transaction that did it. */
int dataset_set_ready(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));

/* From now on jobs below this seq are refused. */
int dataset_set_seal(struct pg *pg, int64_t id, int64_t seq, struct err *e) __attribute__((warn_unused_result));

/* Lock its row to the end of the transaction, and read it again. */
int dataset_lock(struct pg *pg, struct dataset *d, struct err *e) __attribute__((warn_unused_result));

/* Append one column / decide an undecided one; inside the transaction that changes the table. Raises the generation. */
int dataset_add_column(struct pg *pg, int64_t id, size_t position, const char *header, const char *name, bool undecided,
    struct err *e) __attribute__((warn_unused_result));
int dataset_decide(struct pg *pg, int64_t id, size_t position, struct err *e) __attribute__((warn_unused_result));

/* Had it a table that was dropped by a person? 1, 0, -1. */
int dataset_dropped(struct pg *pg, const struct dataset *d, struct err *e) __attribute__((warn_unused_result));

/*
 * Then, with its row locked: it is new again, with another key if the next upload says so; what older jobs still have
 * to load is refused, what they had loaded needs no index, and edits on their way to it are forgotten.
 */
int dataset_renew(struct pg *pg, int64_t id, struct err *e) __attribute__((warn_unused_result));

/* "schema"."table", quoted for SQL; freed by the caller. */
char *dataset_table(const struct dataset *d);

#endif
