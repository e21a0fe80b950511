#ifndef CONTRACT_JOBS_H
#define CONTRACT_JOBS_H

#include "ledger/job.h"
#include "things.h"

/* Jobs of the dataset `things` as the ledger has them, written by hand. */

/* A split job without chunks, the next of its dataset; then `assignments` (NULL: none) to its row. */
static inline int64_t
job_row(const char *assignments)
{
	int64_t id =
	    session_int(pg, "WITH d AS (UPDATE csvp.dataset SET seq = seq + 1 RETURNING id, seq)"
			    " INSERT INTO csvp.job (dataset, seq, state, file, object, options, records)"
			    " SELECT id, seq, 'split', 'things.csv', 'objects/things', '{}', 10 FROM d RETURNING id");

	if (assignments != NULL)
		OK(pg_execf(pg, &e, "UPDATE csvp.job SET %s WHERE id = %lld", assignments, (long long)id));
	return id;
}

/* A chunk of ten records and a hundred bytes in a state; "failed loaded" is one that its index failed. */
static inline void
chunk_row(int64_t job, int64_t number, const char *state)
{
	bool loaded = strcmp(state, "pending") != 0 && strcmp(state, "failed") != 0;

	OK(pg_execf(pg, &e,
	    "INSERT INTO csvp.chunk (job, number, byte, length, line, records, state, inserted, loaded_at) VALUES"
	    " (%lld, %lld, %lld, 100, %lld, 10, '%.*s', %d, %s)",
	    (long long)job, (long long)number, (long long)(100 * number), (long long)(10 * number + 1),
	    (int)strcspn(state, " "), state, loaded ? 10 : 0, loaded ? "now()" : "NULL"));
}

/* So many records of the job's first chunk are rejects. */
static inline void
reject_rows(int64_t job, int count)
{
	OK(pg_execf(pg, &e,
	    "INSERT INTO csvp.reject (job, chunk, byte, line, length, header, code, reason) SELECT %lld, 0, 10 * n, n "
	    "+ 1, 10,"
	    " 'amount', 'type', 'not a number' FROM generate_series(0, %d - 1) n;"
	    "UPDATE csvp.chunk SET rejected = %d, inserted = inserted - %d WHERE job = %lld AND number = 0",
	    (long long)job, count, count, count, (long long)job));
}

#endif
