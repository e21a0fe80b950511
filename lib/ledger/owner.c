#include "ledger/owner.h"

#include "base/err.h"
#include "db/pg.h"

int
owner_here(struct pg *pg, struct err *e)
{
	struct pg_rows *rows;
	int here;

	if (pg_query(pg, &rows, e, "SELECT owner = csvp.identity() FROM csvp.site", 0, NULL) != 0)
		return -1;
	here = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return here;
}

int
owner_check(struct pg *pg, struct err *e)
{
	int here = owner_here(pg, e);

	if (here != 0)
		return here > 0 ? 0 : -1;
	return err_set(e, ERR_CONFIG,
	    "this database is a copy (restored, promoted or upgraded): its original may still need what is in the "
	    "store; "
	    "hint: if the original is gone for good, csvp-admin gc --adopt");
}

int
owner_adopt(struct pg *pg, struct err *e)
{
	return pg_exec(pg, "UPDATE csvp.site SET owner = csvp.identity()", e);
}
