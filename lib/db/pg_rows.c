#include "db/pg.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "db/pg_internal.h"

int
pg_rows_take(struct pg_rows **rows, PGresult *result)
{
	if (result == NULL)
		return -1;
	if (rows == NULL) {
		PQclear(result);
	} else {
		*rows = buf_malloc(sizeof **rows);
		(*rows)->result = result;
	}
	return 0;
}

size_t
pg_rows_count(const struct pg_rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

size_t
pg_rows_columns(const struct pg_rows *rows)
{
	return (size_t)PQnfields(rows->result);
}

const char *
pg_rows_text(const struct pg_rows *rows, size_t row, size_t column)
{
	if (PQgetisnull(rows->result, (int)row, (int)column))
		return NULL;
	return PQgetvalue(rows->result, (int)row, (int)column);
}

size_t
pg_rows_length(const struct pg_rows *rows, size_t row, size_t column)
{
	return (size_t)PQgetlength(rows->result, (int)row, (int)column);
}

int64_t
pg_rows_int(const struct pg_rows *rows, size_t row, size_t column)
{
	const char *text = pg_rows_text(rows, row, column);
	int64_t value = 0;

	if (text != NULL)
		num_int64(text, &value);
	return value;
}

bool
pg_rows_bool(const struct pg_rows *rows, size_t row, size_t column)
{
	const char *text = pg_rows_text(rows, row, column);

	return text != NULL && text[0] == 't';
}

const char *
pg_rows_name(const struct pg_rows *rows, size_t column)
{
	return PQfname(rows->result, (int)column);
}

int64_t *
pg_rows_ids(const struct pg_rows *rows)
{
	size_t count = pg_rows_count(rows);
	int64_t *ids = buf_calloc(count, sizeof *ids);

	for (size_t i = 0; i < count; i++)
		ids[i] = pg_rows_int(rows, i, 0);
	return ids;
}

uint64_t
pg_rows_affected(const struct pg_rows *rows)
{
	uint64_t count = 0;

	num_uint64(PQcmdTuples(rows->result), &count);
	return count;
}

void
pg_rows_free(struct pg_rows *rows)
{
	if (rows == NULL)
		return;
	PQclear(rows->result);
	free(rows);
}
